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

"""The collector as a node: the order of the calls, and what becomes of each failure."""

import functools

from action_msgs.msg import GoalStatus
from il_ros.contract.episode_spec import ABORTED, DRIVER_SILENT
from il_ros.episodes.receipts import Receipt
from il_ros.nodes.collector import CollectorNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import receipt_to_message, spec_to_message
from il_ros_interfaces.action import CollectEpisodes
from il_ros_interfaces.msg import RecordedEpisode
from il_ros_interfaces.srv import EndEpisode, OpenEpisode, ResetTask, SetDriver
import pytest
from rclpy.action import ActionClient
from seam import episode

Result = CollectEpisodes.Result
SERVICES = {'open_episode': OpenEpisode, 'set_driver': SetDriver, 'reset_task': ResetTask,
            'end_episode': EndEpisode}


class Hall:
    """Recorder, supervisor and task: they grant, refuse or keep silent as the test says."""

    def __init__(self, bench, without=(), **parameters):
        self.bench = bench
        self.asked, self.refuse, self.receipts = [], {}, {}
        self.code = 201
        self.publisher = bench.probe.create_publisher(RecordedEpisode, 'recorded', qos.RECEIPTS)
        for name, kind in SERVICES.items():
            if name not in without:
                bench.probe.create_service(kind, name, functools.partial(self._answer, name))
        self.collector = bench.add(CollectorNode, **parameters)
        self.client = ActionClient(bench.probe, CollectEpisodes, 'collect_episodes')
        assert bench.until(self.client.server_is_ready)

    def _answer(self, name, request, response):
        of = request.episode_id if name == 'end_episode' else request.spec.episode_id
        self.asked.append((name, of))
        if name in self.refuse:
            response.error_code, response.error_msg = self.code, self.refuse[name]
        elif name == 'reset_task' and of in self.receipts:
            self.publisher.publish(receipt_to_message(self.receipts[of]))
        return response

    def send(self, *specs, feedback=None):
        """Send a goal and return its handle."""
        return self.bench.send(self.client, CollectEpisodes.Goal(
            episodes=[spec_to_message(spec) for spec in specs], gate_threshold=-1.0), feedback)

    def names(self) -> list[str]:
        """Return what was asked, in order."""
        return [name for name, _ in self.asked]


def done(spec, **fields) -> Receipt:
    """Return the receipt of an episode."""
    return Receipt(spec, f'episodes/main/{spec.episode_id}.mcap', **fields)


@pytest.fixture
def hall(slow_bench) -> Hall:
    """Return a collector and those that it asks."""
    return Hall(slow_bench)


def test_each_episode_is_opened_armed_reset_and_awaited_in_this_order(hall):
    specs = [episode(1), episode(2)]
    hall.receipts = {s.episode_id: done(s, steps=7, success=True) for s in specs}
    said = []
    status, result = hall.bench.outcome(hall.send(*specs, feedback=said.append))
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, 0)
    assert hall.asked == [(name, spec.episode_id) for spec in specs
                          for name in ('open_episode', 'set_driver', 'reset_task')]
    assert [r.spec.episode_id for r in result.episodes] == [s.episode_id for s in specs]
    last = said[-1].feedback
    assert (last.finished, last.steps, last.successes) == (2, 14, 2)


@pytest.mark.parametrize('name, code', [
    ('open_episode', Result.RECORDER_FAILED), ('set_driver', Result.DRIVER_FAILED),
    ('reset_task', Result.TASK_FAILED)])
def test_a_refusal_ends_the_goal_with_its_sentence_and_what_was_finished(
        slow_bench, name, code):
    hall = Hall(slow_bench, settle_s=0.0)
    first = episode(1)
    hall.receipts = {first.episode_id: done(first)}
    handle = hall.send(first, episode(2))
    assert slow_bench.until(lambda: (
        'reset_task', first.episode_id) in hall.asked)
    hall.refuse[name] = 'the door is closed'
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, code)
    assert result.error_msg == f'{episode(2).episode_id}: the door is closed'
    assert [r.spec.episode_id for r in result.episodes] == [first.episode_id]


@pytest.mark.parametrize('name, code', [
    ('open_episode', Result.RECORDER_FAILED), ('set_driver', Result.DRIVER_FAILED),
    ('reset_task', Result.TASK_FAILED)])
def test_a_service_that_is_not_there_is_named_within_the_deadline(slow_bench, name, code):
    hall = Hall(slow_bench, without=(name,), call_deadline_s=0.2)
    status, result = hall.bench.outcome(hall.send(episode()))
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, code)
    assert f'{name} is not available after 0.2 s' in result.error_msg


def test_a_receipt_that_does_not_come_ends_the_episode_and_the_goal(slow_bench):
    hall = Hall(slow_bench, episode_deadline_s=1.0)
    status, result = hall.bench.outcome(hall.send(episode()))
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.TASK_FAILED)
    assert 'no receipt within 1.0 s' in result.error_msg
    assert hall.asked[-1] == ('end_episode', episode().episode_id)


def test_a_recorder_that_failed_ends_the_episode_and_the_goal(hall):
    hall.receipts = {episode().episode_id: Receipt(
        episode(), error_code=501, error_msg='the disk is full')}
    status, result = hall.bench.outcome(hall.send(episode(), episode(2)))
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.RECORDER_FAILED)
    assert 'the disk is full' in result.error_msg
    assert hall.asked[-1] == ('end_episode', episode().episode_id)


def test_a_silent_driver_ends_the_goal_and_is_named(hall):
    hall.receipts = {episode().episode_id: done(
        episode(), end=ABORTED, cause=DRIVER_SILENT, error_msg='policy did not answer')}
    status, result = hall.bench.outcome(hall.send(episode(), episode(2)))
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.DRIVER_FAILED)
    assert 'policy did not answer' in result.error_msg
    assert len(result.episodes) == 1
    assert 'reset_task' in hall.names() and hall.names().count('open_episode') == 1


def test_a_bad_specification_is_refused_before_anything_is_opened(hall):
    bad = spec_to_message(episode())
    bad.run = '../elsewhere'
    future = hall.client.send_goal_async(CollectEpisodes.Goal(episodes=[bad]))
    assert hall.bench.until(future.done)
    status, result = hall.bench.outcome(future.result())
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.BAD_GOAL)
    assert "run is '../elsewhere'" in result.error_msg
    assert hall.asked == []


def test_a_second_goal_is_refused_while_the_first_goes_on(hall):
    first = hall.send(episode())
    assert hall.bench.until(lambda: 'reset_task' in hall.names())
    status, result = hall.bench.outcome(hall.send(episode(2)))
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.BUSY)
    hall.publisher.publish(receipt_to_message(done(episode())))
    status, result = hall.bench.outcome(first)
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, 0)


def test_a_cancel_ends_the_running_episode_keeps_the_finished_and_spares_the_next_goal(hall):
    hall.receipts = {episode(1).episode_id: done(episode(1))}
    handle = hall.send(episode(1), episode(2), episode(3))
    assert hall.bench.until(lambda: ('reset_task', episode(2).episode_id) in hall.asked)
    canceled = handle.cancel_goal_async()
    assert hall.bench.until(canceled.done, timeout_s=1.0)
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_CANCELED, Result.CANCELED)
    assert [r.spec.episode_id for r in result.episodes] == [episode(1).episode_id]
    assert hall.asked[-1] == ('end_episode', episode(2).episode_id)
    hall.receipts[episode(4).episode_id] = done(episode(4))
    status, result = hall.bench.outcome(hall.send(episode(4)))
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, 0)


def test_a_receipt_of_an_earlier_attempt_is_not_taken_for_this_one(slow_bench):
    hall = Hall(slow_bench, episode_deadline_s=1.0)
    other = episode(2)
    hall.publisher.publish(receipt_to_message(done(other)))
    status, result = hall.bench.outcome(hall.send(episode(1)))
    assert result.error_code == Result.TASK_FAILED
