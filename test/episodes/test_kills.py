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

"""Recorders that are killed while they record, while they save, and while they start."""

import dataclasses
import os
from pathlib import Path
import random
import signal
import subprocess
import sys
import threading
import time

from il_ros.dataset.aggregation import aggregate
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import INCOMPLETE, verify
from il_ros.runs.shard import episode_paths, Shard
from killed_recorder import STEPS
import pytest

pytestmark = pytest.mark.system

MAX_LOST_STEPS, MAX_LOST_S, RESTART_S = 32, 1.0, 2.0
PERIODS_S = (0.003, 0.003, 0.02, 0.25)
"""Time between two steps: as lockstep goes; that, and killed while it saves; 50 Hz; 4 Hz."""

ROOT = Path(__file__).parents[2]


@dataclasses.dataclass
class Life:
    """What one recorder said before it was killed."""

    acknowledged: list[str] = dataclasses.field(default_factory=list)
    opened: str = ''
    saving: bool = False
    heard_s: list[float] = dataclasses.field(default_factory=list)
    """When each step of the open episode was heard of."""
    killed_s: float = 0.0

    def hear(self, line: str):
        """Take in a line."""
        word, _, value = line.strip().partition(' ')
        if word == 'closed':
            self.acknowledged.append(value)
            self.opened, self.saving, self.heard_s = '', False, []
        elif word == 'open':
            self.opened, self.heard_s = value, []
        elif word == 'step':
            self.heard_s.append(time.monotonic())
        self.saving = self.saving or word == 'saving'

    @property
    def due(self) -> int:
        """Return how many steps of the open episode must be found again."""
        old = sum(heard_s < self.killed_s - MAX_LOST_S for heard_s in self.heard_s)
        return max(old, len(self.heard_s) - MAX_LOST_STEPS)


def killed(folder: Path, first: int, period_s: float, delay_s: float,
           word: str = 'begun', times: int = 1) -> Life:
    """Run a recorder, and kill it ``delay_s`` after it has said ``word`` so many times."""
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(map(str, (
        ROOT, ROOT / 'test' / 'support')))}
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name('killed_recorder.py'), folder, str(first),
         str(period_s)], stdout=subprocess.PIPE, text=True, env=environment)
    life, doom = Life(), None

    def kill():
        life.killed_s = time.monotonic()
        process.kill()
    for line in process.stdout:
        times -= line.startswith(word)
        if doom is None and not times:
            doom = threading.Timer(delay_s, kill)
            doom.start()
        life.hear(line)
    assert process.wait(10) == -signal.SIGKILL
    process.stdout.close()
    return life


@pytest.mark.timeout(900)
@pytest.mark.parametrize('kills', [3, pytest.param(50, marks=pytest.mark.drill)])
def test_a_killed_recorder_loses_nothing_that_it_acknowledged(tmp_path, kills):
    chance, acknowledged, first, saving, restarts = random.Random(5), [], 0, 0, []
    for number in range(kills):
        period_s = PERIODS_S[number % len(PERIODS_S)]
        if number % len(PERIODS_S) == 1:
            life = killed(tmp_path, first, period_s, chance.uniform(0.0, 0.006), 'saving',
                          chance.randint(2, 4))
        else:
            life = killed(tmp_path, first, period_s, chance.uniform(0.0, 2.0))
        acknowledged += life.acknowledged
        saving += life.saving
        if number % 3 == 2:
            # The one that is to mend it is killed, too, before or after it could.
            acknowledged += killed(tmp_path, first + 500, period_s, chance.uniform(
                0.0, 0.02)).acknowledged
        begun = time.monotonic()
        Shard(tmp_path).close()
        restarts.append(time.monotonic() - begun)
        assert_recovered(tmp_path, life)
        first += 1000
    assert max(restarts) <= RESTART_S
    assert acknowledged and saving >= kills // 10
    print(f'{len(acknowledged)} acknowledged; {saving} of {kills} killed while saving; slowest '
          f'restart {max(restarts):.2f} s')
    assert_readable(tmp_path, acknowledged)


def assert_recovered(folder: Path, life: Life):
    """Demand that the open episode is there up to shortly before the kill, and is marked."""
    assert not [path for path in folder.iterdir() if path.suffix in ('.tmp', '.rescue')]
    path = folder / f'{life.opened}.mcap'
    if not life.opened or not path.exists():
        assert not life.due, f'{life.due} steps of {life.opened} are lost'
        return
    receipt = verify(path)
    assert receipt.steps >= life.due
    assert receipt.flags & INCOMPLETE or (receipt.steps == STEPS and life.saving)


def assert_readable(folder: Path, acknowledged: list[str]):
    """Demand that what was acknowledged is whole, and that training gets nothing else."""
    contents, cut_off = set(), []
    for path in episode_paths(folder):
        receipt, episode = verify(path), read_episode(path)
        assert episode.steps == receipt.steps
        if receipt.flags & INCOMPLETE:
            cut_off.append(path)
        else:
            assert (receipt.flags, receipt.steps, episode.complete) == (0, STEPS, True)
            contents.add(receipt.content_sha256)
    assert len(contents) == 1
    there = {path.stem for path in episode_paths(folder)} - {path.stem for path in cut_off}
    assert set(acknowledged) <= there
    some = folder / f'{acknowledged[0]}.mcap'
    result = aggregate(folder / 'data.hdf5', [(path, ['all']) for path in (some, *cut_off)])
    assert result.demos == 1
    assert [path for path, _ in result.skipped] == cut_off
