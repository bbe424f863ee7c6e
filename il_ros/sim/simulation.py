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

"""One simulated robot with one task: episodes by seed, one control step at a time."""

import math

from il_ros.contract import episode_spec as spec
from il_ros.errors import SimulationError, TargetError
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.model import DEFAULT, find_robot, RobotModel
from il_ros.robots.rotations import rotated
from il_ros.sim.bumps import bumps_of
from il_ros.sim.camera import picture
from il_ros.sim.camera_scene import CameraScene
from il_ros.sim.options import task_options
from il_ros.sim.state import State
from il_ros.sim.world import Drive, Reading, World
from il_ros.tasks.base import refuse_outside, Scene, TaskResult
from il_ros.tasks.registry import make_task
import numpy as np

_LEAST_PHYSICS_HZ = 240


class Simulation:
    """
    Episodes of one task.

    An episode depends on the arguments of ``reset`` and the targets of ``step`` alone, bit for
    bit: nothing of the episodes before is left, and no clock and no global generator is read.
    """

    def __init__(self, task: str, rate_hz: float = 20.0, physics_hz: float | None = None,
                 gui: bool = False, robot: RobotModel | None = None):
        """
        Build the world of a task.

        :param rate_hz: control steps a second
        :param physics_hz: physics steps a second, a whole multiple of ``rate_hz``; None: the
            smallest one that is at least 240
        :param gui: open PyBullet's window
        :param robot: None: the one of all that names none
        :raises SimulationError: if there is no such task, or the rates do not fit
        """
        self.task = make_task(task)
        self.robot = robot = robot or find_robot(DEFAULT)
        self.substeps, self.physics_hz = _substeps(rate_hz, physics_hz)
        self.rate_hz = rate_hz
        self.dt_ns = round(1e9 / rate_hz)
        """Length of a control step, ns."""
        self._world = World(robot, self.task.shapes, self.task.goal_radius_m, self.physics_hz,
                            gui, self.task.goal_plate_m)
        self.kinematics = Kinematics(robot)
        self._camera_scene: CameraScene | None = None
        self._state: State | None = None

    def reset(self, seed: int, horizon: int = 0, continuing: bool = False,
              options: str = '') -> State:
        """
        Start an episode.

        :param seed: draws start, objects and goals
        :param horizon: steps until it is truncated; 0: the task's own
        :param continuing: a new goal after each success, instead of the end
        :param options: canonical JSON of the task's options; '': none
        :raises SimulationError: naming an option that the task does not have, or a wrong value
        :raises RobotError: if episodes start outside the robot's workspace
        """
        for name, value in (('seed', seed), ('horizon', horizon)):
            if value < 0:
                raise SimulationError(f'{name} is {value}; expected a natural number or 0')
        if seed > spec.LARGEST_SEED:
            raise SimulationError(f'seed is {seed}; expected at most {spec.LARGEST_SEED}')
        if self._state is None:
            refuse_outside(self.task, self.robot)
        bumps = bumps_of(task_options(self.task, options), seed)
        if self.task.grasped_at_reset:
            self._world.rebuild()
        self._rng, self._bumps = np.random.default_rng(seed), bumps
        self._continuing = continuing
        scene = self.task.sample(self._rng)
        self._goal, self._goal_orientation = scene.goal_position, scene.goal_orientation
        reading = self._world.reset(
            self._joints_of(scene), scene.object_positions, scene.object_orientations,
            scene.goal_position, scene.goal_orientation)
        self._state = self._as_state(reading, TaskResult(), 0, horizon or self.task.horizon, 0)
        return self._state

    def step(self, targets: np.ndarray) -> State:
        """
        Go on by one control step.

        :param targets: joint targets, shape ``(n,)``, float64, rad (fingers: m)
        :raises TargetError: if they are not finite or not as many as the robot has joints
        :raises SimulationError: if no episode is running
        """
        self._refuse_ended()
        targets = np.array(targets, float)
        if targets.shape != self.robot.home.shape or not math.isfinite(float(targets.sum())):
            raise TargetError(f'joint targets {targets.tolist()} are not '
                              f'{len(self.robot.joint_names)} finite numbers')
        if self._bumps is not None:
            targets = self._bumped(targets, self._bumps.draw())
        return self._after(self._world.step(targets, self.substeps))

    def follow(self, drive: Drive) -> State:
        """
        Go on by one control step, as an arm with a controller of its own does.

        :param drive: is asked for joint targets before each physics step (``World.follow``)
        :raises SimulationError: if no episode is running, or it has bumps
        """
        self._refuse_ended()
        if self._bumps is not None:
            raise SimulationError('an arm with a controller of its own takes no bumps; leave the '
                                  'option out')
        return self._after(self._world.follow(drive, self.substeps))

    def _refuse_ended(self):
        if self._state is None or self._state.end != spec.NOT_ENDED:
            raise SimulationError('no episode is running; reset the simulation first')

    def _after(self, reading: Reading) -> State:
        state = self._state
        assert state is not None, 'an episode is running'
        result = self.task.evaluate(reading, self._goal)
        if result.success and self._continuing:
            reading = self._go_on(reading)
        self._state = self._as_state(reading, result, state.step + 1, state.horizon,
                                     state.goals_reached + result.success)
        return self._state

    def render(self, width: int, height: int) -> np.ndarray:
        """Return a picture of the scene for people, shape ``(height, width, 3)``, uint8."""
        return picture(self._world.client, width, height)

    def camera_image(self, width: int, height: int) -> np.ndarray:
        """
        Return what the simulated camera sees, shape ``(height, width, 3)``, uint8, RGB.

        It depends on the state and the size alone.
        """
        if self._state is None:
            raise SimulationError('there is no picture yet; reset the simulation first')
        if self._camera_scene is None:
            self._camera_scene = CameraScene(self.robot, self.task, self.physics_hz)
        return self._camera_scene.image(self._state, width, height)

    def close(self):
        """Give PyBullet's memory back."""
        self._world.close()
        if self._camera_scene is not None:
            self._camera_scene.close()
        self.kinematics.close()

    def _bumped(self, targets: np.ndarray,
                bump: tuple[np.ndarray, float] | None) -> np.ndarray:
        """Kick an object if this step has a bump, or shove the tool: return its joint targets."""
        if bump is None:
            return targets
        velocity, choice = bump
        free = self.task.free_objects
        if free:
            self._world.kick(free[int(choice * len(free))], velocity)
            return targets
        position, orientation = self.kinematics.forward(targets)
        shoved = np.clip(position + velocity / self.rate_hz, self.robot.workspace_lower,
                         self.robot.workspace_upper)
        return self.kinematics.inverse(shoved, orientation, targets).q

    def _go_on(self, reading: Reading) -> Reading:
        """Set the next goal, and the object where it starts anew."""
        scene = self.task.resample(self._rng, reading)
        self._goal, self._goal_orientation = scene.goal_position, scene.goal_orientation
        self._world.mark_goal(self._goal, self._goal_orientation)
        if scene.object_positions is reading.object_positions:
            return reading
        moved = (scene.object_positions != reading.object_positions).any(axis=1)
        for index in np.flatnonzero(moved).tolist():
            self._world.place(index, scene.object_positions[index],
                              scene.object_orientations[index])
        return self._world.read()

    def _joints_of(self, scene: Scene) -> np.ndarray:
        turned = rotated(self.robot.tool_down, np.array([0.0, 0.0, scene.tool_yaw]))
        solution = self.kinematics.settled(scene.tool_position, turned)
        q = solution.q
        q[self.robot.fingers] = self.robot.finger_position(
            min(scene.opening_m, self.robot.open_width))
        return q

    def _as_state(self, reading: Reading, result: TaskResult, step: int, horizon: int,
                  goals: int) -> State:
        end, cause = spec.NOT_ENDED, spec.NO_CAUSE
        if result.lost:
            end, cause = spec.TERMINATED, spec.LOST
        elif result.success and not self._continuing:
            end, cause = spec.TERMINATED, spec.SUCCESS
        elif step >= horizon:
            end = spec.TRUNCATED
        return State(
            reading.joint_position, reading.joint_velocity, reading.tool_position,
            reading.tool_orientation, reading.object_positions, reading.object_orientations,
            self._goal, self._goal_orientation, result.success, end, cause, step, horizon, goals)


def _substeps(rate_hz: float, physics_hz: float | None) -> tuple[int, float]:
    """Return physics steps a control step, and a second."""
    if not (math.isfinite(rate_hz) and rate_hz > 0.0):
        raise SimulationError(f'rate is {rate_hz} Hz; expected a positive number')
    if physics_hz is None:
        substeps = math.ceil(_LEAST_PHYSICS_HZ / rate_hz)
        return substeps, substeps * rate_hz
    substeps = round(physics_hz / rate_hz)
    if substeps < 1 or abs(substeps * rate_hz - physics_hz) > 1e-9:
        raise SimulationError(f'physics rate {physics_hz} Hz is no whole multiple of the control '
                              f'rate {rate_hz} Hz')
    return substeps, physics_hz
