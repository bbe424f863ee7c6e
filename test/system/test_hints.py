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

"""Every command line that a message tells people to type works as it is printed."""

import ast
import inspect
from pathlib import Path
import re
import shlex
import shutil

from command_line import config_for
from il_ros import hints
from il_ros.cli.parser import main, make_parser, VERBS
from il_ros.episodes.label_file import labels_path
from il_ros.runs.inventory import episodes_of
from il_ros.tasks.contracts import contract_text
import pytest

pytestmark = pytest.mark.system

PACKAGE = Path(hints.__file__).parent
BUMPS = '{"bumps": {"rate": 0.04, "speed": 0.5}}'
PRINTED = re.compile(r'\bil_ros ((?:dataset )?[a-z]+)(?: |$)')
STATIC = ('cli/parser.py', 'hints.py', *(
    path.relative_to(PACKAGE).as_posix() for path in (PACKAGE / 'cli/arguments').glob('*.py')))
"""Texts of --help, and the place where the command lines of messages are made."""


class Followed:
    """Calls of ``il_ros`` in one folder, and the hints that were followed, by their function."""

    names: set[str] = set()

    def __init__(self, folder: Path, capfd):
        self.folder, self._capfd = folder, capfd

    def call(self, *words: str, code: int = 0) -> str:
        """Run a command that ends with this code, and return all that it says."""
        self._capfd.readouterr()
        found, said = main(list(words)), ''.join(self._capfd.readouterr())
        assert found == code, said
        return said

    def follow(self, said: str, name: str, *more: str) -> str:
        """Run the command line that was printed, with words that make it short."""
        expected = inspect.getsource(getattr(hints, name)).partition("_line('")[2]
        verb = expected.partition("'")[0]
        line, = [line for line in said.splitlines() if f'il_ros {verb} ' in line]
        words = shlex.split(line[line.index(f'il_ros {verb} '):])
        self.names.add(name)
        return self.call(*words[1:], *more)


@pytest.fixture
def follow(tmp_path, monkeypatch, capfd) -> Followed:
    """Return a place to type in that has nothing yet."""
    (tmp_path / 'place').mkdir()
    monkeypatch.chdir(tmp_path / 'place')
    return Followed(tmp_path / 'place', capfd)


def own_contract(folder: Path) -> str:
    """Write a contract file of one's own, and return its name."""
    text = contract_text('reach')
    (folder / 'mine.yaml').write_text(text)
    return 'mine.yaml'


@pytest.mark.parametrize('words', [
    pytest.param((), marks=pytest.mark.drill),
    pytest.param(('--contract', 'reach_image', '--runs', 'my runs'), marks=pytest.mark.drill),
    ('--contract', 'mine.yaml', '--options', BUMPS, '--continuing', '--runs', 'elsewhere')])
def test_from_recording_to_judging_each_command_tells_the_next_one(follow, tmp_path, words):
    own_contract(follow.folder)
    config = str(config_for('reach', tmp_path))
    if 'reach_image' in words:
        config = str(tmp_path / 'image.yaml')
        Path(config).write_text(
            'training: {architecture: cnn, images: [camera], inputs: [joint_position], steps: 2, '
            'warmup_steps: 1, batch: 4}')
    said = follow.call('record', '--task', 'reach', '--run', 'a', '--episodes', '1', '--horizon',
                       '80', *words)
    (follow.folder / 'mine.yaml').unlink()
    said = follow.follow(said, 'train', '--config', config)
    said = follow.follow(said, 'evaluate', '--episodes', '1', '--horizon', '20')
    assert 'of 1 succeed' in said


def test_a_run_with_a_contract_of_ones_own_is_repeated_without_being_told_so(follow):
    contract = own_contract(follow.folder)
    follow.call('record', '--task', 'reach', '--run', 'a', '--episodes', '1', '--horizon', '5',
                '--contract', contract)
    (follow.folder / contract).unlink()
    for through in ('graph', 'simulator'):
        assert '1 of 1 episodes' in follow.call('dataset', 'replay', 'a', '--through', through)
    assert (follow.folder / 'runs' / 'a-replay-1' / 'contract' / contract).exists()


def test_who_trains_on_nothing_is_told_how_to_record(follow):
    said = follow.call('train', '--run', 'new', '--runs', 'my runs', code=1)
    said = follow.follow(said, 'record', '--episodes', '1', '--horizon', '5')
    follow.follow(said, 'plot')
    assert len(episodes_of(follow.folder / 'my runs' / 'new')) == 1


def test_who_trains_on_keys_that_are_older_than_the_run_is_told_how_to_draw_them_anew(
        follow, tmp_path):
    words = ('--task', 'reach', '--run', 'a', '--horizon', '5')
    follow.call('record', *words, '--episodes', '2')
    follow.call('dataset', 'split', 'a', '--ratio', '0.5')
    follow.call('record', *words, '--episodes', '1', '--seed', '2')
    train = ('train', '--run', 'a', '--filter-key', 'train', '--config',
             str(config_for('reach', tmp_path)))
    said = follow.call(*train, code=1)
    assert 'older than 1 episode' in said
    follow.follow(said, 'split')
    follow.call(*train)


def test_what_the_verbs_of_dataset_advise_works(follow, whole_run):
    run = shutil.copytree(whole_run('reach'), follow.folder / 'my runs' / 'first')
    words = ('first', '--runs', 'my runs')
    follow.follow(follow.call('dataset', 'replay', *words, '--episode', 'x', code=1), 'plot')
    said = follow.call('dataset', 'relabel', *words, '--expert')
    follow.follow(said, 'repair')
    assert 'episodes verified, no errors' in follow.call('dataset', 'verify', *words)
    damaged = labels_path(episodes_of(run)[0])
    damaged.write_bytes(damaged.read_bytes()[:-60])
    said = follow.call('dataset', 'repair', *words, code=3)
    assert '1 episodes, ' in follow.follow(said, 'relabel', '--expert')
    (run / 'all.hdf5').write_bytes(b'damaged')
    assert 'the next training on all of the run will rebuild it' in follow.call(
        'dataset', 'repair', *words)
    follow.call('train', '--run', *words, '--config', str(config_for('reach', follow.folder)))
    assert 'no errors' in follow.call('dataset', 'verify', *words)


def test_every_hint_was_followed():
    made = {name for name, value in vars(hints).items()
            if inspect.isfunction(value) and not name.startswith('_')}
    if not Followed.names:
        pytest.skip('the tests that follow the hints did not run; make test runs them')
    assert made == Followed.names | {'teach'}


def test_the_hint_that_needs_a_person_is_understood():
    words = make_parser().parse_args(shlex.split(
        hints.teach('push', 'human', Path('elsewhere', 'mine')))[1:])
    assert (words.call, words.task, words.strategy, words.run, words.runs, words.teleop) == (
        'dagger', 'push', 'human', 'mine', 'elsewhere', 'joy')


def texts_of(path: Path) -> list[str]:
    """Return the texts of a module that are no docstrings."""
    tree = ast.parse(path.read_text())
    documents = {id(one.value) for node in ast.walk(tree)
                 for one in (node.body if isinstance(getattr(node, 'body', None), list) else ())
                 if isinstance(one, ast.Expr)}
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)
            and isinstance(node.value, str) and id(node) not in documents]


def test_no_message_makes_a_command_line_of_its_own():
    assert {'train', 'evaluate', 'record', 'dataset'} <= set(VERBS)
    found = {(path.name, text) for path in PACKAGE.rglob('*.py')
             if path.relative_to(PACKAGE).as_posix() not in STATIC
             for text in texts_of(path) for match in PRINTED.finditer(text)
             if match[1].split()[0] in VERBS}
    assert not found
