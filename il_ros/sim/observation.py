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

"""From a simulated state to the vector and the images that an ``Observation`` carries."""

from collections.abc import Callable

from il_ros.contract.contract import Contract, IMAGE, VALUES
from il_ros.contract.contract_file import Source
from il_ros.errors import SimulationError
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.model import RobotModel
from il_ros.sim.state import State
from il_ros.tasks.base import Task
import numpy as np


CAMERA_TOPIC = 'camera/image_raw'


class Observer:
    """
    The observer node's job without messages: the same numbers in the same order.

    Everything is float64 until the very end, as in the messages, and float32 afterwards.
    """

    def __init__(self, robot: RobotModel, contract: Contract, sources: tuple[Source, ...],
                 kinematics: Kinematics):
        """
        Prepare for a contract.

        :param kinematics: for a tool pose that is computed from the joints
        :raises SimulationError: naming a feature that the simulation does not offer
        """
        self._readers = tuple(
            _reader(robot, source, kinematics)
            for feature, source in zip(contract.features, sources) if feature.kind == VALUES)
        self._width = contract.width

    def observe(self, state: State) -> np.ndarray:
        """Return the observation of a state, shape ``(width,)``, float32."""
        return np.concatenate([read(state) for read in self._readers], dtype=np.float32,
                              casting='same_kind')


def refuse_missing_objects(sources: tuple[Source, ...], task: Task):
    """
    Refuse sources that want an object which a task does not have.

    :raises SimulationError: naming the feature
    """
    for source in sources:
        if source.topic == 'object_poses' and not 0 <= source.index < len(task.shapes):
            raise SimulationError(f'feature {source.feature} wants object {source.index}; the '
                                  f'task {task.name} has {len(task.shapes)}')


class ImageObserver:
    """
    Observer and camera of one contract: the same images as in the graph, bit for bit.

    :param take: width and height to a picture of the present state, as
        ``Simulation.camera_image``
    """

    def __init__(self, contract: Contract, sources: tuple[Source, ...],
                 take: Callable[[int, int], np.ndarray]):
        """
        Prepare for a contract.

        :raises SimulationError: naming an image that the simulated camera does not take
        """
        self._images = [(feature, source.every)
                        for feature, source in zip(contract.features, sources)
                        if feature.kind == IMAGE]
        for feature, source in zip(contract.features, sources):
            if feature.kind == IMAGE and (
                    source.topic != CAMERA_TOPIC or feature.encoding != 'rgb8'):
                raise SimulationError(
                    f'feature {feature.name}: the simulation offers no {feature.encoding} of '
                    f'{source.topic}, only rgb8 of {CAMERA_TOPIC}')
        self._take = take
        self._last: dict[str, np.ndarray] = {}

    def observe(self, step: int) -> dict[str, np.ndarray]:
        """
        Return the images by the names of their features, uint8, shape ``Feature.shape``.

        :param step: of the present state; between two images the last one stands
        """
        for feature, every in self._images:
            if step % every == 0:
                self._last[feature.name] = self._take(feature.width, feature.height)
        return dict(self._last)


def _reader(robot: RobotModel, source: Source,
            kinematics: Kinematics) -> Callable[[State], np.ndarray]:
    if source.kinematic:
        part = 0 if source.field == 'position' else 1
        return lambda state: kinematics.forward(state.joint_position)[part]
    if source.topic == 'joint_states':
        return _joint_reader(robot, source)
    fields = {
        ('tool_pose', 'position'): lambda state: state.tool_position,
        ('tool_pose', 'orientation'): lambda state: state.tool_orientation,
        ('object_poses', 'position'): lambda state: state.object_positions[source.index],
        ('object_poses', 'orientation'): lambda state: state.object_orientations[source.index],
        ('goal_pose', 'position'): lambda state: state.goal_position,
        ('goal_pose', 'orientation'): lambda state: state.goal_orientation,
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
            [source.summed(float(getattr(state, attribute)[index]) for index in indices)])
    if indices == list(range(indices[0], indices[-1] + 1)):
        part = slice(indices[0], indices[-1] + 1)
        return lambda state: getattr(state, attribute)[part]
    return lambda state: getattr(state, attribute)[indices]
