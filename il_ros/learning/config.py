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

from il_ros import plugins
from il_ros.errors import TrainConfigError
from il_ros.files.share import share_path
from il_ros.files.yaml_file import read_yaml, YamlFileError
from il_ros.learning.heads import BINNINGS, MOST_BINS
from il_ros.learning.horizons import Horizons
from il_ros.learning.nets.cnn import LARGEST_STRIDE, MOST_LAYERS
from il_ros.learning.nets.net import net_class
from il_ros.learning.shift import Shift

LOSSES = ('mse', 'huber', 'nll', 'mixture', 'cross_entropy')
SCHEDULES = ('cosine', 'constant')
_LISTS = ('inputs', 'hidden', 'images', 'channels', 'strides')
IMAGE_TRAINING = 'training_image.yaml'
NOT_SUCCESS = ('The losses are on states of the data set, over normalised actions; they are not '
               'success: a policy with a small loss can fail on the states that it drives to.')


class NoTrainingError(TrainConfigError):
    """A task that says nothing of how its policies are trained."""


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """
    What `fit` needs beside data and seed.

    The number of steps is fixed beforehand: no stop rule looks at a score.
    """

    inputs: tuple[str, ...]
    """Expressions of `inputs.py`."""

    architecture: str = 'mlp'
    """``cnn``: with an encoder for each image, see `cnn.py`; or one of an installed package."""

    images: tuple[str, ...] = ()
    """``cnn``: the names of the image features that the policy sees."""

    channels: tuple[int, ...] = (16, 16, 32)
    """``cnn``: of each convolution; of the last one each becomes a place in the image."""

    strides: tuple[int, ...] = (2, 2, 1)
    """``cnn``: of each convolution, in pixels."""

    crop_px: int = 0
    """``cnn``: by how much an image is shifted at random, at most, each time it is learnt from."""

    hidden: tuple[int, ...] = (256, 256)
    """Widths of the hidden layers, ReLU between them."""

    loss: str = 'mse'
    """On normalised actions: squared error, Huber's, or the likelihood of `heads.py`."""

    huber_delta: float = 1.0
    """``huber``: error beyond which the loss is linear, in standard deviations of the labels."""

    components: int = 5
    """``mixture``: the number of Gaussians."""

    bins: int = 41
    """``cross_entropy``: bins of each action element at most; the gripper has two."""

    binning: str = 'quantile'
    """``cross_entropy``: with about equally many labels, or ``uniform``: equally wide."""

    ensemble: int = 1
    """Members, trained together from initial weights and batches of their own."""

    history: int = 1
    """Observations that the policy sees: the newest and those before it."""

    chunk: int = 1
    """Actions that it answers at once."""

    execute: int = 1
    """Actions of a chunk that are carried out before the next one is asked for."""

    temporal_ensembling: bool = False
    """Average what all chunks that reach a step say about it."""

    batch: int = 128
    steps: int = 3000
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    """Decoupled (AdamW), on every parameter."""

    schedule: str = 'cosine'
    """After the warm-up: down to zero along half a cosine, or constant."""

    warmup_steps: int = 100
    """Steps over which the learning rate rises linearly."""

    shift: Shift | None = None
    """Synthetic states beside the recorded ones; see `shift.py`."""

    def __post_init__(self):
        _expect(self.inputs and all(isinstance(text, str) for text in self.inputs), 'inputs',
                self.inputs, "a list of names as 'goal_position - object_position'")
        for key, value, choices in (('loss', self.loss, LOSSES),
                                    ('binning', self.binning, BINNINGS),
                                    ('schedule', self.schedule, SCHEDULES)):
            _expect(value in choices, key, value, f'one of {list(choices)}')
        _expect(all(_whole(width, 1, 8192) for width in self.hidden), 'hidden',
                self.hidden, 'a list of widths from 1 to 8192')
        _expect(_whole(self.batch, 1, 65536), 'batch', self.batch, 'a whole number in 1..65536')
        _expect(_whole(self.steps, 1, 10_000_000), 'steps', self.steps,
                'a whole number in 1..10000000')
        _expect(_whole(self.warmup_steps, 0, self.steps), 'warmup_steps', self.warmup_steps,
                f'a whole number in 0..{self.steps} (steps)')
        _expect(_real(self.learning_rate) and 0.0 < self.learning_rate <= 1.0, 'learning_rate',
                self.learning_rate, 'a number above 0, at most 1')
        _expect(_real(self.weight_decay) and 0.0 <= self.weight_decay <= 1.0, 'weight_decay',
                self.weight_decay, 'a number in 0..1')

        self._expect_heads_and_horizons()
        self._expect_images()

    def _expect_heads_and_horizons(self):
        _expect(_real(self.huber_delta) and 0.0 < self.huber_delta <= 1000.0, 'huber_delta',
                self.huber_delta, 'a number above 0, at most 1000')
        for key, low, high in (('components', 2, 64), ('bins', 2, MOST_BINS), ('ensemble', 1, 32),
                               ('history', 1, 64), ('chunk', 1, 256), ('execute', 1, self.chunk)):
            _expect(_whole(getattr(self, key), low, high), key, getattr(self, key),
                    f'a whole number in {low}..{high}{" (chunk)" * (key == "execute")}')
        _expect(self.shift is None or self.horizons.plain, 'shift', self.shift,
                'none together with history or chunk')
        _expect(isinstance(self.temporal_ensembling, bool), 'temporal_ensembling',
                self.temporal_ensembling, 'true or false')

    def _expect_images(self):
        try:
            kind = net_class(self.architecture)
        except plugins.PluginError as error:
            raise TrainConfigError(str(error)) from error
        _expect(self.ensemble == 1 or kind.makes_ensembles, 'ensemble', self.ensemble,
                f'1 with the architecture {self.architecture}')
        _expect(all(isinstance(name, str) for name in self.images)
                and len(set(self.images)) == len(self.images)
                and bool(self.images) == kind.takes_images, 'images', self.images,
                'names of image features, with an architecture for images (cnn) alone')
        _expect(0 < len(self.channels) <= MOST_LAYERS and all(
            _whole(count, 1, 1024) for count in self.channels), 'channels', self.channels,
            f'1 to {MOST_LAYERS} numbers of channels from 1 to 1024')
        _expect(len(self.strides) == len(self.channels) and all(
            _whole(stride, 1, LARGEST_STRIDE) for stride in self.strides), 'strides',
            self.strides, f'as many as channels, each in 1..{LARGEST_STRIDE}')
        _expect(_whole(self.crop_px, 0, 64), 'crop_px', self.crop_px, 'a whole number in 0..64')
        _expect(not self.images or self.history == 1, 'history', self.history,
                '1 together with images')
        _expect(not self.images or self.shift is None, 'shift', self.shift,
                'none together with images')

    @property
    def horizons(self) -> Horizons:
        """Return how far the policy looks back and plans ahead."""
        return Horizons(self.history, self.chunk, self.execute, self.temporal_ensembling)

    @classmethod
    def from_dict(cls, fields: dict) -> 'TrainConfig':
        """
        Build a configuration from plain lists, numbers and texts.

        :raises TrainConfigError: naming the key that is unknown, missing or out of range
        """
        known = [field.name for field in dataclasses.fields(cls)]
        if not isinstance(fields, dict):
            raise TrainConfigError(f'is {type(fields).__name__}; expected keys among {known}')
        unknown = sorted(str(key) for key in set(fields) - set(known))
        if unknown:
            raise TrainConfigError(f'unknown key {unknown[0]!r}; known are {known}')
        if 'inputs' not in fields:
            raise TrainConfigError("key 'inputs' is missing; expected a list of input names")
        lists = {key: fields[key] for key in _LISTS if key in fields}
        for key, value in lists.items():
            _expect(isinstance(value, (list, tuple)), key, value, 'a list')
        return cls(**{**fields, **{key: tuple(value) for key, value in lists.items()},
                      'shift': Shift.of(fields.get('shift'))})

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
        try:
            fields = read_yaml(path)
        except YamlFileError as error:
            raise TrainConfigError(
                f'{path}: cannot be read as a training configuration: {error}') from error
        if isinstance(fields, dict) and ('strategy' in fields or 'training' in fields):
            if 'training' not in fields:
                raise TrainConfigError(f"{path}: key 'training' is missing beside 'strategy'")
            fields = fields['training']
        try:
            return cls.from_dict(fields)
        except TrainConfigError as error:
            raise TrainConfigError(f'{path}: {error}') from error


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


def _whole(value, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _real(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _expect(fine: bool, key: str, value, expected: str):
    if not fine:
        raise TrainConfigError(f'{key} is {value!r}; expected {expected}')
