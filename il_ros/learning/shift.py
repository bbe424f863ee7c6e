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

"""
Synthetic states: the recorded tool shifted sideways, with the action that brings it back.

Bojarski et al., "End to End Learning for Self-Driving Cars", 2016, section 5: images of a car that
was shifted in its lane, labelled with the steering that returns it. Here the tool is shifted by a
normal offset, and the velocity that undoes the offset within ``recover_s`` is added to the label.
No expert is asked. What it says is true where the label is geometric, in free space; beside a
closing hand or at a contact it is wrong, so that only states are taken whose objects are all
farther than ``clear_m`` from the tool, before and after the shift.
"""

from collections.abc import Sequence
import dataclasses
from typing import Annotated

from il_ros.contract.contract import Contract, TOOL_VELOCITY
from il_ros.dataset.dataset import Demonstrations
from il_ros.errors import InputsError, TrainConfigError
from il_ros.learning.inputs import Inputs
from il_ros.settings import Settings
from msgspec import Meta
import numpy as np

TOOL, GOAL, POSITION, JOINTS = 'tool_position', 'goal_position', '_position', 'joint_'
AXES = ('linear_x', 'linear_y', 'linear_z')


@dataclasses.dataclass(frozen=True)
class Shift(Settings, refusal=TrainConfigError, title='shift.'):
    """How far, how often, and where."""

    sd_m: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.012
    """Of the offset along each axis that the actions have."""

    copies: Annotated[int, Meta(ge=1, le=100)] = 1
    """Synthetic pairs a recorded one, at most."""

    recover_s: Annotated[float, Meta(ge=0.01, le=60.0)] = 0.5
    """Time in which the offset would be undone."""

    clear_m: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.1
    """Least distance of every object from the tool."""


def shifted(data: Demonstrations, inputs: Inputs, shift: Shift, seed: int) -> Demonstrations:
    """
    Return the synthetic pairs of recorded ones.

    :param inputs: of the policy: all of them must be known for a shifted tool
    :param seed: of the offsets
    :returns: observations and labels, inside the contract's bounds; perhaps none at all
    :raises InputsError: naming the input that cannot be shifted
    """
    contract = data.contract
    _refuse_unknown(contract, inputs)
    axes = [axis for axis, name in enumerate(AXES) if name in contract.action_names]
    columns = [contract.action_names.index(AXES[axis]) for axis in axes]
    start = contract.feature(TOOL).start
    random = np.random.default_rng((seed, len(data)))
    observations, actions = [], []
    for _ in range(shift.copies):
        offset = np.zeros((len(data), 3), np.float32)
        offset[:, axes] = shift.sd_m * random.standard_normal((len(data), len(axes)))
        moved, wanted = data.observations.copy(), data.actions.copy()
        moved[:, start:start + 3] += offset
        wanted[:, columns] -= offset[:, axes] / shift.recover_s
        clear = _is_clear(contract, data.observations, shift.clear_m) & _is_clear(
            contract, moved, shift.clear_m)
        observations.append(moved[clear])
        actions.append(contract.clip(wanted[clear]).astype(np.float32))
    return Demonstrations(np.concatenate(observations), np.concatenate(actions), contract)


def augmented(data: Demonstrations, shift: Shift | None, inputs: Sequence[str],
              seed: int) -> Demonstrations:
    """
    Return the data with the synthetic pairs behind them; without ``shift`` the data themselves.

    :param inputs: of the policy that learns from them, as in ``TrainConfig``
    :raises InputsError: as ``shifted``
    """
    if shift is None:
        return data
    synthetic = shifted(data, Inputs(data.contract, inputs), shift, seed)
    return Demonstrations(np.concatenate([data.observations, synthetic.observations]),
                          np.concatenate([data.actions, synthetic.actions]), data.contract)


def _refuse_unknown(contract: Contract, inputs: Inputs):
    if contract.action_space != TOOL_VELOCITY:
        raise InputsError('shift moves the tool; expected actions that are its velocity')
    for name in inputs.features:
        if name.startswith(JOINTS):
            raise InputsError(f'shift does not know {name} for a tool that is elsewhere; expected '
                              'inputs without joints')


def _is_clear(contract: Contract, observations: np.ndarray, clear_m: float) -> np.ndarray:
    tool = contract.values(observations, TOOL)
    clear = np.ones(len(observations), bool)
    for feature in contract.features:
        if feature.name.endswith(POSITION) and not feature.name.startswith((TOOL, GOAL, JOINTS)):
            place = contract.values(observations, feature.name)
            clear &= np.linalg.norm(place - tool, axis=1) > clear_m
    return clear
