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

"""The order of a run over any back end: what is asked, and what a failure ends."""

import time
import types

from il_ros.errors import ImitationError
from il_ros.interactive import rounds, run_state
from il_ros.interactive.goal import Goal
from il_ros.interactive.outcomes import Aggregated, Collected, Loaded, Trained
from il_ros.interactive.stage import EXPERT_STAGE
from il_ros.loop.backend import finish
from il_ros.loop.failures import LOAD_FAILED, RunError
from il_ros.loop.run import Loop
from il_ros.loop.stages import StageRunner
from il_ros.tasks.contracts import find_contract
import pytest

CONTRACT, _ = find_contract('reach')
GOAL = Goal(run='r', task='reach', strategy='corrections', demonstrations=1, rounds=1,
            episodes_per_round=1, evaluation_episodes=1, final_evaluation_episodes=1,
            baseline=False)
COLLECTED = Collected(1, 1, 5, 5, 5, 5, 0, 0, (5,), (), 1.0)
OUTCOMES = {'collect': COLLECTED, 'evaluate': COLLECTED, 'load': Loaded(1.0),
            'aggregate': Aggregated(1, 5, 1.0), 'measure': Loaded(1.0)}


class Fitted:
    """A fit that is done when it is waited for."""

    def __init__(self, stage, done):
        self.stage, self._done = stage, done

    async def outcome(self):
        """Return a checkpoint."""
        self._done.append(f'{self.stage.name} done')
        return Trained('checkpoints/x', '0', 1, 5, 0.1, 0.1, 0, 1, 1.0)

    async def abandon(self):
        """Note that it was given up."""
        self._done.append(f'{self.stage.name} abandoned')


class Here:
    """A back end of which only the contract is asked."""

    async def contract(self):
        """Return the contract of reach."""
        return CONTRACT

    async def beside(self, work):
        """Write no results."""


@pytest.fixture
def done(monkeypatch) -> list:
    """Return what a run does, stage by stage; nothing is really done."""
    stages = []

    async def execute(_runner, _state, stage):
        stages.append(stage.name)
        return OUTCOMES[stage.act]

    async def refresh(*_):
        pass
    monkeypatch.setattr(StageRunner, 'execute', execute)
    monkeypatch.setattr(StageRunner, 'refresh_dataset', refresh)
    monkeypatch.setattr(StageRunner, 'start_fit',
                        lambda _runner, _state, stage, _tell: Fitted(stage, stages))
    return stages


def test_a_policy_is_judged_while_the_next_one_is_fitted(done, tmp_path):
    state = finish(Loop(Here(), tmp_path / 'r').run(GOAL))
    assert done.index('r00-evaluate') < done.index('r01-train done') < done.index('r01-load')
    assert rounds.next_stage(state) is None
    assert run_state.load(tmp_path / 'r').finished.keys() == state.finished.keys()


def test_a_stage_that_fails_ends_the_fit_beside_it_and_keeps_what_is_finished(
        done, tmp_path, monkeypatch):
    execute = StageRunner.execute

    async def fail(runner, state, stage):
        if stage.name == 'r00-evaluate':
            raise RunError(LOAD_FAILED, 'no policy')
        return await execute(runner, state, stage)
    monkeypatch.setattr(StageRunner, 'execute', fail)
    loop = Loop(Here(), tmp_path / 'r')
    with pytest.raises(RunError, match='no policy'):
        finish(loop.run(GOAL))
    assert done[-1] == 'r01-train abandoned'
    assert 'r01-aggregate' in run_state.load(tmp_path / 'r').finished
    assert loop.state == run_state.load(tmp_path / 'r')


def test_faults_are_kept_with_what_was_done_when_the_run_is_resumed(done, tmp_path, monkeypatch):
    execute, loop = StageRunner.execute, Loop(Here(), tmp_path / 'r')
    loop.note('too early', 'nothing')

    async def fail(runner, state, stage):
        if stage.name == 'r00-load':
            loop.note('policy ended (process 7)', 'waited for')
            raise RunError(LOAD_FAILED, 'no policy')
        return await execute(runner, state, stage)
    monkeypatch.setattr(StageRunner, 'execute', fail)
    with pytest.raises(RunError, match='no policy'):
        finish(loop.run(GOAL))
    monkeypatch.setattr(StageRunner, 'execute', execute)
    monkeypatch.setattr(StageRunner, 'flagged', lambda _runner, outcome: (
        ['rollout-r01-004000: drops'] if outcome is OUTCOMES['aggregate'] else []))
    finish(Loop(Here(), tmp_path / 'r').run(GOAL, resume=True))
    faults = run_state.load(tmp_path / 'r').faults
    assert [(fault.stage, fault.what, fault.done) for fault in faults] == [
        ('r00-load', 'policy ended (process 7)', 'waited for'),
        ('r00-load', 'no policy', 'the run ended'),
        ('', 'the run had ended before it was finished', 'resumed'),
        ('r01-aggregate', 'rollout-r01-004000: drops', 'not trained on')]
    assert 0.0 <= time.time() - faults[0].time_s < 60.0


def test_progress_says_round_stage_labels_and_the_last_success(done, tmp_path):
    seen = []
    finish(Loop(Here(), tmp_path / 'r', report=lambda now: seen.append(
        (now.round, now.stage, now.labels, now.success_rate))).run(GOAL))
    assert seen[0] == (0, EXPERT_STAGE, 0, -1.0)
    assert seen[-1][0] == 1 and seen[-1][2:] == (5, 1.0)


def test_a_goal_is_refused_before_anything_is_asked(tmp_path):
    with pytest.raises(ImitationError, match="strategy 'luck'"):
        finish(Loop(None, tmp_path / 'r').run(Goal(run='r', task='reach', strategy='luck')))
    assert not list(tmp_path.iterdir())


def test_a_back_end_in_this_process_has_to_answer_at_once():
    @types.coroutine
    def later():
        yield

    async def waits():
        await later()
    with pytest.raises(RuntimeError, match='a back end in this process waits'):
        finish(waits())
