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

"""The names of ``il_ros``: what they are, where they come from, and what they load."""

import ast
import inspect
from pathlib import Path
import subprocess
import sys

import il_ros
import pytest

HEAVY = {'gymnasium', 'h5py', 'numpy', 'pybullet', 'rclpy', 'torch'}


def test_every_public_name_resolves():
    assert il_ros.__all__ == sorted(set(il_ros.__all__))
    for name in il_ros.__all__:
        assert getattr(il_ros, name).__name__ == name


def test_type_checkers_know_every_name_and_no_other():
    found = {}
    for node in ast.walk(ast.parse(Path(il_ros.__file__).read_text())):
        if isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING':
            for one in node.body:
                found.update({alias.name: one.module for alias in one.names})
    assert found == il_ros._WHERE
    assert sorted(found) == il_ros.__all__


def test_a_name_that_is_none_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'il_ros' has no attribute 'demonstrat'"):
        il_ros.demonstrat
    assert not hasattr(il_ros, 'nothing')


def test_dir_shows_every_public_name_before_it_is_used():
    code = ('import il_ros, sys; print(*dir(il_ros)); '
            'print(*{name.partition(".")[0] for name in sys.modules})')
    shown, loaded = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                                   timeout=60, check=True).stdout.splitlines()
    assert set(il_ros.__all__) <= set(shown.split())
    assert not HEAVY & set(loaded.split())


@pytest.mark.parametrize('names, unwanted', [
    ('Contract, Episode, Expert, ImitationError, Strategy, make_expert, read_episode',
     HEAVY - {'numpy'}),
    ('Policy, load_policy, open_run, save_policy', HEAVY - {'numpy', 'h5py'}),
    ('demonstrate, evaluate, make_env', {'rclpy', 'torch'}),
    ('train', {'rclpy', 'pybullet', 'torch._dynamo'})])
def test_a_name_loads_only_what_it_needs(names, unwanted):
    more = 'from il_ros.learning.training_worker.job import warm_up; warm_up(); '
    code = f'from il_ros import {names}; {more if names == "train" else ""}'
    code += 'import sys; print(*sys.modules)'
    loaded = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                            timeout=60, check=True).stdout.split()
    assert not unwanted & set(loaded)


def test_every_function_has_types_and_an_example():
    functions = [value for value in map(il_ros.__getattr__, il_ros.__all__)
                 if inspect.isfunction(value)]
    assert len(functions) >= 9
    for function in functions:
        signature = inspect.signature(function)
        assert signature.return_annotation is not signature.empty, function
        assert all(one.annotation is not one.empty for one in signature.parameters.values())
        assert '>>> import il_ros' in function.__doc__, function
