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

"""What the supervisor sent, changed and refused: counted by kind, and logged once."""

from il_ros.contract.episode_spec import HOLD, LIMIT_NAMES, REFUSED_MISSING
from il_ros.contract.episode_spec import REFUSED_NOT_FINITE
from il_ros.driving.arbiter import Step
from rclpy.node import Node


class Interventions:
    """
    Counts steps, holds, and the bits of ``Executed.limits``.

    :ivar counts: by name, for ``/diagnostics``
    :ivar unusable: answers in a row that could not be used
    """

    def __init__(self, node: Node):
        self._node, self.unusable = node, 0
        self.counts = {'steps': 0, 'holds': 0, 'clamped': 0, 'late_answers': 0}

    def add(self, step: Step, episode_id: str):
        """Count a step, and log each kind of intervention when it first comes."""
        self.counts['steps'] += 1
        self.counts['holds'] += step.driver == HOLD
        self.counts['clamped'] += step.limits != 0
        refused = step.limits & (REFUSED_NOT_FINITE | REFUSED_MISSING)
        self.unusable = self.unusable + 1 if refused and not step.choice.refused else 0
        for bit, name in LIMIT_NAMES.items():
            if step.limits & bit:
                if name not in self.counts:
                    self._node.get_logger().info(
                        f'first {name}: step {step.step} of {episode_id}; from now on it is only '
                        'counted, on /diagnostics')
                self.counts[name] = self.counts.get(name, 0) + 1
