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

"""Security that is asked for and cannot be had: no node starts (drill C5)."""

import importlib

from il_ros.graph.executables import class_of, EXECUTABLES
from il_ros.ros.environment import check_environment, EnvironmentVariableError
import pytest

NODES = [name for name in EXECUTABLES if name != 'graph']
FILES = ('identity_ca.cert.pem', 'cert.pem', 'key.pem', 'permissions_ca.cert.pem',
         'governance.p7s', 'permissions.p7s')


@pytest.fixture
def enforced(monkeypatch):
    """Ask for security as ROS documents it, without a keystore."""
    monkeypatch.setenv('ROS_SECURITY_ENABLE', 'true')
    monkeypatch.setenv('ROS_SECURITY_STRATEGY', 'Enforce')
    monkeypatch.delenv('ROS_SECURITY_KEYSTORE', raising=False)
    return monkeypatch


@pytest.mark.parametrize('name', NODES)
def test_no_node_starts_without_the_keystore_that_is_enforced(enforced, capsys, name):
    runtime = pytest.importorskip('il_ros.ros.runtime', reason='needs rclpy: make test')
    module = importlib.import_module(f'il_ros.nodes.{name}')
    kind = class_of(name)
    assert runtime.run(getattr(module, kind), []) == 1
    assert capsys.readouterr().err == (
        f"{kind}: security is enforced, but ROS_SECURITY_KEYSTORE is ''; set it to the folder "
        'that ros2 security create_keystore made\n')


def test_the_graph_does_not_start_either(enforced, capsys):
    graph = pytest.importorskip('il_ros.graph.graph', reason='needs rclpy: make test')
    assert graph.main([]) == 1
    assert capsys.readouterr().err.startswith('graph: security is enforced, but ROS_SEC')


def test_keys_that_cannot_be_used_end_the_start_in_one_sentence(enforced, tmp_path):
    runtime = pytest.importorskip('il_ros.ros.runtime', reason='needs rclpy: make test')
    from rclpy.node import Node
    (tmp_path / 'enclaves').mkdir()
    for name in FILES:
        (tmp_path / 'enclaves' / name).touch()
    enforced.setenv('ROS_SECURITY_KEYSTORE', str(tmp_path))
    with runtime.Runtime([]) as started:
        with pytest.raises(runtime.StartError, match='ROS does not start: ') as refused:
            started.add(lambda context: Node('one', context=context))
    assert len(str(refused.value).splitlines()) == 1


def test_an_enclave_that_is_not_in_the_keystore_is_refused(enforced, tmp_path):
    runtime = pytest.importorskip('il_ros.ros.runtime', reason='needs rclpy: make test')
    (tmp_path / 'enclaves').mkdir()
    enforced.setenv('ROS_SECURITY_KEYSTORE', str(tmp_path))
    enforced.setenv('ROS_SECURITY_ENCLAVE_OVERRIDE', '/other')
    with pytest.raises(runtime.StartError, match='/enclaves/other'):
        runtime.Runtime([])


@pytest.mark.parametrize('name, value, taken, known', [
    ('ROS_SECURITY_ENABLE', '1', 'false', 'true or false'),
    ('ROS_SECURITY_ENABLE', 'True', 'false', 'true or false'),
    ('ROS_SECURITY_STRATEGY', 'enforce', 'Permissive', 'Enforce or Permissive')])
def test_a_word_that_ros_would_take_for_no_security_is_refused(
        enforced, name, value, taken, known):
    enforced.setenv(name, value)
    with pytest.raises(EnvironmentVariableError) as refused:
        check_environment([])
    assert str(refused.value) == (
        f'{name} is {value!r}, which ROS takes for {taken}; set it to {known}, or unset it')


@pytest.mark.parametrize('enable, strategy', [
    ('true', 'Permissive'), ('false', 'Enforce'), ('', 'Enforce'), ('true', '')])
def test_security_that_is_not_enforced_needs_no_keystore(enforced, enable, strategy):
    enforced.setenv('ROS_SECURITY_ENABLE', enable)
    enforced.setenv('ROS_SECURITY_STRATEGY', strategy)
    check_environment([])
