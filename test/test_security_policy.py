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

"""The SROS 2 policy allows each node what it has, and nothing else."""

import importlib.util
from pathlib import Path
import xml.etree.ElementTree as ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / 'docs' / 'how-to' / 'security.md').read_text()


@pytest.fixture(scope='module')
def tool():
    """Return the tool as a module."""
    spec = importlib.util.spec_from_file_location(
        'security_policy', ROOT / 'tools' / 'security_policy.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def enclaves(tool):
    """Return the enclaves of the file by their paths."""
    root = ElementTree.parse(tool.POLICY).getroot()
    assert root.get('version') == '0.2.0'
    return {enclave.get('path'): enclave for enclave in root.iterfind('enclaves/enclave')}


def test_the_policy_is_that_of_the_nodes(tool):
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    assert tool.policy() == tool.POLICY.read_text(), (
        'the policy is out of date: run python tools/security_policy.py')


def allowed(enclave, kind: str, rule: str) -> set[str]:
    """Return the names of an enclave under one rule."""
    return {one.text for one in enclave.iterfind(
        f'profiles/profile/{kind}s[@{rule}="ALLOW"]/{kind}')}


def test_the_supervisor_alone_may_command_the_arm(enclaves):
    writers = {path for path, enclave in enclaves.items()
               if 'joint_command' in allowed(enclave, 'topic', 'publish')}
    assert writers == {'/il_ros/supervisor', '/il_ros/graph'}


def test_actions_are_named_as_such_and_a_lone_part_of_one_by_its_topic(enclaves):
    assert allowed(enclaves['/il_ros/trainer'], 'action', 'execute') == {'train_policy'}
    assert 'train_policy' in allowed(enclaves['/il_ros/coordinator'], 'action', 'call')
    assert 'run_dagger/_action/feedback' in allowed(enclaves['/il_ros/view'], 'topic', 'subscribe')
    assert not [name for enclave in enclaves.values()
                for name in allowed(enclave, 'service', 'reply') if '_action' in name]


def test_whoever_looks_may_publish_nothing_of_the_graph(enclaves):
    for name in ('view', 'doctor'):
        assert not allowed(enclaves[f'/il_ros/{name}'], 'topic', 'publish') - {
            '/rosout', '/parameter_events'}


def test_every_enclave_is_on_the_page(tool, enclaves):
    assert set(enclaves) == {f'/il_ros/{name}' for name in (
        *tool.NODES, *tool.OTHERS, tool.WHOLE)}
    for name in (*tool.OTHERS, tool.WHOLE):
        assert f'`/il_ros/{name}`' in PAGE


def test_launch_files_name_the_enclave_of_each_node():
    source = (ROOT / 'il_ros' / 'graph' / 'launching.py').read_text()
    assert "'--enclave', f'/{PACKAGE}/{executable}'" in source
