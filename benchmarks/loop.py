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
The loop in one process without ROS, and the physics and kinematics that nobody can leave out.

Both run in a child process: ``python -m benchmarks.loop TASK CHECKPOINT``.
"""

import hashlib
from pathlib import Path
import sys
import time

from benchmarks.child import Parent
from benchmarks.size import specs
from il_ros.contract.episode_spec import EpisodeSpec, EXPERT, POLICY
from il_ros.driving.driving import Driving
from il_ros.learning import checkpoint
from il_ros.learning.runner import Runner
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.model import DEFAULT, find_robot
from il_ros.sim.environment import Environment
from il_ros.sim.state import State
from il_ros.sim.world import World
from il_ros.tasks.expert_registry import make_expert
import numpy as np


class Loop:
    """The Gymnasium environment, asked of policy and expert at each step."""

    def __init__(self, task: str, folder: Path):
        self._task = task
        self._environment = Environment(task)
        contract = self._environment.contract
        self._runner = Runner(checkpoint.load(folder))
        self._expert = make_expert(task, contract)
        self._physics = PhysicsOnly(self._environment)
        self._episodes: list[tuple[State, list[np.ndarray]]] = []

    def run(self, seeds: list[int], horizon: int) -> dict:
        """
        Run episodes.

        :returns: steps and seconds from the first action of each episode to its last one, and
            the hash of all that was observed
        """
        self._episodes.clear()
        steps, seconds, digest = 0, 0.0, hashlib.sha256()
        for spec in specs(self._task, seeds, horizon):
            observations, taken_s = self._episode(spec)
            digest.update(observations.tobytes())
            steps += len(observations) - 2
            seconds += taken_s
        return {'steps': steps, 'seconds': seconds, 'observed': digest.hexdigest()}

    def _episode(self, spec: EpisodeSpec) -> tuple[np.ndarray, float]:
        environment, runner, expert = self._environment, self._runner, self._expert
        observation, _ = environment.reset(seed=spec.seed, options={
            'horizon': spec.horizon, 'continuing': spec.continuing})
        driving = Driving(spec.plan, spec.episode_id, environment.contract)
        observations, sent, over, began_s = [observation], [], False, None
        start = environment.state
        runner.begin(spec.episode_id)
        while not over:
            choice = driving.choose({EXPERT: expert.act(observation),
                                     POLICY: runner.act(len(observations), observation)})
            if choice.chosen != POLICY:
                runner.discard_plan()
            acted_s = time.perf_counter()
            began_s = acted_s if began_s is None else began_s
            observation, _, terminated, truncated, _ = environment.step(choice.action)
            over = terminated or truncated
            observations.append(observation)
            sent.append(environment.sent.positions)
        self._episodes.append((start, sent))
        return np.array(observations), acted_s - began_s

    def bare(self) -> dict:
        """Repeat the last run's motions with nothing but physics and kinematics."""
        steps, seconds = 0, 0.0
        for start, sent in self._episodes:
            steps += len(sent)
            seconds += self._physics.replay(start, sent)
        return {'steps': steps, 'seconds': seconds}


class PhysicsOnly:
    """Motor commands, physics steps, the state read back, and one inverse kinematics a step."""

    def __init__(self, environment: Environment):
        simulation = environment.simulation
        task = simulation.task
        self._substeps = simulation.substeps
        robot = find_robot(DEFAULT)
        self._world = World(robot, task.shapes, task.goal_radius_m, simulation.physics_hz)
        self._kinematics = Kinematics(robot)

    def replay(self, start: State, sent: list[np.ndarray]) -> float:
        """
        Send an episode's joint targets once more.

        :returns: the seconds that it took, its reset left out
        """
        world, inverse = self._world, self._kinematics.inverse
        world.reset(start.joint_position, start.object_positions, start.object_orientations,
                    start.goal_position, start.goal_orientation)
        before = [start.joint_position, *sent[:-1]]
        questions = [(*self._kinematics.forward(q), q0) for q, q0 in zip(sent, before)]
        began_s = time.perf_counter()
        for targets, question in zip(sent, questions):
            inverse(*question)
            world.step(targets, self._substeps)
        return time.perf_counter() - began_s


def main(words: list[str]) -> int:
    """Serve requests ``{"do": "run" | "bare", ...}`` until the input ends."""
    parent = Parent()
    loop = Loop(words[0], Path(words[1]))
    return parent.serve(lambda request: (
        loop.run(**request) if request.pop('do') == 'run' else loop.bare()))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
