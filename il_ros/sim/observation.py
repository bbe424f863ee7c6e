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

"""From a simulated state to the vector that ``Observation.values`` carries."""

from collections.abc import Callable

from il_ros.data.contract import Contract, VALUES
from il_ros.data.contract_file import Source
from il_ros.robots.model import RobotModel
from il_ros.sim.errors import SimulationError
from il_ros.sim.state import State
import numpy as np


class Observer:
    """
    The observer node's job without messages: the same numbers in the same order.

    Everything is float64 until the very end, as in the messages, and float32 afterwards.
    """

    def __init__(self, robot: RobotModel, contract: Contract, sources: tuple[Source, ...]):
        """
        Prepare for a contract.

        :raises SimulationError: naming a feature that the simulation does not offer
        """
        self._readers = tuple(
            _reader(robot, source) for feature, source in zip(contract.features, sources)
            if feature.kind == VALUES)
        self._width = contract.width

    def observe(self, state: State) -> np.ndarray:
        """Return the observation of a state, shape ``(width,)``, float32."""
        return np.concatenate([read(state) for read in self._readers], dtype=np.float32,
                              casting='same_kind')


def _reader(robot: RobotModel, source: Source) -> Callable[[State], np.ndarray]:
    if source.topic == 'joint_states':
        return _joint_reader(robot, source)
    fields = {
        ('tool_pose', 'position'): lambda state: state.tool_position,
        ('tool_pose', 'orientation'): lambda state: state.tool_orientation,
        ('object_poses', 'position'): lambda state: state.object_positions[source.index],
        ('object_poses', 'orientation'): lambda state: state.object_orientations[source.index],
        ('goal_pose', 'position'): lambda state: state.goal_position,
    }
    if (source.topic, source.field) not in fields:
        raise SimulationError(f'feature {source.feature}: the simulation offers no {source.field} '
                              f'of {source.topic}')
    return fields[source.topic, source.field]


def _joint_reader(robot: RobotModel, source: Source) -> Callable[[State], np.ndarray]:
    missing = [joint for joint in source.joints if joint not in robot.joint_names]
    if missing or source.field not in ('position', 'velocity'):
        raise SimulationError(f'feature {source.feature}: the simulation offers no {source.field} '
                              f'of {missing or source.joints}')
    attribute = f'joint_{source.field}'
    indices = [robot.joint_names.index(joint) for joint in source.joints]
    if source.reduce:
        return lambda state: np.array(
            [sum(float(getattr(state, attribute)[index]) for index in indices)])
    if indices == list(range(indices[0], indices[-1] + 1)):
        part = slice(indices[0], indices[-1] + 1)
        return lambda state: getattr(state, attribute)[part]
    return lambda state: getattr(state, attribute)[indices]
