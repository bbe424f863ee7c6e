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

"""The policy as a node: loading beside the loop, refusing, swapping, answering."""

import dataclasses
import threading
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from il_ros.contract.episode_spec import ENDED, EXPERT, POLICY, RUNNING
from il_ros.errors import ImitationError
from il_ros.learning import checkpoint
from il_ros.learning.inputs import Inputs
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
from il_ros.nodes.policy import PolicyNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_to_message, float32s, to_stamp
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.msg import Action, Contract, Drive, Observation, PolicyStatus
from il_ros_interfaces.srv import LoadPolicy
import numpy as np
import pytest
from seam import Bench

SWAP_DEADLINE_S = 30.0


def contract_of(task: str = 'reach'):
    """Return the contract of a task."""
    return find_contract(task)[0]


def save(folder, seed: int, task: str = 'reach', rate_hz: float = 20.0) -> Policy:
    """Write a checkpoint with random weights and return the policy that it holds."""
    contract = dataclasses.replace(contract_of(task), rate=rate_hz)
    chance = np.random.default_rng(seed)
    inputs = Inputs(contract, ['goal_position - tool_position'])
    width = len(contract.actions)
    net = Mlp((chance.normal(size=(3, width)).astype(np.float32),),
              (chance.normal(size=width).astype(np.float32),))
    one = Normaliser(np.zeros(3, np.float32), np.ones(3, np.float32))
    out = Normaliser(np.zeros(width, np.float32), np.full(width, 0.1, np.float32))
    checkpoint.save(folder, Policy(contract, inputs, one, out, net, {'seed': seed}))
    return checkpoint.load(folder)


class Loop:
    """What stands around a policy: contract, drive, observations; what comes back."""

    def __init__(self, bench, required=(POLICY,), task: str = 'reach'):
        self.bench, self.contract = bench, contract_of(task)
        self.statuses = bench.listen(PolicyStatus, 'policy_status', qos.LATCHED)
        self.actions = bench.listen(Action, 'policy/action')
        bench.talk(Contract, 'contract', qos.LATCHED).publish(contract_to_message(self.contract))
        drive = Drive(episode_id='e', required=list(required), driving=required[0])
        self.drives = bench.talk(Drive, 'drive', qos.LATCHED)
        self.drives.publish(drive)
        self.publisher = bench.talk(Observation, 'observation')
        assert bench.until(lambda: self.statuses)

    def observe(self, step: int, phase: int = RUNNING, **fields) -> np.ndarray:
        """Publish the observation of a step and return its values."""
        values = np.random.default_rng(step).normal(size=self.contract.width).astype(np.float32)
        message = Observation(**{
            'contract_id': self.contract.id, 'step': step, 'phase': phase, 'episode_id': 'e',
            'values': float32s(values), **fields})
        message.header.stamp = to_stamp(1000 + step)
        self.publisher.publish(message)
        return values

    def ask(self, step: int, **fields) -> Action:
        """Publish an observation and return its answer."""
        self.observe(step, **fields)
        assert self.bench.until(lambda: self.answers(step)), f'no answer to step {step}'
        return self.answers(step)[-1]

    def answers(self, step: int) -> list[Action]:
        """Return the answers to a step."""
        return [a for a in self.actions if a.header.stamp.nanosec == 1000 + step]

    def load(self, path, sha256: str = ''):
        """Ask for a load."""
        return self.bench.call(
            LoadPolicy, 'load_policy', LoadPolicy.Request(path=str(path), sha256=sha256))

    def loaded(self, path, sha256: str = '') -> PolicyStatus:
        """Load and return what became of it."""
        response = self.load(path, sha256)
        assert response.error_code == 0, response.error_msg
        assert self.bench.until(lambda: self.statuses[-1].ticket == response.ticket and (
            self.statuses[-1].state != PolicyStatus.LOADING))
        return self.statuses[-1]


@pytest.fixture
def loop(bench) -> Loop:
    """Return the surroundings of a policy node without a policy."""
    bench.add(PolicyNode)
    return Loop(bench)


def test_without_a_policy_it_says_so_and_has_no_answer(loop):
    assert (loop.statuses[-1].state, loop.statuses[-1].policy_id) == (PolicyStatus.EMPTY, 0)
    answer = loop.ask(0)
    assert (len(answer.values), answer.policy_id) == (0, 0)


def test_a_loaded_policy_answers_with_its_own_actions_and_its_id(loop, tmp_path):
    policy = save(tmp_path / 'a', 1)
    status = loop.loaded(tmp_path / 'a', policy.sha256)
    assert (status.state, status.sha256, status.policy_id, status.path) == (
        PolicyStatus.READY, policy.sha256, policy.policy_id, str(tmp_path / 'a'))
    for step in range(3):
        answer = loop.ask(step)
        values = np.random.default_rng(step).normal(
            size=loop.contract.width).astype(np.float32)
        np.testing.assert_array_equal(np.array(answer.values, np.float32), policy.act(values))
        assert (answer.policy_id, answer.source, answer.engaged, answer.uncertainty) == (
            policy.policy_id, POLICY, True, -1.0)
        assert answer.contract_id == loop.contract.id


def test_a_repeated_observation_gets_the_cached_answer_again(loop, tmp_path):
    save(tmp_path / 'a', 1)
    loop.loaded(tmp_path / 'a')
    loop.ask(0)
    loop.observe(0, values=float32s(np.ones(loop.contract.width)))
    assert loop.bench.until(lambda: len(loop.answers(0)) == 2)
    assert loop.answers(0)[0] == loop.answers(0)[1]


@pytest.mark.parametrize('required, fields', [
    ((EXPERT,), {}), ((POLICY,), {'phase': ENDED}), ((POLICY,), {'episode_id': 'other'})])
def test_nobody_who_did_not_ask_gets_an_answer(bench, required, fields):
    bench.add(PolicyNode)
    loop = Loop(bench, required)
    loop.observe(0, **fields)
    loop.drives.publish(Drive(episode_id='e', required=[POLICY], driving=POLICY))
    loop.bench.until(lambda: loop.actions, timeout_s=0.1)
    loop.ask(1)
    assert len(loop.actions) - len(loop.answers(1)) == (1 if required == (EXPERT,) else 0)


def test_an_observation_of_another_contract_gets_an_empty_answer(loop, tmp_path):
    save(tmp_path / 'a', 1)
    loop.loaded(tmp_path / 'a')
    assert len(loop.ask(0, contract_id=5).values) == 0
    assert len(loop.ask(1).values) == 3


def damaged(tmp_path):
    """Return a checkpoint whose weights were flipped in one bit."""
    save(tmp_path / 'damaged', 3)
    path = tmp_path / 'damaged' / checkpoint.WEIGHTS
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    return tmp_path / 'damaged'


def foreign(tmp_path):
    """Return a checkpoint of another task."""
    save(tmp_path / 'foreign', 3, 'push')
    return tmp_path / 'foreign'


def empty(tmp_path):
    """Return a folder without a checkpoint."""
    (tmp_path / 'empty').mkdir()
    return tmp_path / 'empty'


@pytest.mark.parametrize('bad, code, sentence', [
    (damaged, PolicyStatus.DAMAGED, 'SHA-256'),
    (foreign, PolicyStatus.CONTRACT_MISMATCH, 'expected 32, found 25'),
    (empty, LoadPolicy.Response.NOT_FOUND, 'empty/policy.json is not there')])
def test_a_bad_checkpoint_is_refused_and_the_running_policy_goes_on(
        loop, tmp_path, bad, code, sentence):
    policy = save(tmp_path / 'good', 1)
    loop.loaded(tmp_path / 'good')
    status = loop.loaded(bad(tmp_path))
    assert (status.state, status.error_code) == (PolicyStatus.REFUSED, code)
    assert sentence in status.error_msg
    assert (status.policy_id, status.sha256) == (policy.policy_id, policy.sha256)
    assert loop.ask(0).policy_id == policy.policy_id


def test_another_checkpoint_than_the_one_meant_is_refused(loop, tmp_path):
    save(tmp_path / 'a', 1)
    status = loop.loaded(tmp_path / 'a', 'ab' * 32)
    assert (status.state, status.policy_id) == (PolicyStatus.REFUSED, 0)


def test_a_folder_that_is_not_there_is_said_at_once(loop, tmp_path):
    response = loop.load(tmp_path / 'nowhere')
    assert (response.error_code, response.ticket) == (LoadPolicy.Response.NOT_FOUND, 0)
    assert 'nowhere' in response.error_msg


def test_a_second_load_waits_for_the_first(loop, tmp_path, monkeypatch):
    save(tmp_path / 'a', 1)
    go, load = threading.Event(), checkpoint.load
    monkeypatch.setattr(checkpoint, 'load', lambda *args: go.wait(10.0) and load(*args))
    assert loop.load(tmp_path / 'a').error_code == 0
    assert loop.load(tmp_path / 'a').error_code == LoadPolicy.Response.BUSY
    assert len(loop.ask(0).values) == 0, 'the loop waits for a load'
    go.set()
    assert loop.bench.until(lambda: loop.statuses[-1].state == PolicyStatus.READY)
    assert loop.statuses[-1].ticket == 1


def test_policies_are_swapped_between_two_observations_and_never_mixed(loop, tmp_path):
    policies, seen, step = {}, [], 0
    until = time.monotonic() + SWAP_DEADLINE_S
    for seed in range(4):
        policy = save(tmp_path / str(seed), seed)
        policies[policy.policy_id] = policy
        ticket = loop.load(tmp_path / str(seed)).ticket
        ready = False
        while not ready or seen[-1] != policy.policy_id:
            assert time.monotonic() < until, 'the new policy never drives'
            ready = (loop.statuses[-1].ticket, loop.statuses[-1].state) == (
                ticket, PolicyStatus.READY)
            values = loop.observe(step)
            assert loop.bench.until(lambda: loop.answers(step))
            answer = loop.answers(step)[-1]
            if answer.policy_id:
                expected = policies[answer.policy_id].act(values)
                np.testing.assert_array_equal(np.array(answer.values, np.float32), expected)
                seen.append(answer.policy_id)
            step += 1
    assert list(dict.fromkeys(seen)) == list(policies)
    assert sum(before != after for before, after in zip(seen, seen[1:])) == 3


def test_a_candidate_that_fails_on_recent_observations_is_refused(loop, tmp_path, monkeypatch):
    good = save(tmp_path / 'good', 1)
    loop.loaded(tmp_path / 'good')
    loop.ask(0)
    bad = save(tmp_path / 'bad', 2)
    act = Policy.act

    class NotFiniteError(ImitationError):
        pass

    def failing(self, values, images):
        if self.sha256 == bad.sha256:
            raise NotFiniteError('the action is not finite')
        return act(self, values, images)
    monkeypatch.setattr(Policy, 'act', failing)
    status = loop.loaded(tmp_path / 'bad')
    assert (status.state, status.error_code) == (
        PolicyStatus.REFUSED, PolicyStatus.DRY_RUN_FAILED)
    assert status.policy_id == good.policy_id


@pytest.mark.parametrize('spoil, code', [
    ('mean', PolicyStatus.DAMAGED), ('bias', PolicyStatus.DRY_RUN_FAILED)])
@pytest.mark.parametrize('observed', [0, 5])
def test_a_poisoned_checkpoint_with_the_right_hash_is_refused_and_the_old_one_drives_on(
        loop, tmp_path, spoil, code, observed):
    good = save(tmp_path / 'good', 1)
    assert loop.loaded(tmp_path / 'good').state == PolicyStatus.READY
    for step in range(observed):
        loop.ask(step)
    net, out = good.net, good.action_normaliser
    if spoil == 'mean':
        out = Normaliser(np.full(out.width, 1e6, np.float32), out.sd)
    else:
        net = Mlp(net.weights, (net.biases[0] + np.float32(1e6),))
    bad = checkpoint.save(tmp_path / 'bad', Policy(
        good.contract, good.inputs, good.normaliser, out, net))
    status = loop.loaded(tmp_path / 'bad', bad)
    assert (status.state, status.error_code) == (PolicyStatus.REFUSED, code)
    assert 'linear_' in status.error_msg and 'expected -0.5 to 0.5' in status.error_msg
    assert status.policy_id == good.policy_id


@pytest.mark.parametrize('error', [ValueError('bug'), ZeroDivisionError('bug')])
def test_a_policy_that_raises_answers_nothing_and_the_node_lives_and_says_why(
        loop, tmp_path, monkeypatch, error):
    reports = loop.bench.listen(DiagnosticArray, '/diagnostics')
    save(tmp_path / 'a', 1)
    loop.loaded(tmp_path / 'a')
    act = Policy.act

    def raising(self, values, images):
        raise error
    monkeypatch.setattr(Policy, 'act', raising)
    assert len(loop.ask(0).values) == 0
    assert loop.bench.until(lambda: any(
        status.level == DiagnosticStatus.ERROR and 'bug' in status.message
        for report in reports for status in report.status), timeout_s=3.0)
    monkeypatch.setattr(Policy, 'act', act)
    assert len(loop.ask(1).values) == 3


def test_the_checkpoint_of_the_parameter_runs_from_the_start(bench, tmp_path):
    policy = save(tmp_path / 'a', 1)
    bench.add(PolicyNode, checkpoint=str(tmp_path / 'a'))
    loop = Loop(bench)
    assert loop.statuses[-1].policy_id == policy.policy_id
    assert len(loop.ask(0).values) == 3


@pytest.mark.parametrize('given', ['first', 'PLACE/first', 'PLACE/first/checkpoints/round_01'])
def test_the_parameter_takes_a_run_for_its_newest_checkpoint(bench, tmp_path, given):
    save(tmp_path / 'first' / 'checkpoints' / 'round_00', 1)
    newest = save(tmp_path / 'first' / 'checkpoints' / 'round_01', 2)
    node = bench.add(PolicyNode, checkpoint=given.replace('PLACE', str(tmp_path)),
                     runs=str(tmp_path))
    assert Loop(bench).statuses[-1].policy_id == newest.policy_id
    assert node._path == str(tmp_path / 'first' / 'checkpoints' / 'round_01')


def test_a_policy_of_another_contract_never_answers_however_it_was_loaded(bench, tmp_path):
    save(tmp_path / 'push', 1, 'push')
    bench.add(PolicyNode, checkpoint=str(tmp_path / 'push'))
    loop = Loop(bench)
    assert bench.until(lambda: loop.statuses[-1].state == PolicyStatus.REFUSED)
    assert loop.statuses[-1].error_code == PolicyStatus.CONTRACT_MISMATCH
    assert len(loop.ask(0).values) == 0


def test_a_checkpoint_that_cannot_be_loaded_keeps_the_node_from_starting(tmp_path):
    with Bench('single') as bench, pytest.raises(ImitationError, match='policy does not start'):
        bench.add(PolicyNode, checkpoint=str(tmp_path))
