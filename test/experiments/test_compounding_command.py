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

"""``il_ros error-growth`` on few and short episodes: what it writes, resumes and refuses."""

import json

from il_ros.cli import parser
from il_ros.experiments import collection
from il_ros.learning import checkpoint
import pytest

SMALL = ('--episodes', '6', '--horizon', '60', '--expert-episodes', '2', '--first-seed', '500000')


def compounding(*words: str) -> int:
    """Run the command in this process and return its exit code."""
    return parser.main(['error-growth', *words])


@pytest.fixture(scope='module')
def measured(follower, tmp_path_factory):
    """Return the folder of a finished measurement of one policy under two names."""
    folder = tmp_path_factory.mktemp('compounding') / 'out'
    assert compounding(*SMALL, '--policy', f'first={follower}', '--policy', f'again={follower}',
                       '--output', str(folder), '--workers', '2',
                       '--publish', str(folder / 'published' / 'endless')) == 0
    return folder


def test_numbers_and_page_are_written(measured, follower):
    found = json.loads((measured / 'compounding.json').read_text())
    assert (found['task'], found['episodes'], found['horizon']) == ('push', 6, 60)
    first, again = found['policies']
    assert first['labels'] == 7 and first['sha256'] == checkpoint.load(follower).sha256
    assert first['epsilon']['n'] == 120 and 0 < first['epsilon']['k'] <= 120
    assert 0.0 < first['mistakes'][-1]['value'] <= 60.0
    assert again['mistakes'] == first['mistakes']
    assert again['mistakes_to_first'] == {'value': 1.0, 'low': 1.0, 'high': 1.0}
    assert 10 <= found['burn_in'] <= 30, 'one cycle of the expert'
    assert '<svg' not in (measured / 'compounding.html').read_text()
    assert 'data:image/svg+xml' in (measured / 'compounding.html').read_text()


def test_what_is_published_says_how_it_was_made(measured):
    folder = measured / 'published' / 'endless'
    text = (folder / 'README.md').read_text()
    assert 'il_ros error-growth --task push --policy first=' in text
    assert '--episodes 6 --horizon 60 --first-seed 500000' in text
    assert {path.name for path in folder.glob('*.svg')} >= {'growth-1.svg', 'exponents.svg'}
    assert all(f'({path.name})' in text for path in folder.glob('*.svg'))


def test_a_second_call_runs_only_what_is_missing_and_comes_to_the_same_result(
        measured, follower, monkeypatch):
    before = (measured / 'compounding.json').read_bytes()
    words = (*SMALL, '--policy', f'first={follower}', '--policy', f'again={follower}',
             '--output', str(measured))
    gone, = measured.glob('rollouts/*/500005-1.npz')
    gone.unlink()
    jobs = []
    map_processes = collection.map_processes

    def remember(make, arguments, missing, workers):
        jobs.extend(missing)
        return map_processes(make, arguments, missing, workers)
    monkeypatch.setattr(collection, 'map_processes', remember)
    assert compounding(*words) == 0
    assert jobs == [(500_005,)]
    assert (measured / 'compounding.json').read_bytes() == before


@pytest.mark.parametrize('words, said', [
    (('--policy', 'nowhere'), 'NAME=POLICY'),
    (('--policy', '=nowhere'), 'NAME=POLICY'),
    (('--policy', 'a=nowhere'), "there is no policy 'nowhere'"),
    (('--policy', 'a=POLICY', '--policy', 'a=POLICY'), "name 'a' twice"),
    (('--policy', 'a=POLICY', '--first-seed', '7'), 'for training'),
    (('--policy', 'a=POLICY', '--first-seed', '999999', '--episodes', '2'), 'mix seeds'),
    (('--policy', 'a=POLICY', '--first-seed', '4294967295', '--episodes', '5'),
     'the last seed would be 4294967299'),
    (('--policy', 'a=POLICY', '--horizon', '1'), 'at least 2 steps'),
    (('--policy', 'a=POLICY', '--task', 'pus'), 'pus'),
    (('--policy', 'a=POLICY', '--task', 'reach'), 'another contract'),
    (('--policy', 'a=POLICY', '--json', 'no/such/file.json'), 'no such folder'),
    (('--policy', 'a=POLICY', '--burn-in', '1600'), '--burn-in')])
def test_bad_input_gets_one_sentence(follower, tmp_path, capsys, words, said):
    words = [word.replace('POLICY', str(follower)) for word in words]
    assert compounding(*words, '--output', str(tmp_path / 'out')) == 1
    assert said in capsys.readouterr().err
