# Copyright 2026 il_ros contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""How a policy is trained: one frozen structure, read from a YAML file."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

from il_ros import plugins
from il_ros.errors import TrainConfigError
from il_ros.files.share import share_path
from il_ros.files.yaml_file import named, read_yaml
from il_ros.learning.heads import MOST_BINS
from il_ros.learning.horizons import Horizons
from il_ros.learning.nets.cnn import LARGEST_STRIDE, MOST_LAYERS
from il_ros.learning.nets.net import net_class
from il_ros.learning.shift import Shift
from il_ros.settings import one_of, Settings
from msgspec import Meta

IMAGE_TRAINING = 'training_image.yaml'
NOT_SUCCESS = ('The losses are on states of the data set, over normalised actions; they are not '
               'success: a policy with a small loss can fail on the states that it drives to.')

Device = Annotated[str, Meta(pattern=r'\A(?:auto|cpu|cuda(?::\d{1,3})?)\Z',
                             description='auto, cpu, cuda or cuda:N')]
"""What computes a fit; ``auto``: a GPU where torch finds one, else the CPU."""

_CHANNELS = f'1 to {MOST_LAYERS} numbers of channels from 1 to 1024'
_STRIDES = f'as many as channels, each in 1..{LARGEST_STRIDE}'


class NoTrainingError(TrainConfigError):
    """A task that says nothing of how its policies are trained."""


@dataclasses.dataclass(frozen=True)
class TrainConfig(Settings, refusal=TrainConfigError):
    """
    Settings of training: everything but the data and the seed.

    The number of steps is fixed beforehand: no stop rule looks at a score.
    """

    inputs: Annotated[tuple[str, ...], Meta(
        min_length=1, description="a list of names as 'goal_position - object_position'")]
    """Features, differences and lengths, e.g. ``goal_position.xy - object_position.xy``."""

    architecture: str = 'mlp'
    """``cnn``: with an encoder for each image, see `cnn.py`; or one of an installed package."""

    images: tuple[str, ...] = ()
    """``cnn``: the names of the image features that the policy sees."""

    channels: Annotated[tuple[Annotated[int, Meta(ge=1, le=1024)], ...], Meta(
        min_length=1, max_length=MOST_LAYERS, description=_CHANNELS)] = (16, 16, 32)
    """``cnn``: of each convolution; of the last one each becomes a place in the image."""

    strides: Annotated[tuple[Annotated[int, Meta(ge=1, le=LARGEST_STRIDE)], ...], Meta(
        description=_STRIDES)] = (2, 2, 1)
    """``cnn``: of each convolution, in pixels."""

    crop_px: Annotated[int, Meta(ge=0, le=64)] = 0
    """``cnn``: by how much an image is shifted at random, at most, each time it is learnt from."""

    hidden: Annotated[tuple[Annotated[int, Meta(ge=1, le=8192)], ...], Meta(
        description='a list of widths from 1 to 8192')] = (256, 256)
    """Widths of the hidden layers, ReLU between them."""

    loss: Annotated[str, one_of('mse', 'huber', 'nll', 'mixture', 'cross_entropy')] = 'mse'
    """On normalised actions: squared error, Huber's, or the likelihood of `heads.py`."""

    huber_delta: Annotated[float, Meta(gt=0.0, le=1000.0)] = 1.0
    """``huber``: error beyond which the loss is linear, in standard deviations of the labels."""

    components: Annotated[int, Meta(ge=2, le=64)] = 5
    """``mixture``: the number of Gaussians."""

    bins: Annotated[int, Meta(ge=2, le=MOST_BINS)] = 41
    """``cross_entropy``: bins of each action element at most; the gripper has two."""

    binning: Annotated[str, one_of('quantile', 'uniform')] = 'quantile'
    """``cross_entropy``: with about equally many labels, or ``uniform``: equally wide."""

    ensemble: Annotated[int, Meta(ge=1, le=32)] = 1
    """Members, trained together from initial weights and batches of their own."""

    history: Annotated[int, Meta(ge=1, le=64)] = 1
    """Observations that the policy sees: the newest and those before it."""

    chunk: Annotated[int, Meta(ge=1, le=256)] = 1
    """Actions that it answers at once."""

    execute: int = 1
    """Actions of a chunk that are carried out before the next one is asked for."""

    temporal_ensembling: bool = False
    """Average what all chunks that reach a step say about it."""

    batch: Annotated[int, Meta(ge=1, le=65536)] = 128
    """Number of pairs of observation and label in each step."""

    steps: Annotated[int, Meta(ge=1, le=10_000_000)] = 3000
    """Number of steps of the optimiser."""

    learning_rate: Annotated[float, Meta(gt=0.0, le=1.0)] = 1e-3
    """Of AdamW, after the warm-up."""

    weight_decay: Annotated[float, Meta(ge=0.0, le=1.0)] = 1e-4
    """Decoupled (AdamW), on every parameter."""

    schedule: Annotated[str, one_of('cosine', 'constant')] = 'cosine'
    """After the warm-up: down to zero along half a cosine, or constant."""

    warmup_steps: int = 100
    """Steps over which the learning rate rises linearly."""

    shift: Shift | None = None
    """Synthetic states beside the recorded ones; see `shift.py`."""

    device: Device = 'auto'
    """What computes the fit: ``cpu``, ``cuda``, ``cuda:N``; ``auto``: a GPU if there is one."""

    def __post_init__(self):
        super().__post_init__()
        try:
            kind = net_class(self.architecture)
        except plugins.PluginError as error:
            raise TrainConfigError(str(error)) from error
        self.refuse_unless(0 <= self.warmup_steps <= self.steps, 'warmup_steps',
                           f'a whole number in 0..{self.steps} (steps)')
        self.refuse_unless(1 <= self.execute <= self.chunk, 'execute',
                           f'a whole number in 1..{self.chunk} (chunk)')
        self.refuse_unless(self.shift is None or self.horizons.plain, 'shift',
                           'none together with history or chunk')
        self.refuse_unless(self.ensemble == 1 or kind.makes_ensembles, 'ensemble',
                           f'1 with the architecture {self.architecture}')
        self.refuse_unless(len(set(self.images)) == len(self.images)
                           and bool(self.images) == kind.takes_images, 'images',
                           'names of image features, with an architecture for images (cnn) alone')
        self.refuse_unless(len(self.strides) == len(self.channels), 'strides', _STRIDES)
        self.refuse_unless(not self.images or self.history == 1, 'history',
                           '1 together with images')
        self.refuse_unless(not self.images or self.shift is None, 'shift',
                           'none together with images')

    def noted(self) -> dict[str, Any]:
        """Return all that the weights depend on, for a checkpoint; it notes the device itself."""
        fields = dataclasses.asdict(self)
        del fields['device']
        return fields

    @property
    def horizons(self) -> Horizons:
        """Return how far the policy looks back and plans ahead."""
        return Horizons(self.history, self.chunk, self.execute, self.temporal_ensembling)

    @classmethod
    def of(cls, task: str, contract: str = '') -> 'TrainConfig':
        """
        Return the package's own settings for a task; ``dataclasses.replace`` changes some.

        >>> import dataclasses, il_ros
        >>> dataclasses.replace(il_ros.TrainConfig.of('reach'), steps=500).inputs
        ('goal_position - tool_position',)

        :param contract: name of the contract, where it is not the task's own
        :raises TrainConfigError: if the package has none
        """
        try:
            return cls.load(training_path(contract, task))
        except plugins.PluginError as error:
            raise TrainConfigError(f'there are no training settings for the task {task!r}: '
                                   f'{error}') from error

    @classmethod
    def load(cls, path: Path) -> 'TrainConfig':
        """
        Read a YAML file.

        The settings are the file's key ``training`` where it is one for a whole run, with
        ``strategy`` beside it; else the file itself.

        :raises TrainConfigError: naming the file, and the key that is wrong
        """
        with named(path, TrainConfigError):
            fields = read_yaml(path)
            if isinstance(fields, dict) and ('strategy' in fields or 'training' in fields):
                if 'training' not in fields:
                    raise TrainConfigError("key 'training' is missing beside 'strategy'")
                fields = fields['training']
            return cls.from_dict(fields)


def training_path(contract: str, task: str) -> Path:
    """
    Return the training YAML that a task brings along, beside its class's module.

    :param contract: its name; one by images has ``training_image.yaml``, the task's or that of
        the package for all tasks
    :raises NoTrainingError: if the task has none
    """
    if contract.endswith('_image'):
        own = plugins.file_beside('tasks', task, IMAGE_TRAINING)
        return own or share_path('config', IMAGE_TRAINING)
    found = plugins.file_beside('tasks', task, 'training.yaml')
    if found is not None:
        return found
    raise NoTrainingError(f'the task {task!r} has no training.yaml beside its module')
