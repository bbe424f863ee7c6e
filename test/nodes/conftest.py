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

"""
What node tests share: a bench with nodes and a probe in one private context, on one executor.

The node under test is driven by messages and answers with messages; the physics and the
kinematics behind the nodes are built once, since neither remembers anything between episodes.
"""

import contextlib
import os

from il_ros.robots.kinematics import Kinematics
from il_ros.sim.simulation import Simulation
import pytest
from seam import Bench
from shipped_arms import PANDA


ON_ONE_EXECUTOR = {
    'test_collecting', 'test_hostile_messages', 'test_hostile_processes',
    'test_policy_loading', 'test_realtime', 'test_replay'}
"""Tests of these last long, and depend little on the executor: the other one is a drill."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Make drills of the long tests on the executor that is not the default."""
    for item in items:
        if item.path.stem in ON_ONE_EXECUTOR and hasattr(item, 'callspec') and (
                'single' in item.callspec.params.values()):
            item.add_marker(pytest.mark.drill)


@pytest.fixture(scope='session')
def lasting():
    """Yield the simulations and kinematics of this session, by name; closed at its end."""
    parts = {}
    yield parts
    for part in parts.values():
        type(part).close(part)


def _kept(parts: dict, name: str, build):
    if name not in parts:
        parts[name] = build()
        parts[name].close = lambda: None
    return parts[name]


@pytest.fixture(autouse=True)
def _built_once(lasting, monkeypatch):
    monkeypatch.setattr('il_ros.nodes.simulator.Simulation', lambda task, **_: _kept(
        lasting, task, lambda: Simulation(task)))
    monkeypatch.setattr('il_ros.nodes.supervisor.Kinematics', lambda robot: _kept(
        lasting, 'kinematics', lambda: Kinematics(robot)))


@pytest.fixture
def kinematics(lasting):
    """Return kinematics of the arm."""
    return _kept(lasting, 'kinematics', lambda: Kinematics(PANDA))


@pytest.fixture(params=['events', 'single'])
def bench(request):
    """Yield a bench for hot nodes, on either executor."""
    with Bench(request.param) as made:
        yield made


@pytest.fixture
def prompt_bench():
    """Yield a bench that other programs do not hold up, where the system permits that."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        with Bench('events') as made:
            yield made
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@pytest.fixture
def slow_bench():
    """Yield a bench for nodes with actions: they live on the SingleThreadedExecutor alone."""
    with Bench('single') as made:
        yield made


@pytest.fixture(autouse=True)
def _own_ros_home(tmp_path_factory, monkeypatch):
    """Keep what nodes leave under the ROS home out of the user's, and apart from test to test."""
    monkeypatch.setenv('ROS_HOME', str(tmp_path_factory.mktemp('ros_home')))
