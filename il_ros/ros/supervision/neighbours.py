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

"""Other publishers in the graph: checked by the supervisor before and during an episode."""

from collections.abc import Iterable

from il_ros.contract.contract import Contract
from il_ros.errors import ImitationError
from il_ros.robots.model import RobotModel
from il_ros.ros.supervision.ending import ACTION_TOPICS
from il_ros.tasks.contracts import robot_called
from il_ros_interfaces.srv import SetDriver
from rclpy.node import Node

_NO_NAME_YET = '_NODE_NAME_UNKNOWN_'
"""What the middleware says of a publisher before it has heard of its node."""


class DriverAbsentError(ImitationError):
    """Nobody publishes the actions that a plan needs."""

    code = SetDriver.Response.DRIVER_ABSENT


class DoubleDriverError(ImitationError):
    """Two nodes answer for one driver."""

    code = SetDriver.Response.BUSY


def refuse_drivers(node: Node, required: Iterable[int]):
    """
    Refuse a plan whose drivers are missing or present twice.

    :raises DriverAbsentError: naming the topic that nobody publishes
    :raises DoubleDriverError: naming the nodes that publish the same topic
    """
    for source in required:
        if not node.count_publishers(ACTION_TOPICS[source]):
            raise DriverAbsentError(
                f'no publisher on {ACTION_TOPICS[source]}, which the plan needs')
        names = publishers(node, ACTION_TOPICS[source])
        if len(names) > 1:
            raise DoubleDriverError(
                f'{" and ".join(names)} publish {ACTION_TOPICS[source]}; stop all but one')


def publishers(node: Node, topic: str) -> list[str]:
    """
    Return the nodes that publish a topic, by full name.

    A node that was killed and started again is one, though both are known for a while; one whose
    name has not come yet is left out.
    """
    return sorted({f'{info.node_namespace.rstrip("/")}/{info.node_name}'
                   for info in node.get_publishers_info_by_topic(topic)
                   if info.node_name != _NO_NAME_YET})


def other_writers(node: Node, topic: str) -> str:
    """Return the other nodes that publish commands on a topic, in words; empty: none."""
    if node.count_publishers(topic) < 2:
        return ''
    own = node.get_fully_qualified_name()
    names = ' and '.join(name for name in publishers(node, topic) if name != own)
    return names and f'{names} writes {topic}, too'


def other_robot(contract: Contract, robot: RobotModel) -> str:
    """Return that a contract is for another robot than the supervisor, as a sentence; or ''."""
    wanted = robot_called(contract)
    return '' if wanted == robot.name else (
        f'the contract {contract.name} is for the robot {wanted}, the supervisor for '
        f'{robot.name}; start both with one robot')
