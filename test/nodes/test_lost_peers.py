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

"""Nodes that are lost while somebody waits for them: known within two seconds, asked again."""

import subprocess
import time

from action_msgs.msg import GoalStatus
from il_ros.contract.episode_spec import ABORTED, DRIVER_SILENT, OPERATOR, POLICY
from il_ros.episodes.receipts import Receipt
from il_ros.interactive.run_state import load
from il_ros.ros import qos
from il_ros.ros.calls import LostError, Waiter
from il_ros.ros.conversion.messages import receipt_to_message
from il_ros.ros.presence import pulse
from il_ros.ros.presence.peer_watch import Beat, Process
from il_ros.ros.presence.peers import ATTEMPTS, Peers
from il_ros_interfaces.action import CollectEpisodes, TrainPolicy
from il_ros_interfaces.srv import OpenEpisode
import pytest
import rclpy
from rclpy.action import ActionClient, ActionServer
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future
from seam import Bench, episode
from std_msgs.msg import String
from test_collector import done, Hall
from test_coordinator import Hall as Stage, Result as RunResult

Result = CollectEpisodes.Result
NOTICED_S = 2.0


class Others:
    """Processes that play parts: they say so, and may be killed."""

    def __init__(self, bench):
        self._bench = bench
        self.processes: dict[str, subprocess.Popen] = {}
        self._publishers = {}

    def come(self, part: str):
        """Let a new process play a part."""
        process = self.processes[part] = subprocess.Popen(['sleep', '60'])
        own = pulse.own_process()
        beat = Beat(Process(own.place, process.pid, pulse.started(process.pid)), (part,))
        self._publishers[part] = self._bench.probe.create_publisher(
            String, 'alive', qos.LATCHED)
        self._publishers[part].publish(String(data=str(beat)))

    def kill(self, part: str):
        """End whoever plays a part."""
        process = self.processes.pop(part)
        process.kill()
        process.wait()

    def close(self):
        """End all of them."""
        for part in list(self.processes):
            self.kill(part)


@pytest.fixture
def others(slow_bench):
    """Yield the processes of a test, on its bench."""
    made = Others(slow_bench)
    yield made
    made.close()


@pytest.fixture
def hall(slow_bench) -> Hall:
    """Return a collector that waits a second for a node to come back."""
    return Hall(slow_bench, return_s=1.5)


def heard(hall, others, *parts: str):
    """Let processes play parts, and wait until the collector knows."""
    for part in parts:
        others.come(part)
    watch = hall.collector._peers._watch
    assert hall.bench.until(lambda: {part.split(':')[0] for part in parts} <= set(watch.parts))


def test_the_episode_of_a_lost_supervisor_is_ended_and_run_again_when_it_is_back(hall, others):
    heard(hall, others, 'supervisor', 'recorder')
    told, spec = [], episode(1)
    handle = hall.send(spec, feedback=told.append)
    assert hall.bench.until(lambda: 'reset_task' in hall.names())
    others.kill('supervisor')
    assert hall.bench.until(lambda: 'end_episode' in hall.names(), NOTICED_S)
    hall.publisher.publish(receipt_to_message(done(spec, end=ABORTED, cause=OPERATOR)))
    hall.receipts = {spec.episode_id: done(spec)}
    others.come('supervisor')
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, 0)
    assert hall.names() == ['open_episode', 'set_driver', 'reset_task', 'end_episode',
                            'open_episode', 'set_driver', 'reset_task']
    assert [receipt.end for receipt in result.episodes] == [ABORTED, 0]
    repeated, = {message.feedback.repeated for message in told} - {''}
    assert repeated.startswith(f'{spec.episode_id}: supervisor ended')
    assert repeated.endswith('(1 of 3)')


@pytest.mark.parametrize('part, name, code, last', [
    ('recorder', 'recorder', Result.RECORDER_FAILED, 'end_episode'),
    ('simulator:operator_task', 'operator_task', Result.TASK_FAILED, 'reset_task')])
def test_a_node_that_does_not_come_back_ends_the_goal_and_is_named(
        hall, others, part, name, code, last):
    heard(hall, others, part)
    handle = hall.send(episode(1))
    assert hall.bench.until(lambda: 'reset_task' in hall.names())
    others.kill(part)
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, code)
    assert f': {name} ended and was not started again within 1.5 s' in result.error_msg
    assert hall.names()[-1] == last


def test_an_episode_in_which_a_node_is_lost_each_time_is_not_run_for_ever(hall, others):
    heard(hall, others, 'supervisor')
    handle = hall.send(episode(1))
    for attempt in range(1, ATTEMPTS + 1):
        assert hall.bench.until(lambda: hall.names().count('reset_task') == attempt)
        others.kill('supervisor')
        assert hall.bench.until(lambda: hall.names().count('end_episode') == attempt)
        hall.publisher.publish(receipt_to_message(done(
            episode(1), end=ABORTED, cause=OPERATOR)))
        others.come('supervisor')
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.DRIVER_FAILED)
    assert 'supervisor ended' in result.error_msg and '4th time' in result.error_msg


def test_an_episode_that_fails_while_nodes_find_each_other_again_is_run_again(hall, others):
    heard(hall, others, 'observer')
    handle = hall.send(episode(1))
    assert hall.bench.until(lambda: 'reset_task' in hall.names())
    others.kill('observer')
    assert hall.bench.until(lambda: hall.collector._peers._watch.losses('observer'), NOTICED_S)
    others.come('observer')
    hall.publisher.publish(receipt_to_message(done(
        episode(1), end=ABORTED, cause=DRIVER_SILENT, error_msg='no observation')))
    assert hall.bench.until(lambda: hall.names().count('reset_task') == 2)
    hall.publisher.publish(receipt_to_message(Receipt(
        episode(1), error_code=502, error_msg='it has no observation of step 0')))
    assert hall.bench.until(lambda: hall.names().count('reset_task') == 3)
    hall.publisher.publish(receipt_to_message(done(episode(1))))
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, 0)


def test_an_expert_that_is_started_again_in_time_drives_on_or_the_episode_is_run_again(
        hall, others):
    heard(hall, others, 'expert')
    handle = hall.send(episode(1))
    for attempt in (1, 2):
        assert hall.bench.until(lambda: hall.names().count('reset_task') == attempt)
        others.kill('expert')
        watch = hall.collector._peers._watch
        assert hall.bench.until(lambda: watch.losses('expert') == attempt, NOTICED_S)
        others.come('expert')
        hall.publisher.publish(receipt_to_message(done(episode(1)) if attempt == 2 else done(
            episode(1), end=ABORTED, cause=DRIVER_SILENT, error_msg='expert is silent')))
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, 0)
    assert hall.names() == 2 * ['open_episode', 'set_driver', 'reset_task']


def test_a_lost_policy_ends_the_goal_for_nobody_here_knows_its_checkpoint(hall, others):
    heard(hall, others, 'policy')
    specs = [episode(number, driver=POLICY) for number in (1, 2)]
    hall.receipts = {specs[0].episode_id: done(specs[0])}
    handle = hall.send(*specs)
    assert hall.bench.until(lambda: ('reset_task', specs[1].episode_id) in hall.asked)
    others.kill('policy')
    others.come('policy')
    assert hall.bench.until(lambda: hall.collector._peers._watch.losses('policy'))
    hall.publisher.publish(receipt_to_message(done(
        specs[1], end=ABORTED, cause=DRIVER_SILENT)))
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.DRIVER_FAILED)
    assert 'policy ended; started again it has no checkpoint' in result.error_msg
    assert [receipt.spec.episode_id for receipt in result.episodes] == [
        spec.episode_id for spec in specs]


def test_an_episode_that_a_lost_collector_left_running_is_ended_first(slow_bench):
    hall, spec = Hall(slow_bench, settle_s=5.0), episode(1)
    hall.refuse, hall.code = {'open_episode': 'it is recorded'}, OpenEpisode.Response.BUSY
    handle = hall.send(spec)
    assert hall.bench.until(lambda: 'end_episode' in hall.names())
    hall.publisher.publish(receipt_to_message(done(spec, end=ABORTED, cause=OPERATOR)))
    hall.refuse.clear()
    assert hall.bench.until(lambda: 'reset_task' in hall.names())
    hall.publisher.publish(receipt_to_message(done(spec)))
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_SUCCEEDED, 0)
    assert hall.names().count('end_episode') == 1
    assert [receipt.end for receipt in result.episodes] == [ABORTED, 0]


def test_a_stage_whose_collector_is_lost_is_asked_for_again(slow_bench, others, tmp_path):
    asked, forever = [], Future()

    async def collect(goal):
        asked.append(goal.request)
        goal.publish_feedback(CollectEpisodes.Feedback(repeated='expert-1: observer ended'))
        await forever
        goal.abort()
        return Result(error_code=Result.TASK_FAILED)
    stage = Stage(slow_bench, tmp_path, call_deadline_s=2.0)
    ActionServer(slow_bench.probe, CollectEpisodes, 'collect_episodes', collect,
                 callback_group=ReentrantCallbackGroup())
    others.come('collector')
    handle = stage.send()
    for count in (1, 2):
        assert slow_bench.until(lambda: len(asked) == count)
        others.kill('collector')
        if count == 1:
            others.come('collector')
    assert asked[0] == asked[1]
    status, result = slow_bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, RunResult.COLLECT_FAILED)
    gone = 'collector ended and was not started again within 2 s'
    assert gone in result.error_msg
    faults = [(fault.what.split(' (')[0], fault.done)
              for fault in load(tmp_path / 'first').faults]
    lost, repeated = (('collector ended', 'waited for where it is needed'),
                      ('expert-1: observer ended', 'the episode is repeated'))
    again = ('collector ended', 'expert-evaluate is asked for again ({} of 3)')
    assert faults == [
        repeated, lost, (again[0], again[1].format(1)), repeated, lost,
        (again[0], again[1].format(2)), (f'expert-evaluate: {gone}', 'the run ended')]
    forever.set_result(None)
    slow_bench.until(lambda: False, timeout_s=0.2)


def test_work_whose_server_is_lost_is_asked_for_again(slow_bench, others):
    goals, forever = [], Future()

    async def execute(goal):
        goals.append(goal)
        if len(goals) == 1:
            await forever
        goal.succeed()
        return TrainPolicy.Result(labels=7)
    group = ReentrantCallbackGroup()
    ActionServer(slow_bench.probe, TrainPolicy, 'train_policy', execute, callback_group=group)
    node = slow_bench.keep(rclpy.create_node('asker', context=slow_bench.context))
    waiter = Waiter(node)
    peers = Peers(node, waiter)
    client = ActionClient(node, TrainPolicy, 'train_policy', callback_group=waiter.group)
    others.come('trainer')
    assert slow_bench.until(lambda: 'trainer' in peers._watch.parts)
    task = node.executor.create_task(peers.again('the fit', 5.0, lambda: waiter.run_action(
        client, TrainPolicy.Goal(), 5.0)))
    assert slow_bench.until(lambda: goals)
    others.kill('trainer')
    began = time.monotonic()
    assert slow_bench.until(lambda: peers._watch.is_gone('trainer'), NOTICED_S)
    others.come('trainer')
    assert slow_bench.until(task.done)
    assert task.result()[1].labels == 7 and len(goals) == 2
    assert time.monotonic() - began < 4.0
    forever.set_result(None)


def test_a_call_to_a_lost_server_ends_at_once_with_its_name(slow_bench, others):
    node = slow_bench.keep(rclpy.create_node('asker', context=slow_bench.context))
    slow_bench.probe.create_service(OpenEpisode, 'open_episode', lambda _, response: response)
    waiter = Waiter(node)
    peers = Peers(node, waiter)
    others.come('recorder')
    assert slow_bench.until(lambda: 'recorder' in peers._watch.parts)
    others.kill('recorder')
    assert slow_bench.until(lambda: peers._watch.is_gone('recorder'), NOTICED_S)
    client = node.create_client(OpenEpisode, 'open_episode', callback_group=waiter.group)
    node.executor.create_task(waiter.call(client, OpenEpisode.Request(), 30.0))
    with pytest.raises(LostError, match='recorder ended'):
        slow_bench.until(lambda: False)


def test_nobody_is_looked_at_in_a_graph_of_one_process():
    with Bench('single') as bench:
        node = bench.keep(rclpy.create_node('asker', context=bench.context))
        peers = Peers(node, Waiter(node))
        beat = Beat(pulse.own_process(), ('recorder', 'collector'))
        bench.talk(String, 'alive', qos.LATCHED).publish(String(data=str(beat)))
        bench.until(lambda: False, timeout_s=0.3)
        assert peers._timer.is_canceled() and not list(peers._watch.parts)
