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

"""The hot nodes in realtime: the arm waits for nobody, and every episode is whole all the same."""

from collections import Counter

from il_ros.contract.episode_spec import ABORTED, DRIVER_SILENT, ENDED, HOLD, POLICY, RUNNING
from il_ros.episodes.mcap import read_mcap
from il_ros.episodes.reader import read_episode
from il_ros.episodes.wire.schema import STATUS
from il_ros.nodes.expert import ExpertNode
from il_ros.nodes.observer import ObserverNode
from il_ros.nodes.recorder import RecorderNode
from il_ros.nodes.simulator import SimulatorNode
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import to_ns
from il_ros_interfaces.msg import EpisodeStatus, Executed, Observation, RecordedEpisode
import numpy as np
import pytest
from seam import episode, Graph, Script

PERIOD_S = 0.05


class OnTime(Graph):
    """The hot nodes around ``reach`` in realtime."""

    def __init__(self, bench, runs, **supervisor):
        self.bench, self.runs, self.task = bench, runs, 'reach'
        self.observations = bench.listen(Observation, 'observation', qos.RECORD)
        self.executed = bench.listen(Executed, 'executed', qos.RECORD)
        self.statuses = bench.listen(EpisodeStatus, 'episode', qos.RECORD_STATUS)
        self.recorded = bench.listen(RecordedEpisode, 'recorded', qos.RECEIPTS)
        bench.add(SupervisorNode, mode='realtime', **supervisor)
        bench.add(ExpertNode, task='reach', mode='realtime')
        bench.add(RecorderNode, runs=str(runs))
        bench.add(ObserverNode, contract='reach', pairing='as_of')
        bench.add(SimulatorNode, task='reach', mode='realtime')
        assert bench.until(lambda: self.observations), 'the graph does not start'


@pytest.fixture
def graph(bench, tmp_path) -> OnTime:
    """Return the graph; a driver that is silent for half a second ends its episode."""
    return OnTime(bench, tmp_path, silence_s=0.5)


def test_every_episode_is_whole_from_its_first_state(graph):
    for number in range(4):
        receipt = graph.run(episode(number, horizon=6))
        assert (receipt.flags, receipt.dropped, receipt.steps) == (0, 0, 6)


def test_a_step_takes_a_period_also_the_first_after_a_reset(graph):
    recorded = read_episode(graph.path(graph.run(episode(horizon=10))))
    apart_s = np.diff(recorded.stamps_ns) / 1e9
    assert apart_s.sum() >= 0.9 * len(apart_s) * PERIOD_S
    assert apart_s.min() >= PERIOD_S / 2


def test_the_last_state_is_recorded_once_though_it_is_said_at_every_beat(graph):
    receipt = graph.run(episode(horizon=4))
    assert graph.bench.until(lambda: sum(s.phase == ENDED for s in graph.statuses) >= 3)
    _, raws = read_mcap(graph.path(receipt)).messages(STATUS)
    assert len(raws) == 5


def test_a_driver_that_falls_silent_is_held_for_and_then_ends_the_episode(graph):
    Script(graph.bench, POLICY, lambda message: np.zeros(3) if message.step < 3 else None)
    receipt = graph.run(episode(horizon=200, driver=POLICY))
    assert (receipt.end, receipt.cause) == (ABORTED, DRIVER_SILENT)
    assert 'probe (policy/action) did not answer' in receipt.error_msg
    drivers = Counter(executed.driver for executed in graph.executed)
    assert drivers[POLICY] <= 3 <= drivers[HOLD]


def test_a_silence_that_is_short_costs_held_steps_and_no_episode(graph):
    Script(graph.bench, POLICY, lambda message: None if 2 <= message.step < 5 else np.zeros(3))
    receipt = graph.run(episode(horizon=12, driver=POLICY))
    assert (receipt.flags, receipt.steps) == (0, 12)
    held = {executed.step for executed in graph.executed if executed.driver == HOLD}
    assert {2, 3, 4} <= held
    assert all(executed.limits & Executed.REFUSED_MISSING
               for executed in graph.executed if executed.step in held)


def test_stamps_are_those_of_the_clock(graph):
    before = to_ns(graph.bench.probe.get_clock().now().to_msg())
    graph.run(episode(horizon=3))
    running = [to_ns(s.header.stamp) for s in graph.statuses if s.phase == RUNNING]
    after = to_ns(graph.bench.probe.get_clock().now().to_msg())
    assert before < running[0] < running[-1] < after
