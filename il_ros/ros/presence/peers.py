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

"""
The other nodes of a graph, as one that needs them sees them: who was lost, and who is back.

What is not known to be lost is taken to be there: an arm's driver or a task of others says
nothing of itself. Nodes of the same process are not looked at: they end together.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
import time
from typing import TypeVar

from il_ros.ros import qos
from il_ros.ros.calls import LostError, Waiter
from il_ros.ros.listening import every, listen
from il_ros.ros.presence import pulse
from il_ros.ros.presence.peer_watch import Beat, PeerWatch, Process
from rclpy.node import Node
from std_msgs.msg import String

Outcome = TypeVar('Outcome')

LOOK_S = 0.25

ATTEMPTS = 4
"""How often one thing is asked for, when each time a node is lost that it needs."""

SETTLE_S = 1.0
"""How long after a node has said that it is there its services may not have been found."""


class Peers:
    """
    Watches the nodes of other processes, and ends every wait for one that is lost.

    The timer rests while there is nobody to watch, as in a graph that is composed.

    :param on_lost: is given the part of each that is lost
    :param note: is told what went wrong, and what is done about it
    """

    def __init__(self, node: Node, waiter: Waiter,
                 on_lost: Callable[[str], None] = lambda _: None,
                 note: Callable[[str, str], None] = lambda *_: None):
        self._node, self._waiter, self._on_lost, self._note = node, waiter, on_lost, note
        self._watch = PeerWatch(pulse.own_process(), pulse.runs)
        self._back_s: dict[str, float] = {}
        waiter.lost = self._lost
        listen(node, String, pulse.TOPIC, self._on_beat, qos.ALIVE,
               callback_group=waiter.group)
        self._timer = every(node, LOOK_S, self._on_look, waiter.group)
        self._timer.cancel()

    def losses(self, parts: Collection[str]) -> Mapping[str, int]:
        """Return how often each part was lost, to be compared with later."""
        return {part: self._watch.losses(part) for part in parts}

    def lost_since(self, before: Mapping[str, int]) -> list[str]:
        """Return the parts that were lost since ``losses`` was asked."""
        return [part for part, count in before.items() if self._watch.losses(part) > count]

    def name(self, part: str) -> str:
        """Return the name of the node that plays a part; beside a real arm the task's differs."""
        return self._watch.name(part)

    def back_since(self, parts: Collection[str], since_s: float) -> list[str]:
        """Return the parts that were lost and came back after a time on the steady clock."""
        return [part for part in parts if self._back_s.get(part, since_s) > since_s]

    async def look_again(self):
        """Wait until a loss that was noticed elsewhere is noticed here, too."""
        if not self._timer.is_canceled():
            await self._waiter.pause(2.0 * LOOK_S)

    async def present(self, parts: Collection[str], deadline_s: float):
        """
        Wait until all parts are there again, as far as they are known.

        :raises LostError: naming the first one that is not, after ``deadline_s``
        """
        until = time.monotonic() + deadline_s
        while True:
            gone = [part for part in parts if self._watch.is_gone(part)]
            if gone and time.monotonic() > until:
                raise LostError(gone[0], f'{self.name(gone[0])} ended and was not started '
                                         f'again within {deadline_s:g} s')
            since_s = time.monotonic() - SETTLE_S
            if not gone and not self.back_since(parts, since_s):
                return
            await self._waiter.pause(LOOK_S)

    async def again(self, what: str, deadline_s: float,
                    work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """
        Return the result of work, which is repeated if a required node is lost.

        :param what: it is, in words
        :param deadline_s: for that node to be there again, s
        :raises LostError: if the node does not come back, or is lost again and again
        """
        for attempt in range(1, ATTEMPTS):
            try:
                return await work()
            except LostError as error:
                again = f'{what} is asked for again ({attempt} of {ATTEMPTS - 1})'
                self._node.get_logger().warning(f'{error}; {again}')
                self._note(str(error), again)
                await self.present((error.part,), deadline_s)
        return await work()

    def _lost(self, part: str) -> LostError | None:
        return LostError(part, f'{self.name(part)} ended') if self._watch.is_gone(part) else None

    def _on_beat(self, message: String):
        beat, now = Beat.of(message.data), time.monotonic()
        gone = [part for part in beat.names if self._watch.is_gone(part)]
        lost = self._watch.hear(beat, now)
        self._say(lost)
        for part in (*gone, *lost):
            if not self._watch.is_gone(part):
                self._back_s[part] = now
                self._node.get_logger().info(f'{self.name(part)} is back: {beat.process}')
        if self._timer.is_canceled() and self._watch.parts:
            self._timer.reset()

    def _on_look(self):
        self._say(self._watch.look(time.monotonic()))

    def _say(self, lost: Mapping[str, Process]):
        for part, process in lost.items():
            name = self.name(part)
            self._node.get_logger().warning(f'{name} is lost: {process} has ended')
            self._on_lost(part)
            self._note(f'{name} ended ({process})', 'waited for where it is needed')
            self._waiter.lose(LostError(part, f'{name} ended ({process})'))
