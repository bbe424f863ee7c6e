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

"""What a look at the ROS graph found: plain data, for whoever judges it (``il_ros/doctor``)."""

import dataclasses
import math

SAME_STAMP_S = 1e-3
"""Rounding of two clocks that are read one after the other."""


@dataclasses.dataclass(frozen=True)
class End:
    """One end of a topic."""

    node: str
    """Name with its namespace."""
    type_name: str
    mismatch: str = ''
    """Why it does not connect with our end; empty: it does."""
    lease_s: float = math.inf
    """How soon it notices that the other end is gone."""


@dataclasses.dataclass(frozen=True)
class Stream:
    """Messages of one topic that came while it was listened to."""

    arrivals_s: tuple[float, ...] = ()
    """Steady clock, ascending."""
    ages_s: tuple[float, ...] = ()
    """Time of day of each arrival minus the stamp; negative: the stamp is in the future."""

    @property
    def rate_hz(self) -> float:
        """Return the rate between the first message and the last; 0: there are not two."""
        if len(self.arrivals_s) < 2:
            return 0.0
        return (len(self.arrivals_s) - 1) / (self.arrivals_s[-1] - self.arrivals_s[0])

    @property
    def stands_still(self) -> bool:
        """Tell whether all messages have the same stamp: they age as fast as time goes."""
        passed_s = self.arrivals_s[-1] - self.arrivals_s[0]
        return abs(self.ages_s[-1] - self.ages_s[0] - passed_s) < SAME_STAMP_S


@dataclasses.dataclass(frozen=True)
class Joints:
    """One message of joint states."""

    names: tuple[str, ...]
    positions: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class RobotFacts:
    """What was found on the topics of an arm."""

    command_topic: str
    command_type: str
    writers: tuple[End, ...] = ()
    readers: tuple[End, ...] = ()
    streams: dict[str, Stream] = dataclasses.field(default_factory=dict)
    """By topic: those that a graph of ours listens to."""
    joints: Joints | None = None
    """The newest ones; None: no message came."""
    description: str | None = None
    """The URDF on ``robot_description``; None: there is none."""


@dataclasses.dataclass(frozen=True)
class GraphFacts:
    """What was found in a ROS domain."""

    domain: int
    nodes: tuple[str, ...]
    """Names with their namespaces, sorted; a name that is used twice stands twice."""
    in_sim_time: tuple[str, ...] = ()
    """Nodes with ``use_sim_time``."""
    silent: tuple[str, ...] = ()
    """Nodes that did not answer what their ``use_sim_time`` is."""
    robot: RobotFacts | None = None
