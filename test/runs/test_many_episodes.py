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

"""Thousands of episodes in one folder: saved as fast as the first, opened at once."""

import os
from pathlib import Path
import shutil
import statistics
import subprocess
import sys
import time

from il_ros.episodes.output_file import QueuedFile
from il_ros.episodes.receipts import receipt_path
from il_ros.episodes.writer import EpisodeWriter
from il_ros.runs.inventory import take_inventory
from il_ros.runs.shard import episode_paths, receipts_in, Shard
import pytest
from recordings import CONTRACT, messages, SCHEMAS, spec

STEPS = 300
INDEX_S, GROWTH_MB, SLOWER = 2.5, 20.0, 1.2

OPEN = """
import sys, time
from pathlib import Path
from il_ros.runs.shard import receipts_in, Shard
def preempted_s():
    try:
        return int(Path('/proc/self/schedstat').read_text().split()[1]) * 1e-9
    except OSError:
        return 0.0
waited, begun = preempted_s(), time.monotonic()
Shard(Path(sys.argv[1], 'episodes', 'main')).close()
count = sum(1 for _ in receipts_in(sys.argv[1]))
print(count, time.monotonic() - begun, preempted_s() - waited)
"""
"""Opens a run, and says how many episodes it has, and how long it took; then how much of that
others had the processor that this process was ready to use."""


class Recorder:
    """Records one made-up episode again and again, under other names."""

    def __init__(self):
        self._template = spec('rollout-r01-000000')
        self._wire = messages(self._template, STEPS)

    def record(self, folder: Path, number: int) -> float:
        """Record an episode, and return how long it took to save, s."""
        of = spec(f'rollout-r01-{number:06d}')
        old, new = self._template.episode_id.encode(), of.episode_id.encode()
        writer = EpisodeWriter(folder, of, CONTRACT, SCHEMAS, 0, create=QueuedFile)
        for topic, raw in self._wire:
            writer.write(topic, raw.replace(old, new), time.time_ns())
        begun = time.monotonic()
        assert writer.close().steps == STEPS
        return time.monotonic() - begun


def resident_mb() -> float:
    """Return how much memory this process has, MB."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6


def opened_cold(run: Path) -> tuple[int, float, float]:
    """Open and index a run that is not in memory, in a new process; return what ``OPEN`` says."""
    for path in run.rglob('*.json'):
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    out = subprocess.run([sys.executable, '-c', OPEN, run], capture_output=True, text=True,
                         check=True, cwd=Path(__file__).parents[2]).stdout
    count, seconds, preempted_s = out.split()
    return int(count), float(seconds), float(preempted_s)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize('count', [15, pytest.param(5000, marks=pytest.mark.drill)])
def test_the_last_of_many_episodes_costs_no_more_than_the_first(tmp_path, count):
    run, recorder = tmp_path / 'run', Recorder()
    folder = run / 'episodes' / 'main'
    shard, saves, early_mb = Shard(folder), [], 0.0
    for number in range(count):
        saves.append(recorder.record(folder, number))
        if number == count // 10:
            early_mb = resident_mb()
    growth_mb = (resident_mb() - early_mb) / max(0.9 * count / 1000, 1.0)
    shard.close()
    # In turns with an empty folder, so that a busy machine slows both.
    number_of_pairs = min(count, 31)
    pairs = [(recorder.record(folder, count + number), recorder.record(tmp_path / 'new', number))
             for number in range(number_of_pairs)]
    full_s, empty_s = (statistics.median(column) for column in zip(*pairs, strict=True))
    found, index_s, preempted_s = opened_cold(run)
    print(f'{count} episodes: saved in {1e3 * full_s:.1f} ms, in an empty folder in '
          f'{1e3 * empty_s:.1f} ms (the 10th {1e3 * statistics.median(saves[:20]):.1f}, the last '
          f'{1e3 * statistics.median(saves[-20:]):.1f}); {growth_mb:.1f} MB per 1,000; opened and '
          f'indexed in {index_s:.2f} s, {preempted_s:.2f} s of it preempted')
    assert found == count + number_of_pairs
    assert index_s - preempted_s <= INDEX_S
    assert growth_mb <= GROWTH_MB
    # Of few episodes the medians say little on a busy machine.
    assert full_s <= (SLOWER if count > 100 else 2.0) * empty_s
    assert_a_bad_one_is_named(run, found)
    shutil.rmtree(run)


def assert_a_bad_one_is_named(run: Path, count: int):
    """Damage one receipt and one episode, and demand the others, and a sentence for each."""
    paths = episode_paths(run / 'episodes' / 'main')
    receipt, episode = paths[len(paths) // 2], paths[len(paths) // 3]
    receipt_path(receipt).write_bytes(receipt_path(receipt).read_bytes()[:-9])
    unreadable: list[tuple[Path, str]] = []
    assert len(list(receipts_in(run, unreadable))) == count - 1
    (path, sentence), = unreadable
    assert path == receipt and f'{receipt.stem}.json is no receipt' in sentence
    data = bytearray(episode.read_bytes())
    data[len(data) // 2] ^= 8
    episode.write_bytes(data)
    if count < 1000:
        inventory = take_inventory(run)
        assert (inventory.episodes, len(inventory.unreadable)) == (count - 2, 2)
        assert any(episode.name in words for words in inventory.unreadable)
