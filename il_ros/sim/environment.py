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

"""The tasks as Gymnasium environments: the same simulation and limits as the ROS graph."""

from typing import Any

import gymnasium
from il_ros.data import spec
from il_ros.data.contract_file import load_contract
from il_ros.robots.actuation import Actuator
from il_ros.share import share_path
from il_ros.sim.observation import Observer
from il_ros.sim.simulation import Simulation
import numpy as np


class Environment(gymnasium.Env):
    """
    One task as a Gymnasium environment.

    Observations are ``Observation.values`` and actions ``Action.values`` of the task's contract,
    in its units. An episode equals that of the ROS graph in lockstep, bit for bit.
    """

    metadata = {'render_modes': ['rgb_array'], 'render_fps': 20}

    def __init__(self, task: str, render_mode: str | None = None, width: int = 320,
                 height: int = 240):
        """
        Build the simulation of a task and read its contract.

        :param render_mode: None or ``'rgb_array'``
        """
        self.contract, sources = load_contract(share_path('config', 'contracts', f'{task}.yaml'))
        self.render_mode = render_mode
        self._size = (width, height)
        self.simulation = Simulation(task, self.contract.rate)
        robot = self.simulation.robot
        self._observer = Observer(robot, self.contract, sources)
        self._actuator = Actuator(robot, self.contract, 1.0 / self.contract.rate,
                                  self.simulation.kinematics)
        self.observation_space = gymnasium.spaces.Box(
            -np.inf, np.inf, (self.contract.width,), np.float32)
        self.action_space = gymnasium.spaces.Box(self.contract.lower, self.contract.upper)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        """
        Start an episode.

        :param seed: the episode's; None: the next one that the environment's generator draws
        :param options: ``horizon``, ``continuing`` and ``options`` of ``Simulation.reset``
        """
        super().reset(seed=seed)
        if seed is None:
            seed = int(self.np_random.integers(2**32))
        self.state = self.simulation.reset(seed, **(options or {}))
        self._actuator.start(self.state.joint_position)
        return self._observer.observe(self.state), self._info(0)

    def step(self, action: np.ndarray):
        """Execute one action; the reward is 1 for a reached goal, otherwise 0."""
        sent = self._actuator.step(action, self.state.joint_position)
        self.sent = sent
        self.state = state = self.simulation.step(sent.positions)
        return (self._observer.observe(state), float(state.success),
                state.end == spec.TERMINATED, state.end == spec.TRUNCATED,
                self._info(sent.limits))

    def render(self) -> np.ndarray | None:
        """Return a picture, shape ``(height, width, 3)``, uint8; None without a render mode."""
        if self.render_mode is None:
            return None
        return self.simulation.render(*self._size)

    def close(self):
        """Give PyBullet's memory back."""
        self.simulation.close()

    def _info(self, limits: int) -> dict[str, Any]:
        state = self.state
        return {'success': state.success, 'cause': state.cause, 'limits': limits,
                'goals_reached': state.goals_reached}
