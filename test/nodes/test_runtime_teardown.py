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

"""A runtime leaves nothing behind: in the graph when it is closed, in memory while it runs."""

import gc
import types

from il_ros.graph.client import Client
from il_ros.nodes.collector import CollectorNode
from il_ros.nodes.recorder import RecorderNode
from il_ros.ros import runtime as runtimes
from il_ros.ros.listening import every
from il_ros.ros.runtime import Runtime
import pytest
from seam import Bench


@pytest.fixture
def no_collector():
    """Keep the garbage collector from hiding what was left behind."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize('kind, name', [
    (CollectorNode, 'collector'), (Client, 'il_ros_command'), (RecorderNode, 'recorder')])
def test_a_node_is_gone_from_the_graph_when_its_runtime_is_closed(
        no_collector, kind, name):
    with Bench('single') as bench:
        with Runtime() as runtime:
            runtime.add(kind)
            assert bench.until(lambda: name in bench.probe.get_node_names())
        assert bench.until(lambda: name not in bench.probe.get_node_names())


def test_the_callbacks_that_have_run_leave_nothing_in_memory(monkeypatch):
    monkeypatch.setattr(runtimes, 'SPIN_TIMEOUT_S', 0.05)
    functions, ticks = [], 0
    with Runtime() as runtime:
        def tick():
            nonlocal ticks
            ticks += 1
            if ticks % 250 == 0:
                functions.append(sum(isinstance(one, types.FunctionType)
                                     for one in gc.get_objects()))
            if len(functions) == 5:
                runtime.request_stop()
        every(runtime.add(CollectorNode), 0.001, tick)
        runtime.spin()
    # What one spin leaves goes with the next one.
    assert functions[-1] - functions[0] < 500, functions
