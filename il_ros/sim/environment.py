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

import dataclasses
from typing import Any

import gymnasium
from il_ros.contract import episode_spec as spec
from il_ros.contract.contract_file import Source
from il_ros.contract.observation import VALUES
from il_ros.robots.actions.actuator import Actuator, TRACKING_LIMIT_RAD
from il_ros.sim.observation import ImageObserver, Observer, refuse_missing_objects
from il_ros.sim.simulation import Simulation
from il_ros.sim.state import State
from il_ros.tasks.contracts import contract_name, find_contract, robot_of
import numpy as np


class Environment(gymnasium.Env):
    """
    One task as a Gymnasium environment.

    Observations are ``Observation.values`` and actions ``Action.values`` of the task's contract,
    in its units. An episode equals that of the ROS graph in lockstep, bit for bit. With a contract
    that has images an observation is a dictionary: ``values``, as above, and each image by the
    name of its feature, shape ``(height, width, 3)``, uint8.
    """

    metadata = {'render_modes': ['rgb_array'], 'render_fps': 20}

    def __init__(self, task: str, render_mode: str | None = None, width: int = 320,
                 height: int = 240, contract: str = '', robot: str = ''):
        """
        Build the simulation of a task and read its contract.

        :param render_mode: None or ``'rgb_array'``
        :param contract: a file, or a task's name, with _image for images; '': the task's own
        :param robot: name of a robot, ``module:Object``, or a file; '': the contract's own
        :raises ContractError: if there is no such contract
        :raises RobotError: if there is no such robot, or the contract is for another one
        :raises SimulationError: naming a feature that the simulation does not offer
        """
        contract = contract_name(contract or task, robot)
        self.contract, sources = find_contract(contract)
        self.render_mode = render_mode
        self._size = (width, height)
        model = robot_of(contract)
        self.simulation = Simulation(task, self.contract.rate, robot=model)
        refuse_missing_objects(sources, self.simulation.task)
        self._observer = Observer(model, self.contract, sources, self.simulation.kinematics)
        self._images: ImageObserver | None = None
        self._actuator = Actuator(model, self.contract, 1.0 / self.contract.rate,
                                  self.simulation.kinematics)
        self.observation_space = gymnasium.spaces.Box(
            -np.inf, np.inf, (self.contract.width,), np.float32)
        if self.contract.images:
            self._add_images(sources)
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
        return self.observe(self.state), self._info(0)

    def step(self, action: np.ndarray):
        """
        Execute one action; the reward is 1 for a reached goal, otherwise 0.

        An arm that does not follow ends the episode, as it does in the graph: cause ``FAULT``.
        """
        sent = self._actuator.step(action, self.state.joint_position)
        self.sent = sent
        self.state = self.simulation.step(sent.positions)
        error_rad, _ = self._actuator.tracking_error(self.state.joint_position)
        if error_rad > TRACKING_LIMIT_RAD and self.state.end == spec.NOT_ENDED:
            self.state = dataclasses.replace(self.state, end=spec.TERMINATED, cause=spec.FAULT)
        return (self.observe(self.state), float(self.state.success),
                self.state.end == spec.TERMINATED, self.state.end == spec.TRUNCATED,
                self._info(sent.limits))

    def _add_images(self, sources: tuple[Source, ...]):
        self._images = ImageObserver(self.contract, sources, self.simulation.camera_image)
        boxes = {feature.name: gymnasium.spaces.Box(0, 255, feature.shape, np.uint8)
                 for feature in self.contract.images}
        self.observation_space = gymnasium.spaces.Dict(
            {VALUES: self.observation_space, **boxes})

    def observe(self, state: State) -> np.ndarray | dict[str, np.ndarray]:
        """Return the observation of the simulation's present state."""
        values = self._observer.observe(state)
        if self._images is None:
            return values
        return {VALUES: values, **self._images.observe(state.step)}

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
