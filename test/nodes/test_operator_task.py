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

"""A task on a real arm, alone: its beats, what it refuses, and when it ends an episode."""

from il_ros.contract.episode_spec import ABORTED, CLOCK_JUMP, ENDED, EpisodeSpec, FAULT, IDLE
from il_ros.contract.episode_spec import LOST, RUNNING, TERMINATED
from il_ros.errors import ImitationError
from il_ros.nodes.operator_task import OperatorTaskNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import NS, to_ns, to_stamp
from il_ros_interfaces.msg import EpisodeStatus, Executed
import pytest
from seam import reset
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

SPEC = EpisodeSpec('a', 'demo', 'cups')
STEP_NS = NS // 100


class Stage:
    """The node, and an arm that says where it is when it is told to."""

    def __init__(self, bench):
        self.bench = bench
        self.statuses = bench.listen(EpisodeStatus, 'episode', qos.RECORD_STATUS)
        self.node = bench.add(OperatorTaskNode, task='cups', contract='reach', horizon=50,
                              silence_s=1.5)
        self.joints = bench.talk(JointState, 'joint_states')
        self.stamp_ns = bench.probe.get_clock().now().nanoseconds

    def beats(self, count: int):
        """Say where the arm is, at 100 Hz by the stamps, until there are so many more states."""
        wanted = len(self.statuses) + count
        for _ in range(50 * count):
            if len(self.statuses) >= wanted:
                return
            self.stamp_ns += STEP_NS
            message = JointState()
            message.header.stamp = to_stamp(self.stamp_ns)
            self.joints.publish(message)
            self.bench.until(lambda: len(self.statuses) >= wanted, 0.01)
        raise AssertionError(f'{len(self.statuses)} of {wanted} states')

    def begin(self):
        """Begin the episode."""
        self.beats(1)
        response = reset(self.bench, SPEC)
        assert response.error_code == 0, response.error_msg


@pytest.fixture
def stage(bench) -> Stage:
    """Return a stage."""
    return Stage(bench)


def test_each_beat_of_the_arm_at_the_rate_is_a_step_with_its_stamp(stage):
    stage.begin()
    stage.beats(5)
    assert [(s.phase, s.step) for s in stage.statuses] == [
        (IDLE, 0), *((RUNNING, step) for step in range(5))]
    stamps = [to_ns(s.header.stamp) for s in stage.statuses]
    assert all(0 == (stamp - stage.stamp_ns) % STEP_NS for stamp in stamps)
    assert all(0.02 <= (b - a) / NS <= 0.08 for a, b in zip(stamps, stamps[1:]))


def test_no_episode_begins_without_an_arm_or_with_the_emergency_stop(stage):
    response = reset(stage.bench, SPEC)
    assert response.error_code == response.BUSY and 'no joint_states' in response.error_msg
    stopped = stage.bench.talk(Bool, 'estopped', qos.LATCHED)
    stopped.publish(Bool(data=True))
    stage.beats(2)
    response = reset(stage.bench, SPEC)
    assert response.error_code == response.BUSY and 'emergency stop' in response.error_msg


def test_an_episode_without_a_supervisor_ends_also_when_the_arm_is_silent(stage):
    stage.begin()
    stage.beats(2)
    assert stage.bench.until(lambda: stage.statuses[-1].phase == ENDED)
    status = stage.statuses[-1]
    assert (status.end, status.cause) == (ABORTED, FAULT)
    assert status.reason == 'for 1.5 s no executed counted'


def test_a_jump_of_the_arms_clock_ends_the_episode(stage):
    stage.begin()
    stage.beats(2)
    stage.stamp_ns -= 5 * NS
    stage.beats(2)
    status = stage.statuses[-1]
    assert (status.end, status.cause) == (ABORTED, CLOCK_JUMP)
    assert 'jumped by -5.0' in status.reason


def test_a_person_without_a_device_says_by_a_service_that_it_is_lost(stage):
    stage.begin()
    stage.beats(2)
    alive = stage.bench.talk(Executed, 'executed')
    alive.publish(Executed())
    answer = stage.bench.call(Trigger, 'episode_lost', Trigger.Request())
    assert answer.success
    stage.beats(1)
    status = stage.statuses[-1]
    assert (status.end, status.cause, status.success) == (TERMINATED, LOST, False)


def test_a_task_that_is_not_registered_needs_a_time_limit(bench):
    with pytest.raises(ImitationError, match='set horizon'):
        bench.add(OperatorTaskNode, task='cups', contract='reach')
