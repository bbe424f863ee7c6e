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

"""A table with a robot on it in PyBullet: one client, built once, set back for each episode."""

from collections.abc import Callable
import os
import sys
import weakref

from il_ros.errors import SimulationError
from il_ros.robots.bullet import pybullet
from il_ros.robots.kinematics import find_joints, load_arm
from il_ros.robots.model import RobotModel
from il_ros.tasks.scene import Reading, Shape
import numpy as np
import pybullet_data

_TABLE_HEIGHT_M = 0.625
_FINGER_FRICTION = 1.5
_GEAR_FORCE_N = 50.0
_COUPLING_NM = 50.0
_GRAVITY_M_S2 = -9.81
_PLATE_M = 0.001
"""Half the thickness of a goal's plate on the table, and the height at which it lies."""

_STALK_RADIUS_M = 0.005
_STALK_M = 0.4
"""Length of the stalk below a goal in the air; what of it is below the table is hidden."""

_GOAL_COLOUR = (0.05, 0.75, 0.15, 1.0)
Drive = Callable[[np.ndarray, np.ndarray], np.ndarray]

_POSITION_GAIN = 0.5
"""Share of the error to the interpolated target that a motor corrects in one physics step."""


class World:
    """The physics of an episode; it knows nothing of tasks."""

    def __init__(self, robot: RobotModel, shapes: tuple[Shape, ...], goal_radius_m: float,
                 physics_hz: float, gui: bool = False,
                 goal_plate_m: tuple[float, float] | None = None, coarse: bool = False):
        """
        Build table, arm, objects and the goal's marker in a PyBullet client of their own.

        :param goal_plate_m: half lengths of a plate on the table that marks the goal and that an
            object on it does not hide; None: a ball of the goal's radius on a stalk, whose foot
            shows how far off it is
        :param coarse: as in ``urdf.loadable``
        """
        # Without a display PyBullet ends the process instead of returning.
        if gui and sys.platform == 'linux' and not os.environ.get('DISPLAY'):
            raise SimulationError('PyBullet opens no window without a display (DISPLAY is not '
                                  'set); run without gui')
        self.robot = robot
        self.client = pybullet.connect(pybullet.GUI if gui else pybullet.DIRECT)
        if self.client < 0:
            raise SimulationError('PyBullet refuses a new world; close one first')
        # A world that nobody closed keeps 190 MB otherwise.
        self._disconnect = weakref.finalize(self, pybullet.disconnect, self.client)
        self._shapes = shapes
        self._goal_radius_m = goal_radius_m
        self._goal_plate_m = goal_plate_m
        self._coarse = coarse
        self._time_step_s = 1.0 / physics_hz
        self.rebuild()

    def rebuild(self):
        """Make everything anew, for tasks whose reset would remember the episode before."""
        client = self.client
        pybullet.resetSimulation(physicsClientId=client)
        pybullet.setGravity(0.0, 0.0, _GRAVITY_M_S2, physicsClientId=client)
        pybullet.setPhysicsEngineParameter(
            fixedTimeStep=self._time_step_s, deterministicOverlappingPairs=1,
            physicsClientId=client)
        pybullet.loadURDF(os.path.join(pybullet_data.getDataPath(), 'table', 'table.urdf'),
                          (0.5, 0.0, -_TABLE_HEIGHT_M), useFixedBase=True, physicsClientId=client)
        self._body = load_arm(self.robot, client, self._coarse)
        self._joints, self._tool = find_joints(self._body, self.robot, client)
        self._efforts = self.robot.effort.tolist()
        self._gains = [_POSITION_GAIN] * len(self._joints)
        self._coupled = _Coupled(self._body, self.robot, self._joints, client)
        self._finish_hand()
        self._objects = [self._make_object(shape) for shape in self._shapes]
        self._markers = self._make_markers()

    def reset(self, q: np.ndarray, positions: np.ndarray, orientations: np.ndarray,
              goal: np.ndarray, goal_orientation: np.ndarray) -> Reading:
        """
        Set arm, objects and goal to where an episode starts, at rest.

        :param q: joint positions, shape ``(n,)``
        :param positions: of the objects, shape ``(objects, 3)``
        :param orientations: of the objects, shape ``(objects, 4)``
        :param goal: shape ``(3,)``
        :param goal_orientation: shape ``(4,)``
        """
        pybullet.resetJointStatesMultiDof(
            self._body, self._joints, [(x,) for x in q.tolist()],
            [(0.0,)] * len(self._joints), physicsClientId=self.client)
        self._coupled.reset(q)
        for index in range(len(self._objects)):
            self.place(index, positions[index], orientations[index])
        self.mark_goal(goal, goal_orientation)
        self._commanded = q.copy()
        return self.read()

    def place(self, index: int, position: np.ndarray, orientation: np.ndarray):
        """Put an object somewhere, at rest."""
        body = self._objects[index]
        pybullet.resetBasePositionAndOrientation(
            body, position.tolist(), orientation.tolist(), physicsClientId=self.client)
        pybullet.resetBaseVelocity(body, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0),
                                   physicsClientId=self.client)

    def kick(self, index: int, velocity: np.ndarray):
        """Make an object faster by a velocity, shape ``(3,)``, m/s."""
        body = self._objects[index]
        linear, angular = pybullet.getBaseVelocity(body, physicsClientId=self.client)
        pybullet.resetBaseVelocity(body, (np.array(linear) + velocity).tolist(), angular,
                                   physicsClientId=self.client)

    def mark_goal(self, goal: np.ndarray, orientation: np.ndarray):
        """Move the goal's marker, which nothing collides with; a plate is turned, too."""
        x, y, z = goal.tolist()
        turned = orientation.tolist() if self._goal_plate_m else (0.0, 0.0, 0.0, 1.0)
        for body, above_m in self._markers:
            height_m = _PLATE_M if self._goal_plate_m else z + above_m
            pybullet.resetBasePositionAndOrientation(
                body, (x, y, height_m), turned, physicsClientId=self.client)

    def step(self, targets: np.ndarray, substeps: int) -> Reading:
        """
        Drive the joints to ``targets`` in ``substeps`` physics steps, at an even pace.

        The driver interpolates, as that of a real arm does: the joint's target moves on with
        each physics step from the last command to this one.
        """
        client, step_s = self.client, self._time_step_s
        command, advance = pybullet.setJointMotorControlArray, pybullet.stepSimulation
        body, joints, mode = self._body, self._joints, pybullet.POSITION_CONTROL
        efforts, gains = self._efforts, self._gains
        increment = (targets - self._commanded) / substeps
        velocities = (increment / step_s).tolist()
        path = self._commanded + np.arange(1, substeps + 1)[:, None] * increment
        coupled = self._coupled if self.robot.followers else None
        for positions in path.tolist():
            command(body, joints, mode, targetPositions=positions, targetVelocities=velocities,
                    forces=efforts, positionGains=gains, physicsClientId=client)
            if coupled is not None:
                coupled.follow()
            advance(physicsClientId=client)
        self._commanded = targets
        return self.read()

    def follow(self, drive: Drive, substeps: int) -> Reading:
        """
        Ask before each of ``substeps`` physics steps where the joints are to go in it.

        :param drive: is given the measured joint positions and velocities, each of shape
            ``(n,)``, and returns the joint targets of the step
        """
        client, step_s = self.client, self._time_step_s
        for _ in range(substeps):
            joints = pybullet.getJointStates(self._body, self._joints, physicsClientId=client)
            targets = drive(np.array([joint[0] for joint in joints]),
                            np.array([joint[1] for joint in joints]))
            pybullet.setJointMotorControlArray(
                self._body, self._joints, pybullet.POSITION_CONTROL,
                targetPositions=targets.tolist(),
                targetVelocities=((targets - self._commanded) / step_s).tolist(),
                forces=self._efforts, positionGains=self._gains, physicsClientId=client)
            pybullet.stepSimulation(physicsClientId=client)
            self._commanded = targets
        return self.read()

    def read(self) -> Reading:
        """Read the joints, the tool and the objects."""
        client = self.client
        joints = pybullet.getJointStates(self._body, self._joints, physicsClientId=client)
        tool = pybullet.getLinkState(self._body, self._tool, computeForwardKinematics=1,
                                     physicsClientId=client)
        poses = [pybullet.getBasePositionAndOrientation(body, physicsClientId=client)
                 for body in self._objects]
        count = len(poses)
        positions = np.array([joint[0] for joint in joints])
        return Reading(
            joint_position=positions,
            joint_velocity=np.array([joint[1] for joint in joints]),
            opening_m=self.robot.opening(positions), tool_position=np.array(tool[4]),
            tool_orientation=np.array(tool[5]),
            object_positions=np.array([pose[0] for pose in poses]).reshape(count, 3),
            object_orientations=np.array([pose[1] for pose in poses]).reshape(count, 4))

    def close(self):
        """Disconnect from PyBullet."""
        self._disconnect()
        self.client = -1

    def _finish_hand(self):
        """Tie two fingers together, for two free motors let a held object float; let them grip."""
        fingers = self._joints[self.robot.fingers]
        if len(fingers) == 2:
            left, right = fingers
            gear = pybullet.createConstraint(
                self._body, left, self._body, right, pybullet.JOINT_GEAR, (1.0, 0.0, 0.0),
                (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), physicsClientId=self.client)
            pybullet.changeConstraint(gear, gearRatio=-1.0, erp=0.1, maxForce=_GEAR_FORCE_N,
                                      physicsClientId=self.client)
        for link in (*fingers, *self._coupled.joints):
            pybullet.changeDynamics(self._body, link, lateralFriction=_FINGER_FRICTION,
                                    physicsClientId=self.client)

    def _make_object(self, shape: Shape) -> int:
        client = self.client
        collision, visual = _geometry(shape)
        if shape.kind == 'socket':
            collision_id = pybullet.createCollisionShapeArray(**collision, physicsClientId=client)
            visual_id = pybullet.createVisualShapeArray(
                **visual, rgbaColors=[shape.colour] * len(visual['shapeTypes']),
                physicsClientId=client)
        else:
            collision_id = pybullet.createCollisionShape(**collision, physicsClientId=client)
            visual_id = pybullet.createVisualShape(
                **visual, rgbaColor=shape.colour, physicsClientId=client)
        body = pybullet.createMultiBody(shape.mass_kg, collision_id, visual_id,
                                        physicsClientId=client)
        pybullet.changeDynamics(
            body, -1, lateralFriction=shape.friction, linearDamping=shape.linear_damping,
            angularDamping=shape.angular_damping, physicsClientId=client)
        return body

    def _make_markers(self) -> list[tuple[int, float]]:
        """Return the bodies that show the goal, each with its height above it, m."""
        if self._goal_plate_m:
            plate = self._make_marker(pybullet.GEOM_BOX,
                                      halfExtents=(*self._goal_plate_m, _PLATE_M))
            return [(plate, 0.0)]
        ball = self._make_marker(pybullet.GEOM_SPHERE, radius=self._goal_radius_m)
        stalk = self._make_marker(pybullet.GEOM_CYLINDER, radius=_STALK_RADIUS_M, length=_STALK_M)
        return [(ball, 0.0), (stalk, -_STALK_M / 2)]

    def _make_marker(self, kind: int, **shape) -> int:
        visual = pybullet.createVisualShape(kind, rgbaColor=_GOAL_COLOUR,
                                            physicsClientId=self.client, **shape)
        return pybullet.createMultiBody(0.0, -1, visual, physicsClientId=self.client)


class _Coupled:
    """The joints that the hardware couples to the fingers' (``RobotModel.followers``)."""

    def __init__(self, body: int, robot: RobotModel, joints: list[int], client: int):
        self._body, self._client, self._robot = body, client, robot
        names = {pybullet.getJointInfo(body, index, physicsClientId=client)[1].decode(): index
                 for index in range(pybullet.getNumJoints(body, physicsClientId=client))}
        self.joints = [names[one.name] for one in robot.followers]
        self._leaders = [joints[one.leader] for one in robot.followers]
        self._forces = [_COUPLING_NM] * len(self.joints)

    def reset(self, q: np.ndarray):
        """Set them to where they are when the arm's joints are at ``q``."""
        for joint, one in zip(self.joints, self._robot.followers):
            pybullet.resetJointState(
                self._body, joint, one.multiplier * float(q[one.leader]) + one.offset, 0.0,
                physicsClientId=self._client)

    def follow(self):
        """Send them to where their leaders have come: an object stops both sides of a hand."""
        states = pybullet.getJointStates(self._body, self._leaders, physicsClientId=self._client)
        followers = self._robot.followers
        pybullet.setJointMotorControlArray(
            self._body, self.joints, pybullet.POSITION_CONTROL,
            targetPositions=[one.multiplier * state[0] + one.offset
                             for one, state in zip(followers, states)],
            targetVelocities=[one.multiplier * state[1] for one, state in zip(followers, states)],
            forces=self._forces, physicsClientId=self._client)


def _geometry(shape: Shape) -> tuple[dict, dict]:
    """Return PyBullet's arguments for the collision and the visual shape."""
    if shape.kind == 'box':
        box = {'shapeType': pybullet.GEOM_BOX, 'halfExtents': shape.size_m}
        return box, box
    if shape.kind == 'cylinder':
        radius, height = shape.size_m
        return ({'shapeType': pybullet.GEOM_CYLINDER, 'radius': radius, 'height': height},
                {'shapeType': pybullet.GEOM_CYLINDER, 'radius': radius, 'length': height})
    hole, block, height = shape.size_m
    middle, wall = (block + hole) / 2.0, (block - hole) / 2.0
    boxes = {'shapeTypes': [pybullet.GEOM_BOX] * 4,
             'halfExtents': [(wall, block, height)] * 2 + [(hole, wall, height)] * 2}
    places = [(middle, 0.0, 0.0), (-middle, 0.0, 0.0), (0.0, middle, 0.0), (0.0, -middle, 0.0)]
    return ({**boxes, 'collisionFramePositions': places},
            {**boxes, 'visualFramePositions': places})
