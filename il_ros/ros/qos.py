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

"""The quality of service of every topic, each with its reason; there is no other list."""

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy

STREAM = QoSProfile(depth=10)
"""Reliable: in lockstep a lost observation would stop the world."""

NEWEST = QoSProfile(depth=1)
"""Reliable, newest only: a realtime driver answers what is true now."""

COMMAND_LEASE = Duration(seconds=0.3)
"""How soon the arm notices that the supervisor is gone; the default would take 20 s."""

COMMAND = QoSProfile(
    depth=1, liveliness=LivelinessPolicy.AUTOMATIC, liveliness_lease_duration=COMMAND_LEASE)
"""Reliable, newest only: an old command must never be replayed."""

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Kept for late joiners: contract, drive, policy status."""

ALIVE = QoSProfile(depth=20, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""The end of ``alive`` at whoever watches others: many processes may say it at once."""

STATUS = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""The task status, once a step; the last one is kept for late joiners."""

RECEIPTS = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""A collector that restarts still hears what was recorded."""

RECORD = QoSProfile(depth=2000)
"""The recorder stands outside the loop; nothing holds the loop back for it."""

FOREIGN_SENSOR = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
"""What one asks of other people's sensors in realtime: it meets both kinds of publisher."""

RECORD_STATUS = QoSProfile(depth=2000, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""The recorder's end of ``episode``."""

RECORD_IMAGES = QoSProfile(depth=100)
"""The recorder's end of a stream of full-size images: three seconds that fit into memory."""

RECORD_BEST_EFFORT = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
"""The recorder's end of a stream whose publisher offers nothing better."""
