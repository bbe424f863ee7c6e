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

"""The set-up script: what is missing is said in one line, what is done is not done again."""

import importlib.util
import os
from pathlib import Path
import re
import shutil
import sys
import sysconfig

import pytest

ROOT = Path(__file__).resolve().parent.parent


def load_script():
    """Import tools/environment.py, which belongs to no package."""
    spec = importlib.util.spec_from_file_location(
        'environment', ROOT / 'tools' / 'environment.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


script = load_script()


@pytest.fixture
def environment(tmp_path):
    """Return an environment whose folder for stamps exists, and nothing else."""
    (tmp_path / '.il_ros').mkdir()
    return script.Environment(tmp_path, [])


def test_what_the_machine_lacks_is_said_in_one_line_with_debians_names(
        monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sysconfig, 'get_path', lambda name: str(tmp_path))
    monkeypatch.setattr(shutil, 'which', lambda name: None)
    monkeypatch.setitem(sys.modules, 'ensurepip', None)
    monkeypatch.setattr(script.signal, 'signal', lambda *words: None)
    assert script.main(['--venv', str(tmp_path / 'never')]) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert said.rstrip().endswith('apt-get install python3-dev python3-venv g++')
    assert not (tmp_path / 'never').exists()


def test_an_old_python_is_refused_with_the_version_found(monkeypatch):
    monkeypatch.setattr(sys, 'version_info', (3, 9, 2))
    with pytest.raises(script.SetupError, match=r'3\.11 or later \(this is 3\.9'):
        script.check_machine()


def test_a_step_that_was_done_is_not_done_again(environment):
    done = []
    environment.once('step', 'key', lambda: done.append(1))
    environment.once('step', 'key', lambda: done.append(2))
    assert done == [1]


def test_a_step_is_done_again_when_its_inputs_change(environment):
    done = []
    environment.once('step', 'key', lambda: done.append(1))
    environment.once('step', 'other', lambda: done.append(2))
    assert done == [1, 2]


def test_a_step_that_was_cut_off_is_done_anew_even_if_it_was_done_before(environment):
    def cut():
        raise KeyboardInterrupt

    done = []
    environment.once('step', 'key', lambda: done.append(1))
    with pytest.raises(KeyboardInterrupt):
        environment.once('step', 'other', cut)
    environment.once('step', 'key', lambda: done.append(2))
    assert done == [1, 2]


def test_a_cut_installation_starts_from_an_empty_environment(environment, monkeypatch):
    calls = []
    monkeypatch.setattr(script, 'call', lambda *words: calls.append(words))
    (environment.folder / 'bin').mkdir()
    environment.python.symlink_to(sys.executable)
    environment.create()
    assert calls == []

    def cut(*words):
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, 'pip', cut)
    with pytest.raises(KeyboardInterrupt):
        environment.install_requirements()
    environment.create()
    assert [words[1:4] for words in calls] == [('-m', 'venv', '--clear')]


def test_an_installation_that_pip_refuses_keeps_the_environment(environment, monkeypatch):
    def refuse(*words):
        raise script.SetupError('no network')

    monkeypatch.setattr(environment, 'pip', refuse)
    with pytest.raises(script.SetupError):
        environment.install_requirements()
    assert not list((environment.folder / '.il_ros').iterdir())


def test_the_hash_of_a_folder_follows_names_and_contents(tmp_path, monkeypatch):
    monkeypatch.setattr(script, 'ROOT', tmp_path)
    folder = tmp_path / 'msg'
    folder.mkdir()
    file = folder / 'A.msg'
    file.write_text('int8 a')
    first = script.digest(folder)
    file.write_text('int8 b')
    second = script.digest(folder)
    file.rename(folder / 'B.msg')
    assert len({first, second, script.digest(folder)}) == 3


def test_a_sourced_ros_does_not_reach_what_the_set_up_starts(monkeypatch):
    monkeypatch.setenv('AMENT_PREFIX_PATH', '/opt/ros/other')
    monkeypatch.setenv('_ROS_WHEELS_BOOTSTRAP_COMPLETE', '1')
    started_with = script.clean_environment()
    assert not set(script.FOREIGN_VARIABLES) & set(started_with)
    assert started_with['PATH'] == os.environ['PATH']


def test_make_hides_a_sourced_ros_too():
    text = (ROOT / 'Makefile').read_text()
    hidden = ' '.join(re.findall(r'^unexport (.*)$', text, re.MULTILINE)).split()
    assert set(script.FOREIGN_VARIABLES) <= set(hidden)


def test_a_copy_of_an_environment_leaves_the_files_of_the_original_alone(environment, tmp_path):
    own = environment.folder / 'share' / 'old.msg'
    foreign = tmp_path.parent / f'{tmp_path.name}_original' / 'old.msg'
    for path in (own, foreign, environment._manifest):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    environment._manifest.write_text(f'{own}\n{foreign}\n')
    environment._remove_installed_interfaces()
    assert foreign.exists() and not own.exists()
