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
How many episodes a second one process deals to cells that answer at once.

``python -m benchmarks.dealing``: 1 to 1,000 cells that are simulated by one other process; prints
episodes a second, episodes for each second of the dealer's own CPU, and how its memory grows.
"""

from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, Pipe, wait
import resource
import time
from unittest import mock

from il_ros.contract.episode_spec import EpisodeSpec, EVALUATION
from il_ros.episodes.receipts import Receipt
from il_ros.loop.cells import CellJob, Cells
from il_ros.processes import pool

CELLS = (1, 10, 100, 1000)
EPISODES = 50_000


class Simulated:
    """A worker of the pool whose process is one end of a pipe among others."""

    def __init__(self, ends: list, _make, absent):
        self.arguments, self.failures = absent
        self.connection = ends.pop()
        self.process = self.output = mock.Mock()
        self.connection.send(None)

    def send(self, value):
        """Give it a job."""
        self.connection.send(value)

    def receive(self):
        """Return its result."""
        return self.connection.recv()[1]


def answer(connections: Sequence[Connection]):
    """Answer each job at once."""
    while True:
        for ready in wait(connections):
            job = ready.recv()
            ready.send(('', None if job is None else Receipt(
                job.spec, content_sha256='0' * 64, steps=20, success=True)))


def measure(count: int) -> str:
    """Return what was measured with so many cells, in words."""
    ours, theirs = zip(*(Pipe() for _ in range(count)))
    other = get_context('fork').Process(target=answer, args=(theirs,), daemon=True)
    other.start()
    kept = [0, 0]

    def keep(receipt: Receipt):
        kept[0] += 1
        kept[1] += receipt.success

    jobs = (CellJob(EpisodeSpec(f'evaluation-r00-{seed}', 'run', 'push', EVALUATION, seed=seed))
            for seed in range(EPISODES))
    ends = list(ours)
    with mock.patch.object(pool, '_Worker', lambda *words: Simulated(ends, *words)), \
            mock.patch.object(pool, 'end', lambda *_: None):
        cells = Cells(answer, [()] * count)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        wall, own = time.perf_counter(), time.process_time()
        cells.play(jobs, keep)
        wall, own = time.perf_counter() - wall, time.process_time() - own
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        cells.close()
    other.kill()
    assert kept[0] == EPISODES
    return (f'{count} cells: {EPISODES / wall:.0f} episodes a second, {EPISODES / own:.0f} for a '
            f'second of the own CPU, {grown / 1024:.1f} MB more')


if __name__ == '__main__':
    for number in CELLS:
        print(measure(number), flush=True)
