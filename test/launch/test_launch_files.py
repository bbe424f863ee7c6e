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

"""The launch files and the parameter file, held against the nodes by their syntax trees."""

import ast
import re

from launch_tree import arguments, calls, declared, entry_points, FILES, included, nodes_of, ROOT
from launch_tree import SHARED
import pytest
import yaml


def test_the_four_launch_files_are_there():
    assert [path.name.partition('.')[0] for path in FILES] == [
        'dagger', 'deploy', 'record', 'simulation']


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_every_node_is_an_executable_and_is_given_parameters_that_it_declares(path):
    for executable, given in nodes_of(path):
        assert executable in entry_points()
        assert given <= set(declared(executable)), executable


@pytest.mark.parametrize('name, executables', [
    ('simulation', {'simulator', 'operator_task', 'observer'}),
    ('record', {'simulator', 'operator_task', 'observer', 'supervisor', 'expert', 'recorder',
                'collector', 'teleop'}),
    ('deploy', {'simulator', 'operator_task', 'observer', 'supervisor', 'expert', 'recorder',
                'collector', 'teleop', 'policy'}),
    ('dagger', set(entry_points()) - {'il_ros', 'graph', 'gripper'})])
def test_a_launch_file_starts_each_of_its_nodes_once(name, executables):
    path = ROOT / 'launch' / f'{name}.launch.py'
    started = [node for each in (path, *included(path)) for node, _ in nodes_of(each)]
    assert sorted(started) == sorted(executables)


@pytest.mark.parametrize('path', [*FILES, SHARED], ids=lambda path: path.name)
def test_every_argument_has_a_description_and_a_default(path):
    for call in calls(path, 'DeclareLaunchArgument'):
        words = {word.arg: word.value for word in call.keywords}
        assert len(ast.literal_eval(words['description'])) > 10, call.args[0].value
        assert 'default_value' in words, call.args[0].value


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_every_argument_that_is_used_is_declared(path):
    known = {name for each in (path, *included(path), SHARED) for name in arguments(each)}
    used = {call.args[0].value for name in ('text', 'number', 'flag', 'LaunchConfiguration')
            for call in calls(path, name)}
    assert used <= known


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_launch_files_are_declarative(path):
    kinds = (ast.If, ast.For, ast.While, ast.Try, ast.IfExp, ast.comprehension)
    assert not [item for item in ast.walk(ast.parse(path.read_text())) if isinstance(item, kinds)]


def test_every_node_is_told_how_far_it_may_listen():
    assert 'discovery_range' in arguments(SHARED)
    started, = calls(SHARED, 'Node')
    assert 'additional_env' in {word.arg for word in started.keywords}


def parameter_file() -> dict[str, dict]:
    """Return config/params.yaml: the parameters by node."""
    sections = yaml.safe_load((ROOT / 'config' / 'params.yaml').read_text())
    assert all(re.fullmatch(r'/\*\*/\w+', key) for key in sections)
    assert all(set(section) == {'ros__parameters'} for section in sections.values())
    return {key.rpartition('/')[2]: section['ros__parameters']
            for key, section in sections.items()}


def test_the_parameter_file_has_the_defaults_of_the_nodes():
    for node, given in parameter_file().items():
        assert node in entry_points()
        defaults = {name: declared(node).get(name) for name in given}
        assert given == defaults, node
        assert [type(value) for value in given.values()] == [
            type(value) for value in defaults.values()], node


def given_by_launch() -> set[tuple[str, str]]:
    """Return the parameters that launch files give, as pairs of node and name."""
    return {(node, name) for path in FILES for node, names in nodes_of(path) for name in names}


def test_an_argument_is_not_in_the_parameter_file_too():
    given = given_by_launch()
    assert not given & {(node, name) for node, names in parameter_file().items()
                        for name in names}


def test_every_parameter_is_an_argument_or_in_the_parameter_file():
    given = given_by_launch()
    listed = {(node, name) for node, names in parameter_file().items() for name in names}
    every = {(node, name) for node in set(entry_points()) - {'il_ros', 'graph'}
             for name in declared(node)}
    assert {name for _, name in every - given - listed} == {'executor'}
