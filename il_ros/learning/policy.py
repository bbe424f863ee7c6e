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

"""A trained policy: from observations to actions that the contract accepts."""

from collections.abc import Mapping
import math
import types

from il_ros.contract.contract import Contract, GRIPPER_DISAGREEMENT
from il_ros.contract.observation import parts_of
from il_ros.errors import InputsError, LearningError, NotFiniteError, PolicyError
from il_ros.learning.heads import Head, Mean
from il_ros.learning.horizons import Horizons
from il_ros.learning.inputs import image_features, Inputs
from il_ros.learning.nets.net import Net
from il_ros.learning.normaliser import Normaliser
import numpy as np

UNKNOWN = -1.0
"""Novelty as a network alone has it."""

Images = Mapping[str, np.ndarray]
"""By the names of their features, shape ``Feature.shape``, or with ``N`` before, uint8."""

NO_IMAGES: Images = types.MappingProxyType({})


class Policy:
    """
    A deterministic policy; immutable, so that a node can swap it between two ticks.

    What one with a history or chunks remembers in an episode lies in `runner.py`. An ensemble
    answers with the mean of its members.

    Its answers are finite and inside the contract's bounds, and the gripper element, if there is
    one, is its lower or its upper bound: the mean of an open and a closed hand is a hand half
    open.
    """

    def __init__(self, contract: Contract, inputs: Inputs, normaliser: Normaliser,
                 action_normaliser: Normaliser, net: Net, info: Mapping | None = None,
                 sha256: str = '', head: Head | None = None, horizons: Horizons = Horizons()):
        """
        Put the parts together.

        :param contract: layout of observations and actions that it was trained on
        :param inputs: what it sees of an observation
        :param normaliser: of the inputs, ``inputs.width`` wide
        :param action_normaliser: of the actions, ``act_dim`` wide
        :param net: from normalised inputs, as many observations as the history has, oldest
            first, to what the head takes
        :param info: how it was made, as JSON has it
        :param sha256: of the checkpoint, hex; empty: not saved yet
        :param head: what the network's output means; None: it is the normalised action itself
        :param horizons: its history and chunks
        :raises LearningError: if the widths do not fit, or the network sees images that the
            contract does not have as it expects them
        """
        self.horizons = horizons
        self.head = head or Mean(len(contract.actions) * horizons.chunk)
        self.contract, self.inputs, self.net = contract, inputs, net
        self.info, self.sha256 = dict(info or {}), sha256
        self.normaliser, self.action_normaliser = normaliser, action_normaliser
        for what, found, expected in (
                ('normaliser', normaliser.width, inputs.width),
                ('net input', net.widths[0], inputs.width * horizons.history),
                ('head', self.head.dim, len(contract.actions) * horizons.chunk),
                ('action normaliser', action_normaliser.width, len(contract.actions)),
                ('net output', net.widths[-1], self.head.width)):
            if found != expected:
                raise LearningError(f'the {what} is {found} wide; expected {expected}')
        self._check_images()
        for name, array in (*net.tensors().items(), ('bounds of the actions', contract.lower),
                            ('bounds of the actions', contract.upper)):
            if not np.isfinite(array).all():
                raise NotFiniteError(f'{name}: some numbers are not finite')
        self._gripper = contract.gripper_index
        self._lower, self._upper = contract.lower, contract.upper
        self._middle = (self._lower + self._upper) / 2.0
        self._scale = 2.0 / (self._upper - self._lower)
        if self._gripper >= 0:
            self._scale[self._gripper] = 0.0
        self._direct = (horizons.plain and net.members == 1 and not net.images
                        and isinstance(self.head, Mean))

    def _check_images(self):
        if self.images and self.horizons.history > 1:
            raise LearningError(f'a network with images has a history of {self.horizons.history}; '
                                'expected 1')
        self._shapes = {feature.name: feature.shape
                        for feature in image_features(self.contract, self.images)}
        for name, shape in self._shapes.items():
            if not self.net.fits(name, shape):
                raise LearningError(f'the network cannot see the image {name} of shape {shape}; '
                                    'its kernels need another one')

    @property
    def images(self) -> tuple[str, ...]:
        """Return the names of the images that it sees."""
        return self.net.images

    @property
    def policy_id(self) -> int:
        """Return the first 8 bytes (big endian) of ``sha256``; 0: not saved yet."""
        return int(self.sha256[:16] or '0', 16)

    def act(self, values: np.ndarray, images: Images = NO_IMAGES) -> np.ndarray:
        """
        Answer one observation as if it were the first of an episode.

        :param values: ``Observation.values``, shape ``(D,)``, float32; or as many as the history
            has, shape ``(history, D)``, oldest first
        :param images: of the observation, at least ``self.images``
        :returns: shape ``(act_dim,)``, float32, in the contract's units and bounds
        :raises InputsError: if the observation has another width, or an image is missing or of
            another shape
        :raises PolicyError: if an input or the output is not finite
        """
        if not self._direct:
            return self.bounded(self.propose(values, images)[0][0])
        with np.errstate(over='ignore', invalid='ignore'):
            inputs = self.inputs.apply(values)
            action = self._answer(inputs)
            # A sum is finite only if its terms are; a -inf alone could vanish in a ReLU.
            checksum = float(inputs.sum()) + float(action.sum())
        if not math.isfinite(checksum):
            raise PolicyError(self._complaint(inputs))
        return self.bounded(action)

    def __call__(self, observation: np.ndarray | Mapping[str, np.ndarray]) -> np.ndarray:
        """
        Answer an observation of the environment, as ``act`` does: without memory.

        A policy with a history or chunks takes each observation for the first of an episode here;
        in episodes it is driven by `Runner`, as ``il_ros.evaluate`` does.

        :param observation: the values, shape ``(D,)``, float32; with images a dictionary
        :returns: shape ``(act_dim,)``, float32, in the contract's units and bounds
        :raises InputsError: as ``act``
        :raises PolicyError: as ``act``
        """
        return self.act(*parts_of(observation))

    def propose(self, values: np.ndarray,
                images: Images = NO_IMAGES) -> tuple[np.ndarray, np.ndarray]:
        """
        Answer one observation, or the last ones, with a whole chunk.

        :param values: shape ``(D,)`` or ``(history, D)``, float32
        :param images: of the observation, at least ``self.images``
        :returns: the actions, shape ``(chunk, act_dim)``, float32, in the contract's units and
            not bounded yet; and the novelty of each, shape ``(chunk,)``: see ``novelty``
        :raises InputsError: if an observation has another width, or an image is missing or of
            another shape
        :raises PolicyError: if an input or the output is not finite
        """
        with np.errstate(over='ignore', invalid='ignore'):
            inputs = self.inputs.apply(values)
            out = self.net.forward(self._normalised_inputs(inputs, values.ndim > 1),
                                   *self._image_inputs(images))
            actions = self._decoded(out)
            checksum = float(inputs.sum()) + float(out.sum()) + float(actions.sum())
        if not math.isfinite(checksum):
            raise PolicyError(self._complaint(inputs))
        if self.net.members == 1:
            return actions, np.full(len(actions), UNKNOWN, np.float32)
        mean = actions.sum(axis=0) / len(actions)
        return mean, self._spread(actions - mean, actions)

    def at_mean(self) -> np.ndarray:
        """
        Return the answer to the mean of the training inputs, and to black images, not bounded.

        :returns: shape ``(act_dim,)``, float32; perhaps not finite
        """
        images = [np.zeros(shape, np.uint8) for shape in self._shapes.values()]
        inputs = np.zeros(self.inputs.width * self.horizons.history, np.float32)
        with np.errstate(over='ignore', invalid='ignore'):
            actions = self._decoded(self.net.forward(inputs, *images))
        return actions[0] if self.net.members == 1 else actions.mean(axis=0)[0]

    def novelty(self, values: np.ndarray, images: Images = NO_IMAGES) -> float:
        """
        Return how far the members of an ensemble are apart, as a share of full scale, >= 0.

        The unit is the one of `interactive.gates.Disagreement`: over all axes but the gripper the
        Euclidean norm of the members' standard deviations, each divided by half of its range;
        members on different sides of the gripper's middle count as ``GRIPPER_DISAGREEMENT``, and
        the larger of the two is the result. Nothing is clipped here: far from the data all
        members may lie beyond the same bound, and disagree strongly. It is a doubt
        (EnsembleDAgger: Menda et al., IROS 2019, section III), not an error. ``UNKNOWN`` without
        an ensemble.

        :param values: shape ``(D,)`` or ``(history, D)``, float32
        :param images: of the observation, at least ``self.images``
        :raises PolicyError: if an input or the output is not finite
        """
        return float(self.propose(values, images)[1][0])

    def act_batch(self, values: np.ndarray, images: Images = NO_IMAGES) -> np.ndarray:
        """
        Answer many observations, as ``act`` does within float32 rounding.

        :param values: shape ``(N, D)`` or ``(N, history, D)``, float32
        :param images: of the observations, at least ``self.images``
        :returns: shape ``(N, act_dim)``, float32
        :raises PolicyError: if an input or output of one of them is not finite
        """
        with np.errstate(over='ignore', invalid='ignore'):
            inputs = self.inputs.apply(values)
            out = self.net.forward(self._normalised_inputs(inputs, values.ndim > 2),
                                   *self._image_inputs(images, (len(values),)))
            actions = self._decoded(out)
            if self.net.members > 1:
                actions, out = actions.mean(axis=0), out.sum(axis=0)
            inputs = inputs.reshape(len(inputs), -1, self.inputs.width)
        actions = actions[:, 0]
        finite = (np.isfinite(inputs).all(axis=(1, 2)) & np.isfinite(actions).all(axis=1)
                  & np.isfinite(out).all(axis=1))
        if not finite.all():
            row = int(np.argmin(finite))
            raise PolicyError(f'observation {row}: {self._complaint(inputs[row])}')
        return self.bounded(actions)

    def _normalised_inputs(self, inputs: np.ndarray, windows: bool) -> np.ndarray:
        """Return what the network sees: normalised, the observations of a window side by side."""
        rows, history = self.normaliser.apply(inputs), self.horizons.history
        if not windows:
            return rows if history == 1 else np.tile(rows, history)
        if rows.shape[-2] != history:
            raise InputsError(f'a window has {rows.shape[-2]} observations; this policy has a '
                              f'history of {history}')
        return rows.reshape(*rows.shape[:-2], -1)

    def _image_inputs(self, images: Images, count: tuple[int, ...] = ()) -> list[np.ndarray]:
        """Return the images in the order of the net."""
        for name, shape in self._shapes.items():
            image = images.get(name)
            if image is None or image.shape != (*count, *shape) or image.dtype != np.uint8:
                found = 'none' if image is None else f'{image.dtype} of {image.shape}'
                raise InputsError(f'this policy sees the image {name}, uint8 of '
                                  f'{(*count, *shape)}; found {found}')
        return [images[name] for name in self._shapes]

    def _decoded(self, out: np.ndarray) -> np.ndarray:
        """Return what each member means, shape ``(..., chunk, act_dim)``, in units."""
        actions = self.head.decode(out)
        shape = (*actions.shape[:-1], self.horizons.chunk, len(self.contract.actions))
        return self.action_normaliser.undo(actions.reshape(shape))

    def _spread(self, apart: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return the novelty of each step: members' actions, shape ``(M, chunk, act_dim)``."""
        apart *= self._scale
        spread = np.sqrt(np.einsum('mca,mca->c', apart, apart) / len(actions))
        at = self._gripper
        if at >= 0:
            opening = actions[..., at] > self._middle[at]
            split = (opening != opening[0]).any(axis=0)
            np.maximum(spread, GRIPPER_DISAGREEMENT, out=spread, where=split)
        return spread

    def _answer(self, inputs: np.ndarray) -> np.ndarray:
        return self.action_normaliser.undo(self.net.forward(self.normaliser.apply(inputs)))

    def bounded(self, actions: np.ndarray) -> np.ndarray:
        """Return actions, shape ``(..., act_dim)``, in the contract's bounds; see the class."""
        bounded = np.minimum(np.maximum(actions, self._lower), self._upper)
        at = self._gripper
        if at >= 0:
            bounded[..., at] = np.where(actions[..., at] > self._middle[at],
                                        self._upper[at], self._lower[at])
        return bounded

    def _complaint(self, inputs: np.ndarray) -> str:
        for row in np.atleast_2d(inputs):
            for name, value in zip(self.inputs.names, row):
                if not math.isfinite(value):
                    return f'input {name} is {value}; expected a finite number'
        return 'the answer to these inputs is not finite; they lie far outside the training data'
