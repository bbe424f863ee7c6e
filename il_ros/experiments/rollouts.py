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
Run episodes in this process, without ROS, and record the actions of driver and expert.

They equal those of the graph in lockstep, bit for bit. An episode depends on its seed alone, so
that any process may run any of them in any order.
"""

import dataclasses
import io
from pathlib import Path
from typing import Any, Sequence
import zipfile
import zlib

from il_ros.contract.episode_spec import LARGEST_SEED
from il_ros.contract.observation import parts_of
from il_ros.errors import ImitationError
from il_ros.evaluation.mistakes import ComparedActions
from il_ros.interactive.goal import EVALUATION_SEEDS, VALIDATION_SEEDS
from il_ros.learning import checkpoint
from il_ros.learning.policy import Policy
from il_ros.learning.runner import Runner
from il_ros.sim.environment import Environment
from il_ros.sim.episode_loop import Observation, run_episode
from il_ros.tasks.expert_registry import make_expert
import numpy as np

_COLUMNS = ('actions', 'expert', 'valid', 'reached', 'observations')
"""Fields of ``Rollout`` with a row for each step; the others are a number for each episode."""


class RolloutError(ImitationError):
    """Episodes that cannot be run or read as requested."""


def check_seeds(first: int, episodes: int):
    """
    Refuse seeds that are not all for validation, or all for evaluation.

    :raises RolloutError: naming the first or the last one
    """
    last = first + episodes - 1
    if first < VALIDATION_SEEDS:
        raise RolloutError(f'--first-seed is {first}; seeds below {VALIDATION_SEEDS} are for '
                           f'training, expected one from there up (evaluation: '
                           f'{EVALUATION_SEEDS})')
    if last > LARGEST_SEED:
        raise RolloutError(f'--first-seed is {first} with {episodes} episodes; the last seed '
                           f'would be {last}, expected at most {LARGEST_SEED}')
    if first < EVALUATION_SEEDS <= last:
        raise RolloutError(f'--first-seed is {first}; {episodes} episodes from there mix seeds '
                           f'of validation and evaluation ({EVALUATION_SEEDS} up)')


@dataclasses.dataclass(frozen=True)
class Conditions:
    """Conditions that the episodes share: arguments of ``Simulation.reset`` without the seed."""

    task: str
    horizon: int = 0
    """Steps; 0: the task's own."""
    continuing: bool = False
    """A new goal after each success."""
    options: str = ''
    """Canonical JSON of the task's options; '': none."""
    contract: str = ''
    """A contract file, or a task's name, with _image for images; '': the task's own."""

    @property
    def layout(self) -> str:
        """Return the contract's name, as ``find_contract`` takes it."""
        return self.contract or self.task


@dataclasses.dataclass(frozen=True, eq=False)
class Rollout:
    """One episode of T steps."""

    seed: int
    success: bool
    """Success in the last state; in a continuing episode ``goals_reached`` counts."""
    cause: int
    """``EpisodeStatus.cause``."""
    goals_reached: int
    actions: np.ndarray
    """Actions of the driver, shape ``(T, act_dim)``, float32."""
    expert: np.ndarray
    """Actions of the expert, same shape; zero where it has no answer."""
    valid: np.ndarray
    """Shape ``(T,)``, bool: the expert has an answer."""
    reached: np.ndarray
    """Shape ``(T,)``, bool: the step reached a goal."""
    observations: np.ndarray
    """Shape ``(T, D)``, float32, before each action; ``(T, 0)`` where they were not kept."""

    @property
    def steps(self) -> int:
        """Return T."""
        return len(self.actions)

    @property
    def compared(self) -> ComparedActions:
        """Return what the mistakes are counted over."""
        return ComparedActions(self.actions, self.expert, self.valid)


class RolloutRunner:
    """Runs episodes of one driver in one simulation, which takes a while to build."""

    def __init__(self, conditions: Conditions, policy: str = '', keep_observations: bool = False):
        """
        Build the simulation and load the driver.

        :param policy: folder of the checkpoint that drives; '': the expert drives
        :raises ImitationError: if there is no such task, expert or checkpoint, or the policy
            belongs to another contract
        """
        self._environment = Environment(conditions.task, contract=conditions.contract)
        self._reset = {'horizon': conditions.horizon, 'continuing': conditions.continuing,
                       'options': conditions.options}
        self.contract = self._environment.contract
        self._expert = make_expert(conditions.task, self.contract, conditions.options)
        self.take(policy)
        self._keep = keep_observations

    def take(self, policy: str, sha256: str = ''):
        """
        Set the driver of the next episodes.

        :param policy: folder of a checkpoint; '': the expert
        :param sha256: hex; compared with the checkpoint's unless empty
        :raises LearningError: if there is no such checkpoint, it is another one, or it belongs to
            another contract
        """
        self._policy = checkpoint.load(Path(policy), sha256) if policy else None
        if self._policy:
            checkpoint.check(self._policy, self.contract)

    def run(self, seed: int) -> Rollout:
        """Run one episode to its end and return it."""
        expert, runner = self._expert, Runner(self._policy) if self._policy else None
        observations: list[np.ndarray] = []
        actions: list[np.ndarray] = []
        answers: list[np.ndarray | None] = []

        def act(step: int, observation: Observation) -> np.ndarray:
            values, images = parts_of(observation)
            answer = expert.act(values)
            action = runner.act(step, values, images) if runner else answer
            if action is None:
                raise RolloutError(f'the {expert.name} has no answer in step {step} of '
                                   f'the episode with seed {seed}')
            observations.append(values if self._keep else values[:0])
            actions.append(action)
            answers.append(answer)
            return action

        ending = run_episode(self._environment, act, seed, self._reset)
        valid = np.array([answer is not None for answer in answers])
        known = [np.zeros_like(actions[0]) if answer is None else answer for answer in answers]
        return Rollout(seed, ending.success, ending.cause, ending.goals_reached, np.array(actions),
                       np.array(known), valid, ending.reached, np.array(observations))

    def close(self):
        """Release the memory of PyBullet."""
        self._environment.close()


def answers_of(policy: Policy, observations: np.ndarray) -> np.ndarray:
    """
    Return the actions of a policy in the states of an episode with another driver.

    :param observations: shape ``(T, D)``, float32, T >= 1
    :returns: shape ``(T, act_dim)``, float32
    """
    runner, answers = Runner(policy), []
    for step, values in enumerate(observations):
        answers.append(runner.act(step, values))
        runner.discard_plan()
    return np.array(answers)


def to_npz(episodes: Sequence[Rollout], about: str) -> bytes:
    """
    Return episodes as the content of an ``.npz`` file without objects.

    :param about: text that ``from_npz`` has to be given again
    """
    scalars = {field.name: np.array([getattr(one, field.name) for one in episodes])
               for field in dataclasses.fields(Rollout) if field.name not in _COLUMNS}
    columns = {name: np.concatenate([getattr(one, name) for one in episodes])
               for name in _COLUMNS}
    file = io.BytesIO()
    arrays: dict[str, Any] = {**scalars, **columns}
    np.savez_compressed(file, about=np.array(about), steps=[one.steps for one in episodes],
                        **arrays)
    return file.getvalue()


def from_npz(content: bytes, about: str) -> list[Rollout]:
    """
    Return the episodes that ``to_npz`` wrote.

    :raises RolloutError: if the content is damaged or about something else
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        if str(arrays.pop('about')) != about:
            raise RolloutError('the episodes were run under other conditions')
        ends = np.cumsum(arrays.pop('steps'))[:-1]
        fields = {name: np.split(values, ends) if name in _COLUMNS else values.tolist()
                  for name, values in arrays.items()}
        return [Rollout(**dict(zip(fields, row))) for row in zip(*fields.values(), strict=True)]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile,
            zlib.error) as error:
        raise RolloutError(f'the episodes cannot be read: {error}') from error
