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

"""``il_ros compare``: the answer, the file of the result, and what is refused."""

import json
from pathlib import Path
import tarfile

from il_ros.cli.parser import main
import pytest

RECORDED = Path(__file__).parents[1] / 'system' / 'recorded' / 'earlier_run.tar.xz'
FIRST = 'runs/earlier/checkpoints/round_00'


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Work in a folder with a recorded run of reach."""
    with tarfile.open(RECORDED) as archive:
        archive.extractall(tmp_path / 'runs', filter='data')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_answer_is_printed_and_written(place, capsys):
    assert main(['compare', FIRST, 'earlier', '--horizon', '3', '--smallest-difference', '30',
                 '--json', 'found.json']) == 0
    out = capsys.readouterr().out
    assert out.startswith(f'A: {FIRST}\nB: runs/earlier/checkpoints/round_01\n0 episodes both')
    assert 'no difference above 30 % after' in out
    found = json.loads((place / 'found.json').read_text())
    assert (found['task'], found['answer'], found['horizon']) == ('reach', 'no difference', 3)
    assert found['episodes'] == found['neither'] == len(found['outcomes']) < 30
    assert found['outcomes'][0] == {'seed': 1_000_000, 'a': False, 'b': False}
    assert found['smallest_difference'] == 0.3 and -0.3 < found['low'] < 0.0 < found['high'] < 0.3
    assert found['a']['policy'] == FIRST and found['b']['successes'] == 0
    assert len(found['a']['sha256']) == 64


@pytest.mark.parametrize('words, sentence', [
    ((FIRST, 'nothing'), "there is no policy 'nothing'"),
    ((FIRST, FIRST), 'A and B are the same checkpoint'),
    ((FIRST, 'earlier', '--contract', 'mine.yaml'), 'name its task, too: --task'),
    ((FIRST, 'earlier', '--task', 'push'), 'was trained on another contract'),
    ((FIRST, 'earlier', '--first-seed', '5'), 'seed 5 is out of range'),
    ((FIRST, 'earlier', '--options', '['), '--options are not JSON'),
    ((FIRST, 'earlier', '--json', '/no/where/x.json'), '/no/where')])
def test_bad_words_get_one_sentence(place, capsys, words, sentence):
    assert main(['compare', *words]) == 1
    out, err = capsys.readouterr()
    assert err.startswith('il_ros: ') and sentence in err and err.count('\n') == 1
