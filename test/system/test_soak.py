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

"""Two minutes at 50 Hz with a camera, a process a node: nothing grows, no beat is late (B15)."""

import os
from pathlib import Path
import time

from command_line import start
from il_ros.episodes.reader import read_episode
from il_ros.runs.shard import receipts_in
from il_ros.tasks.contracts import contract_text
import numpy as np
import pytest
from test_lost_nodes import Graph

pytestmark = [pytest.mark.system, pytest.mark.drill, pytest.mark.timeout(400)]

RATE_HZ, SECONDS, WARM_S, SAMPLE_S = 50.0, 120, 30.0, 0.5
EPISODES = 12
IN_THE_LOOP = ('simulator', 'observer', 'expert', 'supervisor')
REALTIME = 'mode:=realtime'


def nodes(contract: Path) -> dict[str, tuple[str, ...]]:
    """Return what runs, with its parameters."""
    return {
        'simulator': ('task:=reach', REALTIME, f'rate_hz:={RATE_HZ}', f'contract:={contract}'),
        'observer': (f'contract:={contract}', 'pairing:=as_of', f'rate_hz:={RATE_HZ}'),
        'expert': ('task:=reach', REALTIME), 'supervisor': (REALTIME,),
        'recorder': ('runs:=RUNS',), 'collector': ()}


def used_by(pid: int) -> tuple[int, float]:
    """Return the open files of a process and its resident memory, MB."""
    pages = int(Path(f'/proc/{pid}/statm').read_text().split()[1])
    return len(list(Path(f'/proc/{pid}/fd').iterdir())), pages * os.sysconf('SC_PAGE_SIZE') / 1e6


def test_two_minutes_at_50_hz_leave_files_memory_and_beat_as_they_were(tmp_path, wait_until):
    contract = tmp_path / 'large.yaml'
    contract.write_text(contract_text('reach_image').replace(
        'height: 64, width: 64', f'height: 96, width: 96, every: {int(RATE_HZ) // 10}'))
    graph = Graph(tmp_path, nodes(contract))
    samples: dict[str, list] = {name: [] for name in graph.nodes}
    try:
        graph.processes['record'] = command = start([
            'record', '--task', 'reach', '--runs', str(graph.runs),
            '--run', 'soak', '--episodes', str(EPISODES), '--attach', '--wait', '60',
            '--continuing', '--horizon', str(int(SECONDS * RATE_HZ) // EPISODES)])
        assert wait_until(None, lambda: list(graph.runs.rglob('*.tmp')) or (
            command.poll() is not None), 60.0), graph.said('collector')
        began = time.monotonic()
        while command.poll() is None and time.monotonic() < began + 2 * SECONDS:
            if WARM_S < time.monotonic() - began < SECONDS - 5.0:
                for name, taken in samples.items():
                    taken.append((time.monotonic(), *used_by(graph.processes[name].pid)))
            wait_until(None, lambda: command.poll() is not None, SAMPLE_S)
        assert command.poll() == 0, command.communicate()
    finally:
        graph.close()
    found = list(receipts_in(graph.runs / 'soak' / 'episodes'))
    apart_s = np.concatenate([np.diff(read_episode(path).stamps_ns) for path, _ in found]) / 1e9
    slopes, open_files = {}, {}
    for name, taken in samples.items():
        times, files, memory = np.array(taken).T
        # An episode that is being written is a file more: both halves have several.
        open_files[name] = [int(half.max()) for half in np.array_split(files, 2)]
        slopes[name] = round(float(np.polyfit(times, memory, 1)[0]) * 600.0, 2)
        assert 'Traceback' not in graph.said(name), graph.said(name)
    period_ms = np.percentile(apart_s, 99) * 1e3
    print(f'{len(apart_s)} steps; period p99 {period_ms:.2f} ms; MB in 10 minutes: {slopes}; '
          f'files: {open_files}')
    assert len(apart_s) == SECONDS * RATE_HZ and not any(receipt.flags for _, receipt in found)
    assert all(first == second for first, second in open_files.values())
    assert period_ms <= 1.25e3 / RATE_HZ
    assert all(slopes[name] < 1.0 for name in IN_THE_LOOP)
