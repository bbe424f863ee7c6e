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


"""A recorded episode once more in the simulator: to look at, and to compare state by state."""

import dataclasses

from il_ros.contract.contract import VALUES
from il_ros.contract.contract_file import Source
from il_ros.contract.episode_spec import ABORTED, FAULT, OPERATOR
from il_ros.episodes.episode import Episode
from il_ros.errors import SimulationError
from il_ros.robots.model import find_robot
from il_ros.sim.observation import Observer
from il_ros.sim.simulation import Simulation
import numpy as np

WIDTH, HEIGHT = 320, 240


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How far the states of a replay are those that were recorded, bit for bit."""

    states: int
    """How many were compared, that of the reset included."""
    first_difference: int = -1
    """Step of the first state that differs; -1: none does."""
    sentence: str = ''
    """What differs there, with both values."""

    @property
    def identical(self) -> bool:
        """Tell whether nothing differs."""
        return self.first_difference < 0


def replay_frames(episode: Episode, every: int, width: int = WIDTH,
                  height: int = HEIGHT) -> list[np.ndarray]:
    """
    Repeat an episode's joint commands from its seed and take a picture every few steps.

    :param every: steps from one picture to the next; the last state is always among them
    :returns: pictures of shape ``(height, width, 3)``, uint8
    :raises SimulationError: if the episode's task is not one of the simulator's
    """
    spec = episode.spec
    simulation = Simulation(spec.task, episode.contract.rate,
                            robot=find_robot(episode.contract.robot))
    try:
        simulation.reset(spec.seed, spec.horizon, spec.continuing, spec.options)
        frames = [simulation.render(width, height)]
        for step, command in enumerate(episode.commands, start=1):
            simulation.step(command)
            if step % every == 0 or step == episode.steps:
                frames.append(simulation.render(width, height))
        return frames
    finally:
        simulation.close()


def compare_replay(simulation: Simulation, episode: Episode,
                   sources: tuple[Source, ...]) -> Comparison:
    """
    Repeat an episode's joint commands from its seed, and compare every state bit for bit.

    What is compared are the observations' values; images are not.

    :param simulation: of the episode's task and rate; what it did before does not matter
    :param sources: where the contract's features come from
    :raises SimulationError: if the episode has other joints, or features that the simulation
        does not offer
    """
    spec, contract = episode.spec, episode.contract
    observer = Observer(simulation.robot, contract, sources, simulation.kinematics)
    order = _joint_order(simulation, episode)
    state = simulation.reset(spec.seed, spec.horizon, spec.continuing, spec.options)
    compared = episode.steps + 1
    outside = episode.end == ABORTED or episode.cause in (OPERATOR, FAULT)
    if outside:
        compared -= 1  # who ends an episode from outside says the last state once more
    for step in range(compared):
        if step:
            state = simulation.step(episode.commands[step - 1][order])
        recorded, found = episode.observations[step], observer.observe(state)
        if recorded.tobytes() != found.tobytes():
            return Comparison(step + 1, step, _difference(episode, step, found))
    if episode.complete and not outside and (
            (state.end, state.cause) != (episode.end, episode.cause)):
        return Comparison(compared, compared - 1, (
            f'recorded as ended by {episode.end}, {episode.cause}; the replay says {state.end}, '
            f'{state.cause}'))
    return Comparison(compared)


def _joint_order(simulation: Simulation, episode: Episode) -> list[int]:
    names = simulation.robot.joint_names
    if episode.steps and sorted(episode.joint_names) != sorted(names):
        raise SimulationError(f'{episode.spec.episode_id} commands the joints '
                              f'{", ".join(episode.joint_names)}; the simulated arm has '
                              f'{", ".join(names)}')
    return [episode.joint_names.index(name) for name in names] if episode.steps else []


def _difference(episode: Episode, step: int, found: np.ndarray) -> str:
    recorded = episode.observations[step]
    unequal = np.flatnonzero(recorded.view(np.uint32) != found.view(np.uint32))
    index = int(unequal[0])
    feature = next(one for one in episode.contract.features
                   if one.kind == VALUES and one.start <= index < one.stop)
    element = feature.elements[index - feature.start]
    return (f'{feature.name}.{element} was {recorded[index]!s} and is {found[index]!s}; '
            f'{len(unequal)} of {len(recorded)} values differ')
