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

"""The coordinator as a node: which goals it refuses, and what of a stopped run remains."""

import dataclasses
import json

from action_msgs.msg import GoalStatus
from il_ros.contract.episode_spec import EpisodeSpec
from il_ros.episodes.receipts import Receipt, write_receipt
from il_ros.episodes.writer import EpisodeWriter
from il_ros.nodes.coordinator import CoordinatorNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_to_message
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.action import CollectEpisodes, RunDagger
from il_ros_interfaces.msg import Contract
import pytest
from rclpy.action import ActionClient, ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future

Result = RunDagger.Result
CONTRACT, _ = find_contract('push')


class Hall:
    """A coordinator, somebody who publishes the contract, and perhaps a collector."""

    def __init__(self, bench, runs, **parameters):
        self.bench, self.runs = bench, runs
        bench.add(CoordinatorNode, runs=str(runs), **parameters)
        bench.talk(Contract, 'contract', qos.LATCHED).publish(contract_to_message(CONTRACT))
        self.client = ActionClient(bench.probe, RunDagger, 'run_dagger')
        assert bench.until(self.client.server_is_ready)
        self.asked, self.canceled = [], Future()

    def collect(self, refuse: str = ''):
        """Serve ``collect_episodes``: refuse, or work until it is cancelled."""
        async def execute(goal):
            result = CollectEpisodes.Result()
            self.asked.append(goal.request)
            if refuse:
                result.error_code = CollectEpisodes.Result.TASK_FAILED
                result.error_msg = refuse
                goal.abort()
                return result
            await self.canceled
            result.error_code = CollectEpisodes.Result.CANCELED
            goal.canceled()
            return result

        def cancel(_):
            self.canceled.set_result(None)
            return CancelResponse.ACCEPT

        ActionServer(self.bench.probe, CollectEpisodes, 'collect_episodes', execute,
                     callback_group=ReentrantCallbackGroup(), cancel_callback=cancel)

    def send(self, feedback=None, **fields):
        """Send a goal and return its handle."""
        goal = RunDagger.Goal(**{
            'run': 'first', 'task': 'push', 'strategy': 'corrections', 'demonstrations': 2,
            'rounds': 1, 'episodes_per_round': 2, 'evaluation_episodes': 2,
            'final_evaluation_episodes': 2, 'evaluation_first_seed': 1_000_000, **fields})
        return self.bench.send(self.client, goal, feedback)

    def run(self, **fields):
        """Send a goal and return status and result."""
        return self.bench.outcome(self.send(**fields))


@pytest.fixture
def hall(slow_bench, tmp_path) -> Hall:
    """Return a coordinator without a collector."""
    return Hall(slow_bench, tmp_path, call_deadline_s=0.5)


@pytest.mark.parametrize('fields, sentence', [
    ({'strategy': 'luck'}, "'luck'"), ({'task': 'moon'}, "'moon'"), ({'task': ''}, 'task is'),
    ({'run': '../x'}, "run is '../x'"), ({'demonstrations': 0}, 'demonstrations is 0'),
    ({'rounds': 100}, 'rounds is 100'), ({'evaluation_first_seed': 999_999}, 'is 999999'),
    ({'options': 'x'}, 'options are not JSON'), ({'config': '/no/where.yaml'}, '/no/where.yaml'),
    ({'episodes_per_round': 0}, 'episodes_per_round is 0')])
def test_a_goal_that_cannot_be_run_is_refused_in_one_sentence_and_leaves_nothing(
        hall, tmp_path, fields, sentence):
    status, result = hall.run(**fields)
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.BAD_GOAL)
    assert sentence in result.error_msg
    assert '\n' not in result.error_msg
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('config, sentence', [
    ('training: {inputs: [moon_position]}', 'moon_position'),
    ('training: {inputs: [goal_position], luck: 3}', 'luck'),
    ('training: {inputs: [goal_position], architecture: cnn, images: [camera]}', "has 'camera'"),
    ('training: {inputs: [goal_position]}\nstrategy: {gate: {treshold: 1}}', 'treshold'),
    ('training: [', 'cannot be read')])
def test_a_configuration_that_cannot_work_is_refused_before_anything_is_recorded(
        hall, tmp_path, config, sentence):
    path = tmp_path / 'config.yaml'
    path.write_text(config)
    status, result = hall.run(config=str(path))
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.BAD_GOAL)
    assert sentence in result.error_msg
    assert list(tmp_path.iterdir()) == [path]


def test_a_collector_that_is_not_there_is_named_and_the_run_can_be_resumed(hall, tmp_path):
    status, result = hall.run()
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.COLLECT_FAILED)
    assert 'collect_episodes is not available' in result.error_msg
    assert json.loads((tmp_path / 'first' / 'run.json').read_text())['finished'] == []
    assert hall.run(resume=True)[1].error_code == Result.COLLECT_FAILED


def test_an_existing_run_is_refused_unless_it_is_resumed_with_its_own_goal(hall):
    hall.run()
    status, result = hall.run()
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.RUN_EXISTS)
    assert 'first' in result.error_msg
    status, result = hall.run(resume=True, seed=8)
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.RUN_DIFFERS)
    assert 'seed 0, but 8 was asked for' in result.error_msg


def test_a_run_that_was_recorded_with_another_contract_is_not_resumed(hall, tmp_path):
    hall.run()
    of = EpisodeSpec('demonstration-r00-000000', 'first', 'push')
    writer = EpisodeWriter(tmp_path / 'first' / 'episodes' / 'main', of,
                           dataclasses.replace(CONTRACT, rate=50.0), {}, min_free_bytes=0)
    writer._writer.finish()
    writer._temporary.replace(writer.path)
    write_receipt(writer.path, Receipt(of))
    status, result = hall.run(resume=True)
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.BAD_GOAL)
    assert 'has episodes with contract push (' in result.error_msg


def test_what_the_collector_refuses_ends_the_run_with_its_sentence(hall):
    hall.collect(refuse='the arm is upside down')
    status, result = hall.run()
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.COLLECT_FAILED)
    assert 'the arm is upside down' in result.error_msg
    assert len(hall.asked) == 1


def test_a_second_goal_is_refused_while_the_first_runs(hall):
    hall.collect()
    first = hall.send()
    assert hall.bench.until(lambda: hall.asked)
    status, result = hall.run(run='second')
    assert (status, result.error_code) == (GoalStatus.STATUS_ABORTED, Result.BUSY)
    first.cancel_goal_async()
    assert hall.bench.outcome(first)[1].error_code == Result.CANCELED


def test_a_cancel_reaches_the_collector_at_once_and_the_run_can_be_resumed(hall, tmp_path):
    hall.collect()
    said = []
    handle = hall.send(said.append)
    assert hall.bench.until(lambda: hall.asked)
    canceled = handle.cancel_goal_async()
    assert hall.bench.until(canceled.done, timeout_s=1.0)
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_CANCELED, Result.CANCELED)
    assert hall.canceled.done()
    assert said and said[0].feedback.success_rate == -1.0
    first = [spec.episode_id for spec in hall.asked[0].episodes]
    hall.canceled = Future()
    handle = hall.send(resume=True)
    assert hall.bench.until(lambda: len(hall.asked) == 2)
    assert [spec.episode_id for spec in hall.asked[1].episodes] == first
    handle.cancel_goal_async()
    hall.bench.outcome(handle)


def test_a_cancel_before_the_first_stage_is_not_lost(slow_bench, tmp_path):
    hall = Hall(slow_bench, tmp_path)
    hall.collect()
    node = slow_bench._nodes[1]
    assert slow_bench.until(lambda: node._backend._contract is not None)
    node._backend._contract = None
    handle = hall.send()
    canceled = handle.cancel_goal_async()
    assert slow_bench.until(canceled.done)
    node._backend._contract = CONTRACT
    status, result = hall.bench.outcome(handle)
    assert (status, result.error_code) == (GoalStatus.STATUS_CANCELED, Result.CANCELED)
    assert hall.asked == []
