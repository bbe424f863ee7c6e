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

"""The share of full speed that the arm may go at: a parameter, and the operator's word."""

from il_ros.errors import BadMessageError
from il_ros.ros import qos
from il_ros.ros.listening import listen
from il_ros.ros.node import GraphNode
from std_msgs.msg import Float64


class SpeedScale:
    """The lower one of the parameter ``speed_scale`` and the newest message on that topic."""

    def __init__(self, node: GraphNode):
        self._node, self._operator = node, 1.0
        # Twice, as the emergency stop: any publisher's, and one from before this node.
        for profile in (qos.STREAM, qos.LATCHED):
            listen(node, Float64, 'speed_scale', self._on_scale, profile)

    @property
    def value(self) -> float:
        """Return the share, [0, 1]."""
        return min(self._node.parameters.speed_scale, self._operator)

    def _on_scale(self, message: Float64):
        if not 0.0 <= message.data <= 1.0:
            raise BadMessageError(f'speed_scale is {message.data}; expected 0 to 1')
        self._operator = message.data
