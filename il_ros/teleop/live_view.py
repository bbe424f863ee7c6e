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
What an operator wants to know while it happens, as lines of text.

Who drives, which step, success so far, labels spent, and which stream is late or silent.
"""

from collections import defaultdict
from collections.abc import Mapping
import dataclasses
import math

from il_ros.contract.episode_spec import BLENDED, ENDED, EXPERT, HOLD, IDLE, POLICY, RUNNING
from il_ros.contract.episode_spec import TELEOP
from il_ros.episodes.watch import Arrivals

SILENT_S = 0.5
FORGOTTEN_S = 3.0
"""A node whose diagnostics, once a second, are older than this is said to be gone."""

DRIVERS = {HOLD: 'nobody, the arm holds', EXPERT: 'the expert', POLICY: 'the policy',
           TELEOP: 'a person'}
PHASES = {IDLE: 'waiting', RUNNING: 'running', ENDED: 'ended'}


@dataclasses.dataclass
class Session:
    """What the receipts so far add up to."""

    episodes: int = 0
    successes: int = 0
    labels: int = 0
    left_out: int = 0


class LiveView:
    """
    Takes in the published messages and returns the lines of one picture.

    :param topics: streams whose rate is shown, in this order
    :param always: those of them that are silent by mistake also outside an episode
    """

    def __init__(self, topics: tuple[str, ...], always: tuple[str, ...]):
        self._topics, self._always = topics, always
        self._arrivals: dict[str, Arrivals] = defaultdict(Arrivals)
        self._nodes: dict[str, tuple[float, bool, str]] = {}
        self._teleop: Mapping[str, str] = {}
        self._recorder: Mapping[str, str] = {}
        self._receipts: dict[str, tuple[bool, int, int]] = {}
        self._stage = ''
        self._task = self._episode_id = ''
        self._phase = IDLE
        self._step = self._horizon = self._labels = 0
        self._success = False
        self._driver: int | None = None
        self._limits = 0

    def hear(self, topic: str, now_s: float):
        """Count a message of a stream."""
        self._arrivals[topic].hear(now_s)

    def status(self, message):
        """Take in an ``EpisodeStatus``."""
        if message.episode_id != self._episode_id:
            self._labels, self._driver, self._limits = 0, None, 0
        self._task, self._episode_id = message.task, message.episode_id
        self._phase, self._step, self._horizon = message.phase, message.step, message.horizon
        self._success = message.success

    def executed(self, message):
        """Take in an ``Executed``."""
        if message.episode_id == self._episode_id:
            self._driver, self._limits = message.driver, message.limits
            self._labels += message.driver in (EXPERT, TELEOP)

    def recorded(self, message):
        """Take in a ``RecordedEpisode``; an attempt that was run again replaces the first."""
        self._receipts[message.spec.episode_id] = (
            message.success, message.labels, message.flags or message.error_code)

    def stage(self, text: str):
        """Take in where a run of DAgger stands."""
        self._stage = text

    def diagnostics(self, node: str, healthy: bool, message: str, values: Mapping[str, str],
                    now_s: float):
        """Take in the status of one node."""
        self._nodes[node] = (now_s, healthy, message)
        if node == 'teleop':
            self._teleop = values
        elif node == 'recorder':
            self._recorder = values

    @property
    def session(self) -> Session:
        """Return what the receipts add up to."""
        found = self._receipts.values()
        return Session(len(found), sum(success for success, _, _ in found),
                       sum(labels for _, labels, _ in found),
                       sum(flags > 0 for _, _, flags in found))

    def lines(self, now_s: float) -> list[str]:
        """Return the picture of this moment."""
        session = self.session
        counted = (f'{session.episodes} episodes, {session.successes} successes, '
                   f'{session.labels} labels')
        if session.left_out:
            counted += f', {session.left_out} left out of training'
        lines = [self._episode_line(), f'drives   {self._driver_words()}',
                 *self._topic_lines(now_s), *self._recorder_lines(), f'so far   {counted}']
        if self._stage:
            lines.append(f'run      {self._stage}')
        if self._teleop:
            lines.append(f'teleop   {self._teleop_words()}')
        return [*lines, *(f'trouble  {words}' for words in self._troubles(now_s))]

    def _episode_line(self) -> str:
        if not self._episode_id:
            return 'episode  none yet'
        of = f' of {self._horizon}' if self._horizon else ''
        said = 'success' if self._success else 'no success yet'
        return (f'episode  {self._episode_id} ({self._task}) {PHASES.get(self._phase, "?")}, '
                f'step {self._step}{of}, {said}, {self._labels} labels by expert or person')

    def _driver_words(self) -> str:
        if self._phase != RUNNING or self._driver is None:
            return 'nobody: no episode is running'
        blended = ', blended' if self._limits & BLENDED else ''
        return DRIVERS.get(self._driver, '?') + blended

    def _topic_lines(self, now_s: float) -> list[str]:
        found: list[str] = []
        for topic in self._topics:
            arrivals = self._arrivals[topic]
            age_s = arrivals.age_s(now_s)
            wanted = topic in self._always or self._phase == RUNNING
            if math.isinf(age_s):
                words = 'never heard' if topic in self._always else ''
            elif age_s > SILENT_S:
                words = f'SILENT for {age_s:.1f} s' if wanted else ''
            else:
                words = f'{arrivals.rate_hz(now_s):5.1f} Hz, {1000 * age_s:3.0f} ms old'
            if words:
                found.append(f'{"topics" if not found else "":8} {topic:14} {words}')
        return found

    def _recorder_lines(self) -> list[str]:
        """Return what the recorder said of each topic of the episode that it records."""
        values = self._recorder
        topics = [name.removesuffix('.recorded') for name in values if name.endswith('.recorded')]
        return [f'{"" if number else "recorded":8} {topic:14} {values[f"{topic}.recorded"]}, '
                f'{values.get(f"{topic}.dropped", 0)} dropped, '
                f'{values.get(f"{topic}.rate_hz", 0)} Hz, largest gap '
                f'{values.get(f"{topic}.largest_gap_s", 0)} s'
                for number, topic in enumerate(topics)]

    def _teleop_words(self) -> str:
        values = self._teleop
        engaged = 'engaged' if values.get('engaged') == 'True' else 'let go'
        said = values.get('said', '')
        return (f'{values.get("device", "?")}, {engaged}, speed {values.get("speed", "?")}'
                f'{"; " if said else ""}{said}')

    def _troubles(self, now_s: float) -> list[str]:
        found = []
        for node, (heard_s, healthy, message) in sorted(self._nodes.items()):
            if now_s - heard_s > FORGOTTEN_S:
                found.append(f'{node}: nothing heard for {now_s - heard_s:.0f} s')
            elif not healthy:
                found.append(f'{node}: {message}')
        return found
