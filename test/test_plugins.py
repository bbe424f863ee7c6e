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

"""Plug-ins: what other packages give, found by name; nothing is installed for it."""

import logging
import os
from pathlib import Path
import runpy
import subprocess
import sys

from il_ros import plugins
from plugin_package import write_package
import pytest
import setuptools

ROOT = Path(__file__).resolve().parent.parent

SLIDE = """
from il_ros.tasks.reach.task import Reach
class Slide(Reach):
    '''Slide along the table.'''
    name = 'slide'
"""


def warnings_of(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records
            if record.levelno == logging.WARNING]


def test_ours_are_the_entry_points_of_the_set_up(monkeypatch):
    given = {}
    monkeypatch.setattr(setuptools, 'setup', lambda **words: given.update(words))
    monkeypatch.chdir(ROOT)
    runpy.run_path('setup.py')
    listed = {kind: dict(line.split(' = ') for line in given['entry_points'][f'il_ros.{kind}'])
              for kind in plugins.KINDS}
    assert listed == plugins.BUILT_IN


@pytest.mark.parametrize('kind', plugins.KINDS)
def test_each_of_ours_can_be_imported(kind):
    for name in plugins.BUILT_IN[kind]:
        assert plugins.find(kind, name).load() is not None


def test_a_plug_in_of_another_package_is_found_and_imported_only_when_asked_for(package):
    package('gliding', {'tasks': {'slide': 'gliding:Slide'}}, gliding=SLIDE)
    found = plugins.find('tasks', 'slide')
    assert (found.package, found.target) == ('gliding', 'gliding:Slide')
    assert 'gliding' not in sys.modules
    assert plugins.find('tasks', 'slide').load().name == 'slide'


def test_an_unknown_name_is_answered_by_those_that_there_are(package):
    package('gliding', {'tasks': {'slide': 'gliding:Slide'}})
    with pytest.raises(plugins.UnknownPluginError,
                       match="^there is no task 'juggle'; there are reach, push, .*, slide$"):
        plugins.find('tasks', 'juggle').load()


def test_a_module_and_its_object_are_understood_in_the_place_of_a_name(package):
    package('gliding', {}, gliding=SLIDE)
    plugins.trust('push', 'gliding:Slide', 'gliding:Slide', 'other:Slide')
    assert plugins.find('tasks', 'gliding:Slide').load().name == 'slide'
    assert os.environ['IL_ROS_PLUGINS'] == 'gliding:Slide other:Slide'


def test_a_module_that_nobody_here_asked_for_is_not_imported(package):
    package('gliding', {}, gliding=SLIDE)
    plugins.trust('gliding:Sli', 'gliding', 'a gliding:Slide')
    with pytest.raises(plugins.UntrustedPluginError, match='set IL_ROS_PLUGINS=gliding:Slide$'):
        plugins.find('tasks', 'gliding:Slide')
    assert 'gliding' not in sys.modules


def test_a_file_cannot_name_a_module(package):
    package('gliding', {}, gliding=SLIDE)
    with pytest.raises(plugins.UnknownPluginError, match="there is no task 'gliding:Slide'"):
        plugins.find_named('tasks', 'gliding:Slide')
    assert 'gliding' not in sys.modules


@pytest.mark.parametrize('source, reason', [
    ('import absent_library', "ModuleNotFoundError: No module named 'absent_library'"),
    ('raise RuntimeError("out of order")', 'RuntimeError: out of order'),
    ('import sys; sys.exit("bye")', 'SystemExit: bye'),
    ('nothing = 0', "AttributeError: module 'torn' has no attribute 'Task'")])
def test_a_plug_in_that_cannot_be_imported_is_a_sentence_and_leaves_the_others(
        package, tmp_path, source, reason):
    package('torn', {'tasks': {'tear': 'torn:Task'}}, torn=source)
    with pytest.raises(plugins.PluginError) as caught:
        plugins.find('tasks', 'tear').load()
    sentence = f"task 'tear' of the package torn: torn:Task cannot be imported: {reason}"
    place = f', raised in {tmp_path / "torn.py"}, line 1' if 'no attribute' not in reason else ''
    assert str(caught.value) == sentence + place
    assert [plugins.find('tasks', name).load().name for name in plugins.BUILT_IN['tasks']] == [
        *plugins.BUILT_IN['tasks']]


@pytest.mark.parametrize('content', [b'[il_ros.tasks]\nslide\n', b'[il_ros.tasks]\na = \xff\n'])
def test_a_package_with_a_malformed_file_is_left_out_with_a_warning(
        package, tmp_path, caplog, content):
    package('gliding', {'tasks': {'slide': 'gliding:Slide'}}, gliding=SLIDE)
    package('torn', {'tasks': {}})
    (tmp_path / 'torn-1.0.dist-info' / 'entry_points.txt').write_bytes(content)
    plugins.forget()
    assert plugins.find('tasks', 'slide').load().name == 'slide'
    assert 'cnn' in plugins.table('policies')
    warning, = warnings_of(caplog)
    assert warning.startswith('plug-ins of the package torn are ignored: its entry_points.txt')


def test_a_module_that_is_not_there_is_answered_by_where_to_put_it(monkeypatch):
    monkeypatch.setenv('IL_ROS_PLUGINS', 'absent_package.tasks:Slide')
    with pytest.raises(plugins.PluginError, match='put its folder on PYTHONPATH'):
        plugins.find('tasks', 'absent_package.tasks:Slide').load()


@pytest.mark.parametrize('target', ['gliding', 'gliding:', ':Slide'])
def test_an_entry_that_names_no_object_is_refused(package, target):
    package('gliding', {'tasks': {'slide': target}}, gliding=SLIDE)
    with pytest.raises(plugins.PluginError, match='expected module:Object'):
        plugins.find('tasks', 'slide').load()


def test_of_two_with_one_name_ours_counts_and_the_other_is_warned_of_once(package, caplog):
    package('rival', {'tasks': {'push': 'rival:Push'}})
    assert plugins.find('tasks', 'push').package == 'il_ros'
    plugins.find('tasks', 'push').load()
    assert warnings_of(caplog) == [
        "task 'push' of the package rival is ignored: il_ros has one of that name"]


def test_our_own_entries_are_no_rivals_whatever_separates_the_words_of_our_name(package, caplog):
    package('il-ros', {'tasks': {'push': 'il_ros.tasks.push.task:Push'}})
    assert plugins.find('tasks', 'push').package == 'il_ros'
    assert not warnings_of(caplog)


def test_what_is_no_class_of_the_kind_is_refused(package):
    from il_ros.tasks.base import Task
    package('odd', {'tasks': {'number': 'odd:number', 'bare': 'odd:Bare'}},
            odd='from il_ros.tasks.base import Task\nnumber = 3\nclass Bare(Task):\n    pass\n')
    with pytest.raises(plugins.PluginError, match=r"'number' of the package odd: odd:number is 3; "
                                                  r'expected a subclass of il_ros\.tasks\.base'):
        plugins.find('tasks', 'number').load_class(Task)
    with pytest.raises(plugins.PluginError, match='does not define evaluate, resample, sample'):
        plugins.find('tasks', 'bare').load_class(Task)


def test_a_child_process_finds_what_is_on_the_python_path(tmp_path):
    # As the training worker starts: nothing but PYTHONPATH is inherited.
    write_package(tmp_path, 'gliding', {'tasks': {'slide': 'gliding:Slide'}}, {'gliding': SLIDE})
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    code = ('from il_ros import plugins\n'
            'plugins.trust("gliding:Slide")\n'
            'for name in ("slide", "gliding:Slide"):\n'
            '    print(plugins.find("tasks", name).load().__name__)\n')
    done = subprocess.run([sys.executable, '-c', code], cwd='/', capture_output=True, text=True,
                          timeout=60, env={**os.environ, 'PYTHONPATH': path,
                                           'PYTHONSAFEPATH': '1'})
    assert done.stdout.split() == ['Slide', 'Slide'], done.stderr
