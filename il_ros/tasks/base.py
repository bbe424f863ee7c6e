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

"""What a task is: where an episode starts, and when it is done."""

import abc
import dataclasses
import functools
import math

from il_ros.contract.layout import GoalOrientation, GoalPosition, ObjectPose, ToolVelocity
from il_ros.errors import RobotError
from il_ros.robots.model import RobotModel
from il_ros.tasks.expert import Expert
from il_ros.tasks.scene import Reading, Shape
import numpy as np

UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])
OPEN = math.inf

_STARTS = 200
"""Episodes that are drawn to see where a task begins."""


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
    """Where everything stands when an episode starts."""

    tool_position: np.ndarray
    """Shape ``(3,)``, m; the tool points down."""
    opening_m: float
    """Sum of the finger positions; ``OPEN``: as far as the robot's hand opens."""
    object_positions: np.ndarray
    """Shape ``(objects, 3)``, m."""
    object_orientations: np.ndarray
    """Shape ``(objects, 4)``, x y z w."""
    goal_position: np.ndarray
    """Shape ``(3,)``, m."""
    goal_orientation: np.ndarray = dataclasses.field(default_factory=UPRIGHT.copy)
    """Shape ``(4,)``, x y z w."""
    tool_yaw: float = 0.0
    """How far the tool is turned about z, from the robot's ``tool_down``, rad."""


@dataclasses.dataclass(frozen=True)
class TaskResult:
    """The result of a task for one state."""

    success: bool = False
    lost: bool = False


class Task(abc.ABC):
    """
    One task; how its policies are trained stands in ``training.yaml`` beside its module.

    It holds no more of an episode than its goal and what it counts towards success.

    Chance comes from the generator that ``sample`` and ``resample`` are handed, physics never
    from here: a task is plain numpy and is tested without PyBullet.
    """

    name: str
    """Also that of its contract, which is composed from the robot, ``features``, ``actions``."""
    features: tuple[ObjectPose | GoalPosition | GoalOrientation, ...] = ()
    """What is observed besides the robot's own: the objects, as in ``shapes``, and the goal."""
    actions = ToolVelocity('xyz')
    """What is commanded."""
    horizon: int
    """Control steps after which an episode is truncated, unless it asks for another number."""
    goal_radius_m: float
    """Success is nearer to the goal than this."""
    shapes: tuple[Shape, ...] = ()
    """The objects, in the order of ``object_poses``."""
    options: tuple[str, ...] = ()
    """Keys that an episode's options may have, besides those of every task."""
    goal_on_table = False
    """All goals lie on the table; they are shown by a plate, otherwise by a ball."""
    grasped_at_reset = False
    """The hand holds an object at reset: the world is built anew for each episode."""
    expert: type[Expert] | None = None
    """Who demonstrates it, where no expert of the task's name is registered."""

    @property
    def goal_plate_m(self) -> tuple[float, float] | None:
        """Return the half lengths of the goal's plate, m; the first object's if it has a yaw."""
        if not self.goal_on_table:
            return None
        if GoalOrientation() in self.features:
            length, width = self.shapes[0].size_m[:2]
            return length, width
        return 1.6 * self.goal_radius_m, 1.6 * self.goal_radius_m

    @property
    def free_objects(self) -> tuple[int, ...]:
        """Return the indices of the objects that neither the hand holds nor the table."""
        if self.grasped_at_reset:
            return ()
        return tuple(index for index, shape in enumerate(self.shapes) if shape.mass_kg > 0.0)

    @abc.abstractmethod
    def sample(self, rng: np.random.Generator) -> Scene:
        """Draw the start of an episode."""

    @abc.abstractmethod
    def resample(self, rng: np.random.Generator, reading: Reading) -> Scene:
        """
        Draw what comes after a success of an episode that continues.

        Of the scene only the objects (where they differ from the reading) and the goal count.
        """

    @abc.abstractmethod
    def evaluate(self, reading: Reading, goal: np.ndarray) -> TaskResult:
        """Say whether the goal is reached or the object is lost; called once a control step."""


@functools.cache
def tool_starts(kind: type[Task]) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of the box in which a task's episodes start with the tool, m."""
    places = np.array([kind().sample(np.random.default_rng(seed)).tool_position
                       for seed in range(_STARTS)])
    return places.min(axis=0), places.max(axis=0)


def fits(task: Task, robot: RobotModel) -> bool:
    """Tell whether a robot's workspace holds the places where a task starts."""
    lower, upper = tool_starts(type(task))
    return bool(((robot.workspace_lower <= lower) & (upper <= robot.workspace_upper)).all())


def refuse_outside(task: Task, robot: RobotModel):
    """
    Refuse a task whose episodes start outside a robot's workspace.

    :raises RobotError: naming both boxes
    """
    if not fits(task, robot):
        lower, upper = tool_starts(type(task))
        raise RobotError(
            f'{task.name} starts with the tool from {lower.round(2).tolist()} to '
            f'{upper.round(2).tolist()}, and the workspace of {robot.name} goes from '
            f'{robot.workspace_lower.tolist()} to {robot.workspace_upper.tolist()}; change '
            'workspace and base_position in its file, as the check of the robot says')


def uniform(rng: np.random.Generator, lower, upper) -> np.ndarray:
    """Draw a point in a box."""
    return np.asarray(lower) + rng.random(len(lower)) * np.subtract(upper, lower)


def near(rng: np.random.Generator, centre: np.ndarray, nearest_m: float, farthest_m: float,
         lower, upper) -> np.ndarray:
    """Draw a point in a box whose distance from ``centre`` lies in a range."""
    while True:
        point = uniform(rng, lower, upper)
        if nearest_m <= float(np.linalg.norm(point - centre)) <= farthest_m:
            return point
