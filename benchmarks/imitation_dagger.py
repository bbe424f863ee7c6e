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

"""
The DAgger of the ``imitation`` library (https://imitation.readthedocs.io) in the same race.

``defaults`` leaves everything to the library. ``matched`` gives it our demonstrations, net,
inputs, gradient steps and round size, actions scaled to unit range and the thresholded gripper;
what remains is its own mixture, its loss, and one net that it trains on from round to round.
"""

from collections.abc import Callable, Sequence
import tempfile

from benchmarks.race import episode, PeerComparison, Rules
import datasets
import gymnasium
from il_ros.contract.contract import Contract
from il_ros.driving.driving import Driving
from il_ros.interactive.strategy import demonstration_plan
from il_ros.learning.config import TrainConfig
from il_ros.learning.inputs import Inputs
from il_ros.learning.normaliser import Normaliser
from il_ros.tasks.expert_registry import make_expert
from imitation.algorithms import bc
from imitation.algorithms.dagger import SimpleDAggerTrainer
from imitation.data.types import Trajectory
from imitation.policies.base import NonTrainablePolicy
from imitation.util.logger import configure
import numpy as np
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import DummyVecEnv
import torch

ROUND_STEPS = 500
"""The smallest round of the library's defaults."""

_WHOLE = np.finfo(np.float32).max

datasets.disable_progress_bars()


class Scale:
    """Actions between the contract's units and [-1, 1]; the gripper is thresholded."""

    def __init__(self, contract: Contract):
        self._lower, self._upper = contract.lower, contract.upper
        self._gripper = contract.gripper_index

    def to_units(self, action: np.ndarray) -> np.ndarray:
        """Return an action in the contract's units."""
        share = (np.clip(action, -1.0, 1.0) + 1.0) / 2.0
        if self._gripper >= 0:
            share[self._gripper] = float(share[self._gripper] > 0.5)
        return (self._lower + share * (self._upper - self._lower)).astype(np.float32)

    def from_units(self, action: np.ndarray) -> np.ndarray:
        """Return an action in [-1, 1]."""
        share = (action - self._lower) / (self._upper - self._lower)
        return (2.0 * share - 1.0).astype(np.float32)


class Scaled(gymnasium.ActionWrapper):
    """The environment with actions in [-1, 1]."""

    def __init__(self, environment: gymnasium.Env, scale: Scale):
        super().__init__(environment)
        self._scale = scale
        shape = environment.action_space.shape
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, shape, np.float32)

    def action(self, action):
        """Return the action in the contract's units."""
        return self._scale.to_units(action)


class ExpertPolicy(NonTrainablePolicy):
    """The task's expert as the library takes one."""

    def __init__(self, venv: DummyVecEnv, act: Callable[[np.ndarray], np.ndarray]):
        super().__init__(venv.observation_space, venv.action_space)
        self._act = act

    def _choose_action(self, obs: np.ndarray) -> np.ndarray:
        return self._act(obs)


class OurInputs(BaseFeaturesExtractor):
    """Relative inputs, normalised by the demonstrations; nothing here is trained."""

    def __init__(self, observation_space: gymnasium.Space, matrix: np.ndarray,
                 normaliser: Normaliser):
        super().__init__(observation_space, normaliser.width)
        for name, array in (('matrix', matrix), ('mean', normaliser.mean), ('sd', normaliser.sd)):
            self.register_buffer(name, torch.from_numpy(array))

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return the net's inputs, shape ``(N, K)``."""
        return (observations @ self.matrix - self.mean) / self.sd


def defaults(rules: Rules, say: Callable[[dict], None]) -> dict:
    """Time the trainer as it comes."""
    race = PeerComparison(rules, say)
    venv = DummyVecEnv([lambda: race.environment])
    expert = make_expert(rules.task, race.environment.contract)
    rng = np.random.default_rng(rules.seed)
    torch.manual_seed(rules.seed)
    with tempfile.TemporaryDirectory() as folder:
        dagger = _dagger(venv, folder, ExpertPolicy(venv, expert.act), rng, None)
        while True:
            dagger.train(ROUND_STEPS, bc_train_kwargs={'progress_bar': False})
            if not race.judge(lambda values: _answer(dagger.policy, values), _labels(dagger)):
                return race.result()


def matched(rules: Rules, say: Callable[[dict], None]) -> dict:
    """Time it with our net, inputs, gradient steps and rounds."""
    race = PeerComparison(rules, say)
    contract, config = race.environment.contract, TrainConfig.of(rules.task)
    scale, expert = Scale(contract), make_expert(rules.task, contract)
    venv = DummyVecEnv([lambda: Scaled(race.environment, scale)])
    demonstrations = [_demonstration(race, expert.act, seed, scale)
                      for seed in range(rules.demonstrations)]
    inputs = Inputs(contract, config.inputs)
    rows = inputs.apply(np.concatenate([demo.obs[:-1] for demo in demonstrations]))
    rng = np.random.default_rng(rules.seed)
    torch.manual_seed(rules.seed)
    policy = ActorCriticPolicy(
        venv.observation_space, venv.action_space, lambda _: _WHOLE,
        net_arch=list(config.hidden), activation_fn=torch.nn.ReLU,
        features_extractor_class=OurInputs, features_extractor_kwargs={
            'matrix': inputs.apply(np.eye(contract.width, dtype=np.float32)),
            'normaliser': Normaliser.fit(rows, inputs.units)})
    train = {'n_batches': config.steps, 'progress_bar': False, 'log_rollouts_venv': None}
    asked = ExpertPolicy(venv, lambda values: scale.from_units(expert.act(values)))
    with tempfile.TemporaryDirectory() as folder:
        dagger = _dagger(venv, folder, asked, rng, demonstrations, policy=policy,
                         batch_size=config.batch, optimizer_kwargs={'lr': config.learning_rate})
        dagger.extend_and_update(train)
        while race.judge(lambda values: scale.to_units(_answer(dagger.policy, values)),
                         _labels(dagger)):
            dagger.train(1, rollout_round_min_episodes=rules.episodes_per_round,
                         rollout_round_min_timesteps=1, bc_train_kwargs=train)
    return race.result()


def _dagger(venv: DummyVecEnv, folder: str, expert: ExpertPolicy, rng: np.random.Generator,
            demonstrations: Sequence[Trajectory] | None, **cloning) -> SimpleDAggerTrainer:
    logger = configure(folder, [])
    venv.seed(int(rng.integers(2**31)))
    trainer = bc.BC(observation_space=venv.observation_space, action_space=venv.action_space,
                    rng=rng, custom_logger=logger, **cloning)
    return SimpleDAggerTrainer(
        venv=venv, scratch_dir=folder, expert_policy=expert, rng=rng, bc_trainer=trainer,
        expert_trajs=demonstrations, custom_logger=logger)


def _demonstration(race: PeerComparison, act: Callable, seed: int, scale: Scale) -> Trajectory:
    driving = Driving(demonstration_plan(0), f'demonstration-{seed}', race.environment.contract)
    visited, actions = episode(race.environment, driving, act, None, seed)
    # The library wants one observation more than actions; it trains on none after the last.
    return Trajectory(obs=np.array([*visited, visited[-1]]),
                      acts=np.array([scale.from_units(action) for action in actions]),
                      infos=None, terminal=True)


def _labels(dagger: SimpleDAggerTrainer) -> int:
    """Count what it has collected: every step was labelled."""
    return sum(len(demo) for demo in dagger._all_demos)


def _answer(policy: BasePolicy, values: np.ndarray) -> np.ndarray:
    return policy.predict(values, deterministic=True)[0]
