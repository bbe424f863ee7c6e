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

"""A recorded episode once more in the simulator, to look at."""

from il_ros.data.episode import Episode
from il_ros.sim.simulation import Simulation
import numpy as np

WIDTH, HEIGHT = 320, 240


def replay_frames(episode: Episode, every: int, width: int = WIDTH,
                  height: int = HEIGHT) -> list[np.ndarray]:
    """
    Repeat an episode's joint commands from its seed and take a picture every few steps.

    :param every: steps from one picture to the next; the last state is always among them
    :returns: pictures of shape ``(height, width, 3)``, uint8
    :raises SimulationError: if the episode's task is not one of the simulator's
    """
    spec = episode.spec
    simulation = Simulation(spec.task, rate_hz=episode.contract.rate)
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
