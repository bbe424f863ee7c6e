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

"""The whole graph in one process: which nodes get which contract."""

from il_ros.errors import ImitationError
from il_ros.graph.graph import build, contract_of
from il_ros.graph.graph_options import GraphOptions
from il_ros.nodes.simulator import SimulatorNode
from il_ros.tasks.contracts import contract_text
import pytest


class Noting:
    """A runtime that builds nothing and notes what it was asked for."""

    def __init__(self):
        self.asked, self.claimed = {}, []

    def claim(self, names):
        """Note which parts are claimed, and that nothing was built before."""
        assert not self.asked
        self.claimed += names

    def add(self, kind, parameter_overrides, **_):
        """Note a node and its parameters."""
        self.asked[kind.__name__] = {p.name: p.value for p in parameter_overrides}


@pytest.mark.parametrize('given, expected', [('', 'push'), ('push_image', 'push_image')])
def test_camera_and_observer_get_the_contract_by_default_the_tasks(given, expected):
    runtime = Noting()
    build(runtime, GraphOptions(task='push', contract=given))
    assert [runtime.asked[name]['contract'] for name in ('SimulatorNode', 'ObserverNode')] == [
        expected] * 2
    assert runtime.asked['ExpertNode']['task'] == 'push'
    assert set(runtime.claimed) == {name.removesuffix('Node').lower() for name in runtime.asked}


@pytest.mark.parametrize('contract, sentence', [
    ('moon', "no contract 'moon'"), ('push_image', 'the reach expert commands')])
def test_a_contract_that_does_not_fit_is_refused_before_any_node_is_built(contract, sentence):
    runtime = Noting()
    with pytest.raises(ImitationError, match=sentence):
        build(runtime, GraphOptions(task='reach', contract=contract))
    assert runtime.asked == {}


@pytest.fixture
def file_at(tmp_path):
    """Return the function that writes a contract file for reach with another rate."""
    def write(rate: str) -> str:
        (tmp_path / 'mine.yaml').write_text(
            contract_text('reach').replace('rate: 20.0', f'rate: {rate}'))
        return str(tmp_path / 'mine.yaml')
    return write


def test_the_rate_of_a_contract_file_is_that_of_the_graph(file_at):
    runtime = Noting()
    build(runtime, GraphOptions(task='reach', contract=file_at('10.0')))
    assert [runtime.asked[name]['rate_hz'] for name in ('SimulatorNode', 'ObserverNode')] == [
        10.0] * 2
    given = GraphOptions(task='reach', contract=file_at('10.0'), rate_hz=40.0)
    assert (contract_of(given).rate, contract_of(GraphOptions(task='reach')).rate) == (40.0, 20.0)


def test_a_rate_that_no_graph_has_is_refused(file_at):
    with pytest.raises(ImitationError, match='mine.yaml: rate is 500 Hz; expected 1 to 200'):
        build(Noting(), GraphOptions(task='reach', contract=file_at('500')))


def test_a_simulator_without_a_rate_has_that_of_its_contract(bench, file_at):
    simulator = bench.add(SimulatorNode, task='reach', contract=file_at('10.0'))
    assert simulator._rate_hz == 10.0
