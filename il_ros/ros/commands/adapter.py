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

"""Command adapters: a motion as the message that one kind of controller takes."""

from collections.abc import Sequence
import dataclasses
from typing import Any, ClassVar

from il_ros.robots.motion import Motion
import numpy as np


@dataclasses.dataclass(frozen=True)
class Wiring:
    """The joints that a controller moves, and how they are named to it."""

    joint_names: tuple[str, ...]
    """In the controller's own order."""
    places: tuple[int, ...]
    """Where each of them stands in the robot's joint vector."""
    frame_id: str
    """Base frame of the robot."""
    period_ns: int
    """Length of a control step."""

    def pick(self, values: np.ndarray) -> Sequence[float]:
        """Return the controller's part of the robot's joint vector, in its order."""
        return values[list(self.places)].tolist()


class CommandAdapter:
    """
    Messages of one kind of controller; stamps are taken when a message is sent.

    A command adapter only knows messages, never the client library.
    """

    kind: ClassVar[type]
    """Class of the messages."""
    topic: ClassVar[str]
    """Where the controller listens by its usual name."""

    def __init__(self, wiring: Wiring):
        self.wiring = wiring

    def message(self, motion: Motion, now_ns: int) -> Any:
        """Return the message that asks for a motion."""
        raise NotImplementedError

    def rest(self, now_ns: int) -> Any | None:
        """Return the message without which the arm would move on; None: it stops by itself."""
        return None
