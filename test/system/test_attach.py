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

"""Commands that attach to a graph which was started in another folder: they find its runs."""

import os
import signal
import subprocess
import sys

from command_line import finish, start
from il_ros.runs.inventory import episodes_of
import pytest

pytestmark = pytest.mark.system


@pytest.fixture
def elsewhere(tmp_path):
    """Yield a function that calls ``il_ros`` beside a graph which runs in another folder."""
    home, away = tmp_path / 'home', tmp_path / 'away'
    home.mkdir()
    away.mkdir()
    code = 'import sys; from il_ros.graph import executables; sys.exit(executables.graph())'
    graph = subprocess.Popen(
        [sys.executable, '-c', code, '--task', 'reach', '--runs', 'kept'], cwd=home,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    yield lambda *words: finish(start([*words, '--attach', '--wait', '60'], cwd=away))
    os.killpg(graph.pid, signal.SIGKILL)
    graph.communicate()


@pytest.mark.drill
def test_an_attached_command_says_where_the_run_lies_and_finds_it_again(elsewhere, tmp_path):
    words = ('--task', 'reach', '--horizon', '15', '--episodes', '2')
    code, out, err = elsewhere('record', *words, '--run', 'mine')
    assert code == 0, err
    kept = tmp_path / 'home' / 'kept'
    assert f'in {kept / "mine"}; next: il_ros train --run mine --runs {kept}\n' in out
    assert len(episodes_of(kept / 'mine')) == 2
    for first_seed in ('1000000', '1000000', '1000005'):
        code, out, err = elsewhere('evaluate', *words, '--policy', 'expert', '--first-seed',
                                   first_seed, '--runs', 'runs')
        assert code == 0, err
    assert sorted(int(path.stem[-7:]) for path in episodes_of(kept / 'evaluation')) == [
        1_000_005, 1_000_006]
    code, _, err = elsewhere('record', *words, '--run', 'mine', '--seed', '50', '--options',
                             '{"bumps": {"rate": 0.1, "speed": 0.5}}')
    assert code == 1 and 'with options none; options {"bumps"' in err
    assert not any((tmp_path / 'away').iterdir())
