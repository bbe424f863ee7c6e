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

"""Episodes that go wrong in this process end as they do in the graph."""

import dataclasses
from pathlib import Path
import types

from il_ros.contract.episode_spec import DrivePlan, EpisodeSpec, EXPERT, FAULT, HOLD, POLICY
from il_ros.contract.episode_spec import REFUSED_MISSING, ROLLOUT, TERMINATED
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import DROPS
from il_ros.errors import ImitationError
from il_ros.loop.failures import COLLECT_FAILED, LOAD_FAILED, RunError
from il_ros.loop.local import player as players
from il_ros.loop.local.player import Player
import numpy as np
import pytest

pytest.importorskip('il_ros_interfaces', reason='needs il_ros_interfaces: make test')


def spec(name: str, driver: int = EXPERT, **fields) -> EpisodeSpec:
    """Return the specification of a short episode."""
    return EpisodeSpec(name, 'run', 'reach', ROLLOUT, 1, 7, 6, plan=DrivePlan(driver), **fields)


@pytest.fixture(scope='module')
def player():
    """Yield a player without a policy."""
    made = Player('reach')
    yield made
    made.close()


def test_without_an_answer_the_arm_holds_and_the_episode_goes_on(player, tmp_path, monkeypatch):
    def refuse(_):
        raise ImitationError('no idea')
    receipt = player.play(spec('rollout-1', POLICY), tmp_path, -1.0)
    monkeypatch.setattr(player.expert, 'act', refuse, raising=False)
    other = player.play(spec('rollout-2'), tmp_path, -1.0)
    for name, one in (('rollout-1', receipt), ('rollout-2', other)):
        episode = read_episode(tmp_path / f'{name}.mcap')
        assert one.steps == 6 and one.flags == 0
        assert set(episode.driver) == {HOLD}
        assert (episode.limits & REFUSED_MISSING).all()


def test_a_driver_that_goes_on_with_what_cannot_be_used_is_named_and_nothing_is_kept(
        player, tmp_path, monkeypatch):
    monkeypatch.setattr(player.expert, 'act', lambda _: np.full(3, np.nan), raising=False)
    with pytest.raises(RunError, match='rollout-3: 5 actions in a row') as refused:
        player.play(spec('rollout-3'), tmp_path, -1.0)
    assert refused.value.code == COLLECT_FAILED
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    assert player.play(spec('rollout-3'), tmp_path, -1.0).flags == 0


def test_without_a_policy_its_answers_have_no_id(player, tmp_path, monkeypatch):
    ids = set()

    class Noted(players.Recording):

        def step(self, step, uncertainty, policy_id, answers):
            ids.add((uncertainty, policy_id))
            super().step(step, uncertainty, policy_id, answers)
    monkeypatch.setattr(players, 'Recording', Noted)
    player.play(spec('rollout-8', POLICY), tmp_path, -1.0)
    assert ids == {(-1.0, 0)}


def test_four_actions_that_cannot_be_used_end_no_episode(player, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(player.expert, 'act', lambda _: asked.append(1) or np.full(
        3, np.nan if len(asked) != 5 else 0.0, np.float32), raising=False)
    with pytest.raises(RunError, match='rollout-7: 5 actions in a row'):
        player.play(dataclasses.replace(spec('rollout-7'), horizon=12), tmp_path, -1.0)
    assert len(asked) == 10, 'one that can be used begins the count anew'


def test_an_arm_that_does_not_follow_ends_its_episode_with_a_fault(
        player, tmp_path, monkeypatch):
    monkeypatch.setattr(players, 'TRACKING_LIMIT_RAD', 1e-6)
    receipt = player.play(spec('rollout-4'), tmp_path, -1.0)
    assert (receipt.end, receipt.cause, receipt.success) == (TERMINATED, FAULT, False)
    assert 'is the arm blocked?' in receipt.error_msg
    assert receipt.flags == DROPS
    monkeypatch.undo()
    assert player.play(spec('rollout-5'), tmp_path, -1.0).flags == 0


@pytest.mark.parametrize('fields, sentence', [
    ({'options': '{"no_such":1}'}, 'rollout-6: .*no_such'),
    ({'plan': DrivePlan(POLICY, gate='discrepancy', threshold=-1.0)}, 'plan.threshold')])
def test_a_specification_that_cannot_be_run_is_named(player, tmp_path, fields, sentence):
    with pytest.raises(RunError, match=sentence):
        player.play(dataclasses.replace(spec('rollout-6'), **fields), tmp_path, -1.0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('answer, said, novelty', [
    (ImitationError('no idea'), [], -1.0), ((0.1, 0.2, 0.3), [0.1, 0.2, 0.3], 0.5)])
def test_the_uncertainty_is_that_of_the_policys_answer_or_unknown(answer, said, novelty):
    def act(*_):
        if isinstance(answer, ImitationError):
            raise answer
        return np.array(answer)
    alone, answers, asked = object.__new__(Player), [], [[POLICY]]
    alone._recent, alone._runner = [], types.SimpleNamespace(act=act, uncertainty=0.5)
    arbiter = types.SimpleNamespace(
        stamp_ns=7, missing=lambda: asked.pop() if asked else [],
        answer=lambda source, stamp_ns, values, spread: answers.append(
            (source, stamp_ns, np.round(values, 3).tolist(), spread)))
    assert alone._ask(arbiter, np.zeros(3), {}) == novelty and len(alone._recent) == 1
    assert answers == [(POLICY, 7, pytest.approx(said), novelty)]
    alone._runner, asked[:] = None, [[POLICY]]
    assert alone._ask(arbiter, np.zeros(3), {}) == -1.0
    assert answers[1:] == [(POLICY, 7, [], -1.0)]


@pytest.mark.parametrize('target_rate, adapted', [(0.5, True), (0.01, True), (0.0, False)])
def test_a_receipt_has_the_threshold_of_a_gate_that_adapts(
        player, tmp_path, target_rate, adapted):
    plan = DrivePlan(POLICY, gate='novelty', threshold=0.25, target_rate=target_rate)
    receipt = player.play(dataclasses.replace(spec('rollout-9'), plan=plan), tmp_path, 0.5)
    assert (receipt.gate_threshold >= 0.0) == adapted
    assert adapted or receipt.gate_threshold == -1.0


def test_a_checkpoint_that_is_gone_or_not_for_this_contract_is_refused(player, tmp_path):
    with pytest.raises(RunError, match='policy refused: .*none') as refused:
        player.load(tmp_path / 'none', 'cd')
    assert refused.value.code == LOAD_FAILED and player._runner is None


def test_a_checkpoint_is_checked_tried_and_then_runs_and_is_not_loaded_again(monkeypatch):
    calls, policy = [], types.SimpleNamespace(sha256='cd')
    monkeypatch.setattr(players.checkpoint, 'load', lambda *words: calls.append(words) or policy)
    monkeypatch.setattr(players.checkpoint, 'check', lambda *words: calls.append(words))
    monkeypatch.setattr(players, 'dry_run', lambda *words: calls.append(words))
    monkeypatch.setattr(players, 'Runner', lambda one: types.SimpleNamespace(policy=one))
    alone = object.__new__(Player)
    alone._runner, alone._recent, alone.contract = None, ['seen'], 'contract'
    for _ in range(2):
        alone.load(Path('there'), 'cd')
    assert calls == [(Path('there'), 'cd'), (policy, 'contract'), (policy, ('seen',))]
    assert alone._runner.policy is policy
