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
``il_ros dataset replay --through graph|arm``: recorded actions again, under the present limits.

What drives is the action that was sent then, step by step, in place of a policy; the supervisor
limits, holds and stops it as any other driver. Nothing is sent unless the episode begins where the
recorded one began; otherwise the node ends it at once.
"""

import dataclasses
from pathlib import Path
from typing import NamedTuple

from il_ros.contract.episode_spec import ABORTED, EpisodeSpec, EVALUATION, FAULT, HOLD, POLICY
from il_ros.driving.playback import Playback
from il_ros.episodes.deviation import deviations
from il_ros.episodes.episode import Episode
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import Receipt
from il_ros.errors import ImitationError, NoSuchRunError
from il_ros.graph.client import Client, RefusedError, run_client
from il_ros.graph.graph import build, overrides
from il_ros.graph.graph_options import GraphOptions
from il_ros.graph.run_folders import REPLAY, runs_of
from il_ros.interactive.strategy import evaluation_plan
from il_ros.progress import each
from il_ros.ros import runtime
from il_ros.ros.driver import Driver
from il_ros.ros.node import GraphNode
from il_ros.ros.parameters import bounded, choice
from il_ros.ros.runtime import Runtime
from il_ros.ros.supervision.ending import EpisodeEnd
from il_ros.runs.kept_contract import keep_contract, needed_contract
from il_ros_interfaces.msg import Observation
import numpy as np

PREFIX = 'replay-'
"""Of the ids of replayed episodes."""


@dataclasses.dataclass(frozen=True)
class ReplayParameters:
    """Parameters of the node that drives by a recorded episode."""

    mode: str = choice('lockstep', ('lockstep', 'realtime'),
                       'lockstep: answer every observation; realtime: only the newest')
    tolerance: float = bounded(
        0.02, 0.0, 1.0, 'how far any value may be from where the recording began [its unit]')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')


class ReplayNode(GraphNode):
    """Publishes ``policy/action``: what was executed in a recorded episode."""

    def __init__(self, **kwargs):
        super().__init__(REPLAY, ReplayParameters, **kwargs)
        self._playing: tuple[str, Playback] | None = None
        self._driver = Driver(self, POLICY, 'policy/action', self._act,
                              realtime=self.parameters.mode == 'realtime')
        self._end = EpisodeEnd(self)

    @property
    def is_connected(self) -> bool:
        """Return whether the graph is connected both ways, so that an episode is not missed."""
        return self._driver.contract is not None and self._driver.is_connected

    @property
    def refusal(self) -> str:
        """Return why nothing was sent; empty: something was, or nobody asked."""
        return self._playing[1].refusal if self._playing else ''

    def play(self, recorded: Episode, episode_id: str):
        """Drive the coming episode ``episode_id`` by a recorded one."""
        self._playing = None
        self._driver.answer.policy_id = int(recorded.content_sha256()[:16], 16)
        self._playing = episode_id, Playback(recorded, self.parameters.tolerance)

    def _act(self, observation: Observation, values: np.ndarray) -> np.ndarray | None:
        episode_id, playback = self._playing or ('', None)
        if playback is None or observation.episode_id != episode_id:
            return None
        refused_before = playback.refusal
        action = playback.act(observation.step, values, self._driver.contract,
                              alone=self.count_publishers('policy/action') == 1)
        if playback.refusal and not refused_before:
            self._end.ask(episode_id, ABORTED, FAULT, playback.refusal)
        return action


@dataclasses.dataclass(frozen=True)
class Replay:
    """What is to be replayed, and how."""

    folder: Path
    """Of the run."""
    episodes: tuple[Path, ...]
    runs: Path
    """Where the graph's recorder keeps its runs."""
    output: str
    """Name of the run that the replayed episodes become."""
    arm: bool
    """Attach to the graph that is up, in real time; else compose one, in lockstep."""
    tolerance: float
    """How far any value may be from where the recording began, in its unit."""


class Pair(NamedTuple):
    """An episode and its replay."""

    recorded: Episode
    driven: Episode

    @property
    def is_same(self) -> bool:
        """Tell whether both went through the same states, to the end; images are not compared."""
        return self.recorded.observations.tobytes() == self.driven.observations.tobytes()

    @property
    def is_short(self) -> bool:
        """Tell whether the end came before all actions were sent."""
        return self.driven.steps < self.recorded.steps


def replay(task: Replay) -> int:
    """
    Drive an arm, simulated or not, by the recorded actions, and print how far it went elsewhere.

    :returns: 1: an episode was refused, or ended before all its actions were sent
    :raises NoSuchRunError: if the run has no episode
    """
    recorded = [read_episode(path) for path in task.episodes]
    if not recorded:
        raise NoSuchRunError(f'{task.folder} has no episode to replay')
    _refuse_existing(task)
    contract = '' if task.arm else needed_contract(task.folder, recorded[0])
    kinds = {(one.spec.task, one.contract.id) for one in recorded}
    if len(kinds) > 1:
        raise RefusedError(f'{task.folder} has episodes of {len(kinds)} tasks or contracts; split '
                           'it first: one graph has one')
    nodes: list[ReplayNode] = []
    pairs: list[Pair] = []

    def compose(runtime: Runtime):
        nodes.append(runtime.add(ReplayNode, parameter_overrides=overrides(
            {'mode': 'realtime' if task.arm else 'lockstep', 'tolerance': task.tolerance})))
        if not task.arm:
            build(runtime, options_of(recorded[0], task.runs, contract))

    async def command(client: Client):
        nonlocal task
        task = dataclasses.replace(task, runs=await runs_of(client, task.runs, task.arm))
        _refuse_existing(task)
        try:
            for episode in each(recorded, 'replaying'):
                pairs.append(Pair(episode, await _drive(client, nodes[0], task, episode)))
        finally:
            if pairs:
                keep_contract(task.runs / task.output, contract)
                print('\n'.join(summary(pairs)))
                print(f'the replayed episodes are in {task.runs / task.output}')
    code = run_client(command, compose, attach=task.arm)
    return code or int(any(pair.is_short for pair in pairs))


def _refuse_existing(task: Replay):
    if (task.runs / task.output).exists():
        raise RefusedError(f'{task.runs / task.output} exists already; give --output another name')


def options_of(episode: Episode, runs: Path, contract: str) -> GraphOptions:
    """Return the graph for a replay, without a policy node."""
    return GraphOptions(
        task=episode.spec.task, runs=str(runs), contract=contract,
        rate_hz=episode.contract.rate, options=episode.spec.options, training=False, policy=False)


async def _drive(client: Client, node: ReplayNode, task: Replay, recorded: Episode) -> Episode:
    spec = recorded.spec
    again = EpisodeSpec(
        episode_id=f'{PREFIX}{spec.episode_id}', run=task.output, task=spec.task,
        purpose=EVALUATION, round=spec.round, seed=spec.seed, horizon=recorded.steps,
        continuing=spec.continuing, options=spec.options, plan=evaluation_plan(POLICY, 0))
    node.play(recorded, again.episode_id)
    await client.wait(lambda: node.is_connected, 'observer and supervisor')
    try:
        receipt, = await client.collect([again], lambda _: None)
    except ImitationError as error:
        raise RefusedError(node.refusal or str(error)) from error
    if node.refusal:
        raise RefusedError(node.refusal)
    return _read(task, receipt)


def _read(task: Replay, receipt: Receipt) -> Episode:
    path = task.runs / task.output / receipt.path
    if not path.exists():
        raise RefusedError(f'{path} is not there; the graph that runs keeps its runs elsewhere, '
                           'give --runs its folder')
    return read_episode(path)


def summary(pairs: list[Pair]) -> list[str]:
    """Return the lines that say how far the replayed episodes are from the recorded ones."""
    held = limited = 0
    for _, driven in pairs:
        was_held = driven.driver == HOLD
        held += int(was_held.sum())
        limited += int(np.count_nonzero(driven.limits[~was_held]))
    same = sum(pair.is_same for pair in pairs)
    lines = [f'{same} of {len(pairs)} episodes came to the same states, bit for bit; '
             f'{limited} steps were limited, {held} held (what drives was late, or stopped)']
    for feature in zip(*(deviations(*pair) for pair in pairs)):
        worst = max(feature, key=lambda one: one.largest)
        lines.append(f'  {worst.feature:24} at most {worst.largest:.3g} {worst.unit} apart'
                     + (f', at step {worst.step}' if worst.largest else ''))
    return lines + [f'{pair.recorded.spec.episode_id} ended after {pair.driven.steps} of '
                    f'{pair.recorded.steps} steps' for pair in pairs if pair.is_short]
