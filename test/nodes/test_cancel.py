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

"""A cancel takes effect within a second, in whatever phase the collector or the run is."""

import threading
import time

from action_msgs.msg import GoalStatus
from il_ros.interactive.outcomes import Trained
from il_ros.interactive.stage import Stage
from il_ros.interactive.stage_work import TrainJob
from il_ros.nodes.collector import CollectorNode
from il_ros.nodes.coordinator import CoordinatorNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_to_message, spec_to_message
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.action import CollectEpisodes, RunDagger, TrainPolicy
from il_ros_interfaces.msg import Contract
from il_ros_interfaces.srv import EndEpisode, LoadPolicy, OpenEpisode, ResetTask, SetDriver
import pytest
from rclpy.action import ActionClient, ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future
from seam import episode

LIMIT_S = 1.0
SERVICES = {'open_episode': OpenEpisode, 'set_driver': SetDriver, 'reset_task': ResetTask,
            'end_episode': EndEpisode, 'load_policy': LoadPolicy}
ACTIONS = {'collect_episodes': CollectEpisodes, 'train_policy': TrainPolicy}
NO_DEADLINE = {'call_deadline_s': 100.0}
CONTRACT, _ = find_contract('push')


class Others:
    """Servers that grant, or take what they are asked and never answer."""

    def __init__(self, bench):
        self.bench, self.asked = bench, []
        self.group = ReentrantCallbackGroup()

    def serve(self, names, silent=()):
        """Serve these services and actions; the silent ones answer nothing, not even a cancel."""
        for name in names:
            if name in ACTIONS:
                ActionServer(self.bench.probe, ACTIONS[name], name, self._silence(name),
                             callback_group=self.group,
                             cancel_callback=lambda _: CancelResponse.ACCEPT)
                continue
            answer = self._silence(name) if name in silent else self._grant(name)
            self.bench.probe.create_service(
                SERVICES[name], name, answer, callback_group=self.group)

    def _grant(self, name):
        def answer(_request, response):
            self.asked.append(name)
            return response
        return answer

    def _silence(self, name):
        async def answer(*_):
            self.asked.append(name)
            await Future()
        return answer


@pytest.fixture
def others(slow_bench) -> Others:
    """Return those that the node under test asks."""
    return Others(slow_bench)


def cancel(bench, handle) -> tuple[float, int, int]:
    """Cancel a goal; return the seconds to its end, its status and its code."""
    began = time.monotonic()
    handle.cancel_goal_async()
    status, result = bench.outcome(handle)
    return time.monotonic() - began, status, result.error_code


CALLS = ('open_episode', 'set_driver', 'reset_task', 'end_episode')


@pytest.mark.parametrize('absent, silent, reached', [
    (('open_episode',), (), None), ((), ('open_episode',), 'open_episode'),
    (('set_driver',), (), 'open_episode'), ((), ('set_driver',), 'set_driver'),
    (('reset_task',), (), 'set_driver'), ((), ('reset_task',), 'reset_task'),
    (('reset_task', 'end_episode'), (), 'set_driver'), ((), (), 'reset_task'),
    (('end_episode',), (), 'reset_task'), ((), ('end_episode',), 'reset_task')])
def test_collecting_is_cancelled_at_once_in_each_phase_whoever_is_silent(
        others, absent, silent, reached):
    bench = others.bench
    others.serve([name for name in CALLS if name not in absent], silent)
    bench.add(CollectorNode, **NO_DEADLINE)
    client = ActionClient(bench.probe, CollectEpisodes, 'collect_episodes')
    assert bench.until(client.server_is_ready)
    goal = CollectEpisodes.Goal(episodes=[spec_to_message(episode())], gate_threshold=-1.0)
    said = bench.send(client, goal)
    assert bench.until(lambda: reached is None or reached in others.asked)
    seconds, status, code = cancel(bench, said)
    assert (status, code) == (GoalStatus.STATUS_CANCELED, CollectEpisodes.Result.CANCELED)
    assert seconds < LIMIT_S
    if reached == 'reset_task' and 'end_episode' not in absent:
        assert others.asked[-1] == 'end_episode'


def test_a_cancel_of_a_goal_that_was_refused_leaves_the_running_one_alone(others):
    bench = others.bench
    others.serve(CALLS)
    bench.add(CollectorNode)
    client = ActionClient(bench.probe, CollectEpisodes, 'collect_episodes')
    assert bench.until(client.server_is_ready)
    goal = CollectEpisodes.Goal(episodes=[spec_to_message(episode())], gate_threshold=-1.0)
    first = bench.send(client, goal)
    assert bench.until(lambda: 'reset_task' in others.asked)
    second = bench.send(client, goal)
    done = second.cancel_goal_async()
    assert bench.until(done.done)
    assert bench.outcome(second)[1].error_code == CollectEpisodes.Result.BUSY
    assert 'end_episode' not in others.asked
    assert cancel(bench, first)[1] == GoalStatus.STATUS_CANCELED


def slowly(*_, check):
    """Aggregate, or write results, for a very long time."""
    pause = threading.Event()
    while True:
        check()
        pause.wait(0.01)


class Run:
    """A coordinator whose run stands at one stage."""

    def __init__(self, others, runs, monkeypatch):
        self.others, self.bench, self.runs = others, others.bench, runs
        self._patch = monkeypatch

    def begin(self, act: str, reached: str, contract: bool = True):
        """Start a run at a stage and return its handle, once somebody was asked."""
        stage = Stage(act, 'loop', 1)
        self._patch.setattr('il_ros.loop.run.rounds.next_stage', lambda _, fitting=None: (
            None if fitting or act == 'results' else stage))
        node = self.bench.add(CoordinatorNode, runs=str(self.runs), **NO_DEADLINE)
        if contract:
            self.bench.talk(Contract, 'contract', qos.LATCHED).publish(
                contract_to_message(CONTRACT))
            assert self.bench.until(lambda: node._backend._contract is not None)
        client = ActionClient(self.bench.probe, RunDagger, 'run_dagger')
        assert self.bench.until(client.server_is_ready)
        handle = self.bench.send(client, RunDagger.Goal(
            run='first', task='push', strategy='corrections', demonstrations=2, rounds=1,
            episodes_per_round=2, evaluation_episodes=2, final_evaluation_episodes=2,
            evaluation_first_seed=1_000_000))
        assert not reached or self.bench.until(lambda: reached in self.others.asked)
        return handle

    def patch(self, name: str, value):
        """Replace what the stages of a run would do or need."""
        self._patch.setattr(f'il_ros.{name}', value)


@pytest.fixture
def run(others, tmp_path, monkeypatch) -> Run:
    """Return a run that is to be started."""
    made = Run(others, tmp_path, monkeypatch)
    made.patch('loop.stages.stage_work.checkpoint_for', lambda *_: None)
    return made


def is_cancelled(run, handle) -> float:
    """Cancel a run, check its end, and return the seconds to it."""
    seconds, status, code = cancel(run.bench, handle)
    assert (status, code) == (GoalStatus.STATUS_CANCELED, RunDagger.Result.CANCELED)
    return seconds


def test_a_run_is_cancelled_while_nobody_publishes_a_contract(run):
    assert is_cancelled(run, run.begin('collect', '', contract=False)) < LIMIT_S


@pytest.mark.parametrize('act', ['collect', 'evaluate'])
@pytest.mark.parametrize('there', [False, True])
def test_a_run_is_cancelled_while_its_collector_is_absent_or_does_not_answer(run, act, there):
    run.patch('loop.stages.stage_work.episode_specs', lambda *_: (episode(),))
    run.patch('loop.stages.stage_work.gate_threshold', lambda *_: -1.0)
    run.others.serve(['collect_episodes'] if there else [])
    handle = run.begin(act, 'collect_episodes' if there else '')
    assert is_cancelled(run, handle) < LIMIT_S


@pytest.mark.parametrize('there', [False, True])
def test_a_run_is_cancelled_while_its_trainer_is_absent_or_does_not_answer(run, there):
    run.patch('loop.stages.stage_work.train_job',
              lambda *_: TrainJob('round_1', 0, 'checkpoints/x'))
    run.others.serve(['train_policy'] if there else [])
    handle = run.begin('train', 'train_policy' if there else '')
    assert is_cancelled(run, handle) < LIMIT_S


@pytest.mark.parametrize('silent', [True, False])
def test_a_run_is_cancelled_while_a_policy_is_being_loaded(run, silent):
    run.patch('loop.stages.stage_work.checkpoint_for', lambda *_: Trained(
        'checkpoints/x', '00', 1, 1, 0.0, 0.0, 0, 0, 0.0))
    run.others.serve(['load_policy'], ['load_policy'] if silent else [])
    assert is_cancelled(run, run.begin('load', 'load_policy')) < LIMIT_S


def test_a_run_is_cancelled_while_it_aggregates(run):
    def aggregate(*_, check):
        run.others.asked.append('aggregate')
        slowly(check=check)
    run.patch('loop.stages.dataset_keys', lambda *_: {})
    run.patch('loop.stages.aggregate', aggregate)
    assert is_cancelled(run, run.begin('aggregate', 'aggregate')) < LIMIT_S


def test_a_run_is_cancelled_while_it_writes_its_results(run):
    def write(_folder, _state, _replay, _wall_s, check):
        run.others.asked.append('results')
        slowly(check=check)
    run.patch('loop.run.write_results', write)
    assert is_cancelled(run, run.begin('results', 'results')) < LIMIT_S
