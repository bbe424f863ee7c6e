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

"""A policy with a memory as a node: history, plan, who drove the last step, and its doubt."""

from il_ros.contract.episode_spec import EXPERT, POLICY
from il_ros.learning import checkpoint
from il_ros.learning.horizons import Horizons
from il_ros.learning.inputs import Inputs
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
from il_ros.learning.runner import Runner
from il_ros.nodes.policy import PolicyNode
from il_ros.ros.conversion.messages import to_stamp
from il_ros_interfaces.msg import Drive, Executed
import numpy as np
import pytest
from test_policy_node import contract_of, Loop


def save(folder, horizons: Horizons, members: int = 0) -> Policy:
    """Write a checkpoint with random weights and return the policy that it holds."""
    contract, chance = contract_of(), np.random.default_rng(0)
    inputs = Inputs(contract, ['goal_position - tool_position'])
    width = len(contract.actions)
    first = (members,) if members else ()
    net = Mlp((0.2 * chance.normal(
        size=(*first, 3 * horizons.history, width * horizons.chunk)).astype(np.float32),),
        (chance.normal(size=(*first, width * horizons.chunk)).astype(np.float32),))
    one = Normaliser(np.zeros(3, np.float32), np.ones(3, np.float32))
    out = Normaliser(np.zeros(width, np.float32), np.full(width, 0.02, np.float32))
    checkpoint.save(folder, Policy(contract, inputs, one, out, net, horizons=horizons))
    return checkpoint.load(folder)


class Rollout(Loop):
    """A loop that also says who drove each step, and a runner that is told the same."""

    def __init__(self, bench, policy: Policy):
        super().__init__(bench)
        self.runner = Runner(policy)
        self.executions = None
        if policy.horizons.queued:
            self.executions = bench.talk(Executed, 'executed')

    def executed(self, step: int, driver: int = POLICY):
        """Say who drove a step."""
        message = Executed(step=step, driver=driver, chosen=driver, episode_id='e')
        message.header.stamp = to_stamp(1000 + step)
        self.executions.publish(message)
        if driver != POLICY:
            self.runner.discard_plan()

    def expected(self, step: int, values: np.ndarray) -> list[float]:
        """Return what the runner answers."""
        return self.runner.act(step, values).tolist()


def values_of(loop: Loop, step: int) -> np.ndarray:
    """Return the values that the loop observes at a step."""
    return np.random.default_rng(step).normal(size=loop.contract.width).astype(np.float32)


@pytest.fixture
def start(bench, tmp_path):
    """Return a function from horizons to the surroundings of a policy that has them."""
    def made(horizons: Horizons, members: int = 0) -> Rollout:
        policy = save(tmp_path / 'policy', horizons, members)
        bench.add(PolicyNode, checkpoint=str(tmp_path / 'policy'))
        return Rollout(bench, policy)
    return made


def test_a_history_grows_with_the_episode_and_a_repeated_stamp_does_not_advance_it(start):
    loop = start(Horizons(history=3))
    for step in (0, 1, 1, 2, 3):
        expected = loop.expected(step, values_of(loop, step))
        assert loop.ask(step).values.tolist() == expected
    loop.drives.publish(Drive(episode_id='f', required=[POLICY], driving=POLICY))
    loop.runner.begin('f')
    answer = loop.ask(4, episode_id='f')
    assert answer.values.tolist() == loop.expected(4, values_of(loop, 4))


def test_an_ensemble_says_its_doubt_with_every_answer(start):
    loop = start(Horizons(), members=3)
    for step in range(3):
        doubt = loop.runner.policy.novelty(values_of(loop, step))
        assert loop.ask(step).uncertainty == pytest.approx(doubt, rel=1e-6)
        assert doubt > 0.0
    empty = loop.ask(3, contract_id=5)
    assert len(empty.values) == 0


def test_a_plan_is_carried_out_and_dropped_when_somebody_else_drove(start):
    loop = start(Horizons(chunk=4, execute=4))
    answers = []
    for step, driver in enumerate((POLICY, POLICY, EXPERT, POLICY, POLICY)):
        answers.append(loop.ask(step).values.tolist())
        assert answers[-1] == loop.expected(step, values_of(loop, step))
        loop.executed(step, driver)
    planned = loop.runner.policy.propose(values_of(loop, 0))[0]
    assert answers[1] == loop.runner.policy.bounded(planned[1]).tolist()
    fresh = loop.runner.policy.propose(values_of(loop, 3))[0]
    assert answers[3] == loop.runner.policy.bounded(fresh[0]).tolist()


def test_a_plan_waits_for_the_news_of_the_last_step_or_for_a_repeated_observation(start):
    loop = start(Horizons(chunk=4, execute=4))
    loop.ask(0)
    loop.observe(1)
    assert not loop.bench.until(lambda: loop.answers(1), timeout_s=0.2)
    loop.executed(0, EXPERT)
    assert loop.bench.until(lambda: loop.answers(1))
    fresh = loop.runner.policy.propose(values_of(loop, 1))[0]
    assert loop.answers(1)[-1].values.tolist() == loop.runner.policy.bounded(fresh[0]).tolist()
    loop.observe(2)
    assert not loop.bench.until(lambda: loop.answers(2), timeout_s=0.2)
    loop.observe(2)
    assert loop.bench.until(lambda: loop.answers(2))


def test_a_policy_without_a_plan_does_not_listen_to_what_was_executed(start):
    loop = start(Horizons(history=2))
    assert not loop.bench.probe.count_subscribers('executed')
    loop.ask(0)
    loop.ask(1)
