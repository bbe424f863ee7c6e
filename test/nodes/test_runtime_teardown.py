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

"""A runtime that is closed leaves nothing in the graph, without help of the garbage collector."""

import gc

from il_ros.graph.client import Client
from il_ros.nodes.collector import CollectorNode
from il_ros.nodes.recorder import RecorderNode
from il_ros.ros.runtime import Runtime
import pytest
from seam import Bench


@pytest.fixture
def no_collector():
    """Keep the garbage collector from hiding what was left behind."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize('kind, name, slow', [
    (CollectorNode, 'collector', True), (Client, 'il_ros_command', True),
    (RecorderNode, 'recorder', False)])
def test_a_node_is_gone_from_the_graph_when_its_runtime_is_closed(
        no_collector, kind, name, slow):
    with Bench('single') as bench:
        with Runtime() as runtime:
            (runtime.add_background_node if slow else runtime.add_loop_node)(kind)
            assert bench.until(lambda: name in bench.probe.get_node_names())
        assert bench.until(lambda: name not in bench.probe.get_node_names())
