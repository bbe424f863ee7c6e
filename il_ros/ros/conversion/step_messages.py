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

"""Messages of the supervisor: command, executed action, required drivers."""

import array

from il_ros.driving.arbiter import Step
from il_ros.driving.driving import Driving
from il_ros.ros.conversion.messages import float32s, to_stamp
from il_ros_interfaces.msg import Action, Drive, Executed
from sensor_msgs.msg import JointState


class StepMessages:
    """``joint_command`` and ``executed`` of one step, refilled by ``fill``."""

    def __init__(self, joint_names: tuple[str, ...]):
        self.command = JointState(name=list(joint_names))
        self.executed = Executed(command=self.command)

    def fill(self, step: Step, candidates: dict[int, Action]):
        """
        Fill both from what a step came to.

        :param candidates: the answers as they came, by source
        """
        self.command.header.stamp = to_stamp(step.stamp_ns)
        self.command.position = array.array('d', step.sent.positions.tobytes())
        executed = self.executed
        executed.step = step.step
        executed.driver, executed.chosen = step.driver, step.choice.chosen
        executed.limits = step.limits
        executed.beta, executed.gate = step.choice.beta, step.choice.gate
        executed.values = float32s(step.sent.values)
        noise = step.choice.noise
        executed.noise = float32s(() if noise is None else noise)
        executed.candidates = [candidates[source] for source in sorted(candidates)]


def drive_message(episode_id: str, driving: Driving, stamp_ns: int, is_end: bool = False) -> Drive:
    """Return who must answer from this stamp on (0: from the first one); at the end nobody."""
    message = Drive(
        episode_id=episode_id, required=[] if is_end else list(driving.required),
        driving=driving.driving,
        threshold=driving.threshold)
    message.header.stamp = to_stamp(stamp_ns)
    return message
