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

"""The examples of the docstrings and of the documents run, and give what they say."""

import dataclasses
import doctest
import inspect
from pathlib import Path
import re
import tarfile

import il_ros
import pytest

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / 'test' / 'system' / 'recorded' / 'earlier_run.tar.xz'
PAGES = ('README.md', 'docs/tutorials/python.md', 'docs/tutorials/own-policy.md',
         'docs/tutorials/own-expert.md')
BLOCKS = [(page, block) for page in PAGES for block in re.findall(
    r'```python\n(.*?)```', (ROOT / page).read_text(), re.DOTALL)]


@pytest.fixture(scope='module')
def runs(tmp_path_factory) -> Path:
    """Return a working directory that has the run of the examples, under two names."""
    folder = tmp_path_factory.mktemp('examples')
    with tarfile.open(RECORDED) as archive:
        archive.extractall(folder / 'runs', filter='data')
    (folder / 'runs' / 'earlier').rename(folder / 'runs' / 'first')
    (folder / 'runs' / 'demo').symlink_to(folder / 'runs' / 'first')
    return folder


def examples() -> list[doctest.DocTest]:
    """Return the examples of the package and of each public name."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [one for name in il_ros.__all__
             for one in finder.find(getattr(il_ros, name), f'il_ros.{name}', module=False)]
    text = doctest.DocTestParser().get_doctest(il_ros.__doc__, {}, 'il_ros', None, 0)
    return [text, *(one for one in found if one.examples)]


@pytest.mark.parametrize('example', examples(), ids=lambda one: one.name)
def test_an_example_gives_what_it_says(example, runs, monkeypatch):
    if example.name == 'il_ros.dagger':
        pytest.importorskip('il_ros_interfaces', reason='needs il_ros_interfaces: make test')
    monkeypatch.chdir(runs)
    said = []
    example.globs = {}
    assert not doctest.DocTestRunner(verbose=False).run(example, out=said.append).failed, said


def test_the_readme_shows_the_whole_way():
    assert any(all(f'il_ros.{name}(' in block for name in (
        'make_env', 'demonstrate', 'train', 'evaluate', 'open_run'))
        for page, block in BLOCKS if page == 'README.md')


@pytest.mark.parametrize('page, block', BLOCKS)
def test_the_python_of_the_documents_runs(page, block, runs, monkeypatch, capsys):
    """In few steps: what it prints after all of them stands in the comment; a run is there."""
    monkeypatch.chdir(runs)
    settings = il_ros.TrainConfig.of
    monkeypatch.setattr(il_ros.TrainConfig, 'of', lambda *words: dataclasses.replace(
        settings(*words), steps=20, warmup_steps=2))
    signature = inspect.signature(il_ros.dagger)
    monkeypatch.setattr(il_ros, 'dagger', lambda *words, **others: (
        signature.bind(*words, **others) and il_ros.open_run('runs/demo')))
    exec(block.replace('range(10)', 'range(2)').replace('episodes=200', 'episodes=2'), {})
    if 'evaluate' in block:
        assert re.match(r'\d of [23]: \d+\.\d % \(\d+ to \d+\)\n', capsys.readouterr().out)
