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

"""What a DAgger has to do in ``make bench-peer``, and ours, in process and without ROS."""

from collections.abc import Callable
import dataclasses
import time

from il_ros.contract.episode_spec import EXPERT, POLICY
from il_ros.dataset.dataset import Demonstrations
from il_ros.driving.driving import Driving
from il_ros.evaluation.interval import wilson
from il_ros.files.share import share_path
from il_ros.interactive.strategies import load_strategy
from il_ros.learning.config import TrainConfig
from il_ros.learning.fit import fit
from il_ros.learning.policy import Policy
from il_ros.sim.environment import Environment
from il_ros.sim.episode_loop import Observation, run_episode
from il_ros.tasks.expert_registry import make_expert
import numpy as np

FIRST_SEED = 500_000
"""Validation resets: they decide when a run stops, so that they are no evaluation."""

GOAL = 0.95

Act = Callable[[np.ndarray], np.ndarray]
"""From an observation to an action, both as the contract has them."""


@dataclasses.dataclass(frozen=True)
class Rules:
    """The same for everyone."""

    task: str = 'pick_place'
    seed: int = 0
    demonstrations: int = 10
    episodes_per_round: int = 10
    evaluation_episodes: int = 100
    cap_s: float = 600.0
    """Of collecting and training; evaluation is not counted."""

    most_labels: int = 10_000


class PeerComparison:
    """
    One contestant's way to the goal, judged after every round.

    :param say: told of each judgement
    """

    def __init__(self, rules: Rules, say: Callable[[dict], None]):
        self.rules = rules
        self.environment = Environment(rules.task)
        self._held_out = Environment(rules.task)
        self._say = say
        self._curve: list[dict] = []
        self._seconds = 0.0
        self._began_s = time.perf_counter()

    def judge(self, act: Act, labels: int) -> bool:
        """
        Evaluate a policy, with the clock stopped.

        :returns: whether to go on
        """
        self._seconds += time.perf_counter() - self._began_s
        rules, env = self.rules, self._held_out
        wins = sum(succeeds(env, act, FIRST_SEED + at) for at in range(rules.evaluation_episodes))
        success = wilson(wins, rules.evaluation_episodes)
        self._curve.append({'labels': labels, 'seconds': round(self._seconds, 1),
                            'success': success.as_dict()})
        self._say(self._curve[-1])
        self._began_s = time.perf_counter()
        return (success.rate < GOAL and self._seconds < rules.cap_s
                and labels < rules.most_labels)

    def result(self) -> dict:
        """Return labels and seconds to the goal (None: not reached), and the way there."""
        self.environment.close()
        self._held_out.close()
        last = self._curve[-1]
        reached = last['success']['rate'] >= GOAL
        return {'labels': last['labels'] if reached else None,
                'seconds': last['seconds'] if reached else None,
                'last': last, 'curve': self._curve}


def succeeds(environment: Environment, act: Act, seed: int) -> bool:
    """Run one episode of a policy."""
    return run_episode(environment, lambda _, observation: act(observation), seed).success


def ours(rules: Rules, say: Callable[[dict], None]) -> dict:
    """Run ``gated`` DAgger as ``il_ros dagger --strategy gated`` does, with its own settings."""
    race = PeerComparison(rules, say)
    contract = race.environment.contract
    config = TrainConfig.of(rules.task)
    strategy = load_strategy('gated', share_path('config', 'strategies', 'gated.yaml'))
    expert = make_expert(rules.task, contract)
    observations, actions, round_, policy, seed = [], [], 0, None, 0
    while True:
        count = rules.episodes_per_round if round_ else rules.demonstrations
        plan = strategy.plan(round_, rules.seed)
        for _ in range(count):
            driving = Driving(plan, f'rollout-r{round_:02d}-{seed:06d}', contract)
            visited, answers = episode(race.environment, driving, expert.act, policy, seed)
            observations += visited
            actions += answers
            seed += 1
        data = Demonstrations(np.array(observations), np.array(actions), contract)
        policy = fit(data, None, contract, config, rules.seed).policy
        if not race.judge(policy.act, len(data)):
            return race.result()
        round_ += 1


def episode(environment: Environment, driving: Driving, expert: Act, policy: Policy | None,
            seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the visited states of one episode and the expert's answers to them."""
    visited, labels = [], []

    def act(_: int, observation: Observation) -> np.ndarray:
        answers = {EXPERT: expert(observation)}
        if policy is not None:
            answers[POLICY] = policy.act(observation)
        visited.append(observation)
        labels.append(answers[EXPERT])
        return driving.choose(answers).action

    run_episode(environment, act, seed)
    return visited, labels
