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
from il_ros.graph.graph import build, GraphOptions
import pytest


class Noting:
    """A runtime that builds nothing and notes what it was asked for."""

    def __init__(self):
        self.asked, self.claims, self.claimed = {}, self, []

    def take(self, names):
        """Note which parts are claimed, and that nothing was built before."""
        assert not self.asked
        self.claimed += names

    def add(self, kind, parameter_overrides):
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
    ('moon', "no contract 'moon'"), ('push_image', 'the reach expert drives')])
def test_a_contract_that_does_not_fit_is_refused_before_any_node_is_built(contract, sentence):
    runtime = Noting()
    with pytest.raises(ImitationError, match=sentence):
        build(runtime, GraphOptions(task='reach', contract=contract))
    assert runtime.asked == {}
