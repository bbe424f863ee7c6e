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
What became of one recorded topic: which steps came, when, and whether its clock is sane.

A stamp says when a state was true. Two other things say how much time has passed: the steps, one
a control period, and the steady clock of whoever listens. A stamp that contradicts both has
jumped; one that agrees with either is believed: lockstep runs faster than time, and a process
that was held up gets many messages at once. What came late says little of when the next one has
to come: the steady clock is also compared with the message that came soonest after its stamp.
"""

from collections import deque
from collections.abc import Mapping
import math

from il_ros.episodes.wire.cdr import NS
from il_ros.episodes.wire.keys import Key

WINDOW_S = 2.0
"""The rate is that of the last seconds."""


class Arrivals:
    """Takes in when each message of a topic came, on the steady clock."""

    def __init__(self):
        """Begin with nothing heard."""
        self._recent: deque[float] = deque()
        self.largest_gap_s = 0.0
        """Between two messages in a row, since the beginning."""

    def hear(self, now_s: float):
        """Count a message."""
        if self._recent:
            self.largest_gap_s = max(self.largest_gap_s, now_s - self._recent[-1])
        self._recent.append(now_s)
        while now_s - self._recent[0] > WINDOW_S:
            self._recent.popleft()

    def rate_hz(self, now_s: float) -> float:
        """Return messages a second over the last seconds; 0: silent."""
        recent = [s for s in list(self._recent) if now_s - s <= WINDOW_S]
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        return (len(recent) - 1) / (recent[-1] - recent[0])

    def age_s(self, now_s: float) -> float:
        """Return how long ago the last message came, s."""
        return now_s - self._recent[-1] if self._recent else math.inf


class ClockWatch:
    """
    Finds jumps and standstills in the stamps of one topic.

    :param tolerance_ns: by how much a stamp may contradict steps and steady clock
    :param period_ns: of a step; 0: messages have no steps, the steady clock alone counts
    """

    def __init__(self, tolerance_ns: int, period_ns: int = 0):
        self._tolerance_ns, self._period_ns = tolerance_ns, period_ns
        self._last: tuple[int, int, int] | None = None
        self._soonest_ns = 0

    def jump_ns(self, stamp_ns: int, steady_ns: int, step: int = 0) -> int:
        """
        Take in a stamp, and return by how much it jumped; 0: it did not.

        After a jump the new time is taken for the true one. A clock that stands still falls
        behind, and is found once that exceeds the tolerance.
        """
        if self._last is None:
            self._last, self._soonest_ns = (stamp_ns, steady_ns, step), stamp_ns - steady_ns
            return 0
        last_ns, last_steady_ns, last_step = self._last
        by_steady = stamp_ns - last_ns - (steady_ns - last_steady_ns)
        by_steps = stamp_ns - last_ns - (step - last_step) * self._period_ns
        by_soonest = stamp_ns - steady_ns - self._soonest_ns
        jumped = min(abs(by_steady), abs(by_soonest)) > self._tolerance_ns and (
            not self._period_ns or abs(by_steps) > self._tolerance_ns)
        if jumped or by_soonest > 0:
            self._soonest_ns += by_soonest
        if jumped or stamp_ns > last_ns:
            self._last = stamp_ns, steady_ns, step
        return by_steady if jumped else 0


class StepTally:
    """Which steps came: each counts once, whenever it comes, and in any order."""

    def __init__(self):
        """Begin with no step."""
        self._below = 0
        self._beyond: set[int] = set()
        self.newest = -1
        self.repeats = self.late = 0

    def add(self, step: int):
        """Count a step."""
        if step < self._below or step in self._beyond:
            self.repeats += 1
            return
        self.late += step < self.newest
        self.newest = max(self.newest, step)
        self._beyond.add(step)
        while self._below in self._beyond:
            self._beyond.remove(self._below)
            self._below += 1

    def __len__(self) -> int:
        return self._below + len(self._beyond)

    @property
    def missing(self) -> int:
        """Return how many steps before the newest did not come."""
        return self.newest + 1 - len(self)


class TopicWatch:
    """One topic of an episode while it is being recorded."""

    def __init__(self, tolerance_ns: int, period_ns: int):
        """Begin with nothing heard."""
        self.clock = ClockWatch(tolerance_ns, period_ns)
        self.steps = StepTally()
        self.arrivals = Arrivals()
        self.overflowed = 0
        """Messages that came, and were dropped because the disk was too slow."""

    def hear(self, step: int, now_s: float):
        """Count a message."""
        self.steps.add(step)
        self.arrivals.hear(now_s)

    @property
    def dropped(self) -> int:
        """Return how many messages are not recorded, as far as it is known now."""
        return self.steps.missing + self.overflowed

    def trouble(self, now_s: float, stale_s: float) -> str:
        """Return what is wrong, in words; empty: nothing."""
        words = []
        if self.steps.missing:
            words.append(f'{self.steps.missing} missing')
        if self.overflowed:
            words.append(f'{self.overflowed} dropped, the disk is too slow')
        if len(self.steps) and self.arrivals.age_s(now_s) > stale_s:
            words.append(f'silent for {self.arrivals.age_s(now_s):.1f} s')
        return ', '.join(words)

    def values(self, topic: str, now_s: float) -> dict[str, str]:
        """Return the figures of this moment for ``/diagnostics``."""
        if not len(self.steps):
            return {f'{topic}.recorded': '0'}
        return {f'{topic}.recorded': str(len(self.steps) - self.overflowed),
                f'{topic}.dropped': str(self.dropped),
                f'{topic}.repeated': str(self.steps.repeats),
                f'{topic}.late': str(self.steps.late),
                f'{topic}.rate_hz': f'{self.arrivals.rate_hz(now_s):.1f}',
                f'{topic}.largest_gap_s': f'{self.arrivals.largest_gap_s:.3f}',
                f'{topic}.age_s': f'{self.arrivals.age_s(now_s):.3f}'}


class EpisodeWatch:
    """
    The topics of an episode while it is being recorded.

    :param tolerance_s: by how much a stamp may contradict steps and steady clock
    :param rate_hz: of the steps
    """

    def __init__(self, topics: tuple[str, ...], tolerance_s: float, rate_hz: float):
        self.topics = {topic: TopicWatch(round(tolerance_s * NS), round(NS / rate_hz))
                       for topic in topics}

    def hear(self, topic: str, key: Key, steady_ns: int) -> int:
        """Count a message, and return by how much its clock jumped, ns; 0: it did not."""
        watch = self.topics[topic]
        jump_ns = watch.clock.jump_ns(key.stamp_ns, steady_ns, key.step)
        if not jump_ns:
            watch.hear(key.step, steady_ns / NS)
        return jump_ns

    def overflow(self, topic: str):
        """Count a message that came and is dropped, because too much waits for the disk."""
        self.topics[topic].overflowed += 1

    def has(self, due: Mapping[str, int]) -> bool:
        """Tell whether as many steps of each topic came, whatever became of them."""
        return all(len(self.topics[topic].steps) >= steps for topic, steps in due.items())

    def trouble(self, now_s: float, stale_s: float, ended: bool = False) -> str:
        """Return what is wrong by topic, in words; empty: nothing."""
        found = {topic: watch.trouble(now_s, math.inf if ended else stale_s)
                 for topic, watch in self.topics.items()}
        return '; '.join(f'{topic}: {words}' for topic, words in found.items() if words)

    def values(self, now_s: float) -> dict[str, str]:
        """Return the figures of this moment for ``/diagnostics``."""
        return {name: value for topic, watch in self.topics.items()
                for name, value in watch.values(topic, now_s).items()}


def seconds(jump_ns: int) -> str:
    """Return a jump in words."""
    return f'{jump_ns / NS:+.1f} s'
