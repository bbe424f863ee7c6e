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

"""``il_ros error-growth`` ended from outside: nobody stays behind, nothing is half done."""

import os
from pathlib import Path
import signal

from command_line import finish, il_ros, start
from follower import save_follower
import pytest

EPISODES = ('--episodes', '300', '--horizon', '100', '--first-seed', '500000',
            '--expert-episodes', '300', '--workers', '2')


def children_of(pid: int) -> list[int]:
    """Return the processes that a process started."""
    return [int(child) for task in Path(f'/proc/{pid}/task').iterdir()
            for child in (task / 'children').read_text().split()]


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; one that nobody has waited for has, too."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] == 'Z'
    except OSError:
        return True


@pytest.mark.parametrize('how, code', [(signal.SIGINT, 130), pytest.param(
    signal.SIGKILL, -signal.SIGKILL, marks=pytest.mark.drill)])
def test_whoever_ends_it_finds_whole_files_and_no_process(
        tmp_path, wait_until, how, code):
    follower = save_follower(tmp_path / 'follower')
    output = tmp_path / 'out'
    words = ['error-growth', '--policy', f'BC={follower}', '--output', str(output), *EPISODES]
    process = start(words)
    assert wait_until(None, lambda: [*output.glob('rollouts/*/*.npz')], timeout_s=60.0)
    workers = children_of(process.pid)
    assert len(workers) == 2
    # As a terminal does it.
    (os.killpg if how == signal.SIGINT else os.kill)(process.pid, how)
    found, _, err = finish(process)
    assert found == code and 'Traceback' not in err
    assert wait_until(None, lambda: all(map(is_gone, workers)), timeout_s=20.0)
    assert not [*output.glob('compounding.*')]
    assert not [*output.glob('rollouts/*/*.tmp')] or how == signal.SIGKILL


@pytest.mark.drill
def test_the_policy_of_a_finished_run_is_measured(whole_run, tmp_path):
    folder = whole_run('push') / 'checkpoints'
    code, out, err = il_ros(
        'error-growth', '--policy', f'BC={folder / "round_00"}', '--policy',
        f'last={folder / "round_01"}', '--output', str(tmp_path), '--episodes', '2', '--horizon',
        '30', '--expert-episodes', '1', '--first-seed', '500000')
    assert code == 0, err
    assert 'last makes' in out and (tmp_path / 'compounding.html').is_file()
