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

"""Whether the arm may be moved, and whether an episode can be armed: the reason why not."""

from il_ros.contract.contract import Contract
from il_ros.driving.rate_watch import RateWatch
from il_ros.robots.model import RobotModel
from il_ros.ros.node import ManagedNode
from il_ros.ros.supervision.estop import EmergencyStop
from il_ros.ros.supervision.neighbours import other_robot, other_writers
from il_ros.ros.supervision.protection import Protection


def why_still(node: ManagedNode, estop: EmergencyStop, protection: Protection,
              topic: str) -> str:
    """
    Return why nothing may move the arm now; empty: it may be moved.

    :param topic: of the commands
    """
    if not node.active:
        return 'the supervisor is not active; activate it first'
    if estop.pressed:
        return 'the emergency stop is pressed; release it with estop_reset'
    if protection.reason:
        return f'{protection.reason}; release it with protective_reset'
    others = other_writers(node, topic)
    return f'{others}; stop it' if others else ''


def why_unfit(contract: Contract | None, rate: RateWatch | None, robot: RobotModel) -> str:
    """Return why observations and robot do not fit together; empty: they do."""
    if contract is None or rate is None:
        return 'there is no contract yet; is the observer running?'
    return other_robot(contract, robot) or rate.problem()
