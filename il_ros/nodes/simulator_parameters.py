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

"""Parameters of the simulator node."""

import dataclasses

from il_ros.nodes import runtime
from il_ros.nodes.parameters import bounded, choice, flag, text


@dataclasses.dataclass(frozen=True)
class SimulatorParameters:
    """Parameters of the simulator node."""

    task: str = text('push', 'task, by its registered name')
    mode: str = choice('lockstep', ('lockstep', 'realtime'),
                       'lockstep: step when the command for this stamp arrives; realtime: at rate')
    rate_hz: float = bounded(20.0, 1.0, 200.0, 'control rate [Hz]')
    physics_hz: float = bounded(
        0.0, 0.0, 2000.0, 'physics rate [Hz], a whole multiple of the control rate; 0: about 240')
    gui: bool = flag(False, 'open the window of PyBullet')
    contract: str = text(
        '', 'contract whose images the camera takes, in their size; empty: no contract')
    camera: bool = flag(False, 'publish camera/image_raw and camera/camera_info also where no '
                               'contract wants them')
    camera_width: int = bounded(96, 16, 1920, 'width of the image without a contract [pixels]')
    camera_height: int = bounded(96, 16, 1080, 'height of the image without a contract [pixels]')
    camera_every: int = bounded(
        1, 1, 1000, 'an image every so many control steps, without a contract')
    command_timeout_s: float = bounded(
        0.5, 0.05, 5.0, 'realtime: hold when no command came for so long [s]')
    silence_s: float = bounded(
        10.0, 0.1, 3600.0, 'end an episode in which no command counted for so long; longer than '
        "the supervisor's silence_s [s]")
    absence_s: float = bounded(
        2.0, 0.1, 3600.0, 'end an episode when whoever commanded it is gone for so long, or a '
        'second node writes commands [s]')
    frame_id: str = text('panda_link0', 'frame of every pose')
    publish_clock: bool = flag(False, 'publish the state stamps on clock, for outside tools')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')
