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
Carries out one stage of a run after the other: asks collectors, labeller, trainer and policy.

What a stage is and which comes next stands in ``interactive/rounds.py``, what it has to do in
``interactive/stage_work.py``; this is only the asking, always with a deadline, and the writing
down of what came back.
"""

from collections.abc import Awaitable, Callable, Mapping
import dataclasses
from pathlib import Path
import time

from il_ros.contract.contract import Contract
from il_ros.dataset.aggregation import aggregate
from il_ros.dataset.dataset import DATASET
from il_ros.episodes.label_file import read_labels, StoredLabels, write_labels
from il_ros.episodes.labels import unlabelled
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import is_unfinished, Receipt
from il_ros.evaluation.mistakes import ComparedActions, count_mistakes
from il_ros.interactive import stage_work
from il_ros.interactive.dataset_keys import dataset_keys, last_aggregate
from il_ros.interactive.outcomes import Aggregated, Collected, Labelled, Loaded, Measured, Outcome
from il_ros.interactive.outcomes import Trained
from il_ros.interactive.rounds import Stage
from il_ros.interactive.run_state import RunState
from il_ros.ros import qos
from il_ros.ros.calls import CallError, LostError, Waiter
from il_ros.ros.conversion.labels import BadAnswerError
from il_ros.ros.conversion.messages import receipt_from_message, spec_to_message
from il_ros.ros.dagger.delegates import Delegate, Fit, Result, RunError, Tell
from il_ros.ros.labelling import ask_labels
from il_ros.ros.listening import listen, listen_to_contract
from il_ros.ros.presence.peers import Peers
from il_ros.runs.rebuild import refresh
from il_ros.runs.shard import receipts_in
from il_ros_interfaces.action import CollectEpisodes, TrainPolicy
from il_ros_interfaces.msg import PolicyStatus
from il_ros_interfaces.srv import LabelObservations, LoadPolicy
import numpy as np
from rclpy.node import Node


COLLECTING = ('collector', 'recorder', 'policy')
"""After the loss of one of them the collector may fail where the same goal, asked again, does not:
it is another one, an episode is recorded already, a checkpoint has to be loaded."""

FAILURES = {'collector': Result.COLLECT_FAILED, 'recorder': Result.COLLECT_FAILED,
            'trainer': Result.TRAIN_FAILED, 'policy': Result.LOAD_FAILED,
            'expert': Result.LABEL_FAILED}
"""What a failure is called when a node is lost and does not come back."""


class StageRunner:
    """
    The clients of a coordinator.

    :param call_s: deadline of each call, s
    """

    def __init__(self, node: Node, waiter: Waiter, call_s: float):
        self._node, self._waiter, self._call_s = node, waiter, call_s
        group = waiter.group
        self._peers = Peers(node, waiter, self._on_lost)
        self._collector = Delegate(node, waiter, CollectEpisodes, 'collect_episodes',
                                   Result.COLLECT_FAILED, call_s)
        self._trainer = Delegate(node, waiter, TrainPolicy, 'train_policy',
                                 Result.TRAIN_FAILED, call_s)
        self._label = node.create_client(
            LabelObservations, 'label_observations', callback_group=group)
        self._load = node.create_client(LoadPolicy, 'load_policy', callback_group=group)
        self._status: PolicyStatus | None = None
        listen(node, PolicyStatus, 'policy_status', self._on_status, qos.LATCHED,
               callback_group=group)
        self._contract: Contract | None = None
        listen_to_contract(node, self._on_contract, callback_group=group)
        self._folder = Path()
        self._training: dict[bool, Path] = {}
        self._tell: Tell = lambda *_: None
        self._receipts: dict[str, tuple[Path, Receipt]] = {}
        self._taken_back: list[Receipt] = []
        self._losses: Mapping[str, int] = {}
        self._canceled = False

    def begin(self, folder: Path, training: dict[bool, Path], tell: Tell):
        """
        Point at a run; what is recorded there already is taken as it is.

        :param training: the training YAML, with the strategy's augmentation and without
        """
        self._folder, self._training, self._tell = folder, training, tell
        self._canceled = False
        self._collector.begin()
        self._trainer.begin()
        self._read_receipts()

    def _read_receipts(self):
        self._receipts = {
            receipt.spec.episode_id: (path, receipt)
            for path, receipt in receipts_in(self._folder / 'episodes')
            if not is_unfinished(receipt)}

    def _on_contract(self, contract: Contract):
        self._contract = contract

    async def contract(self) -> Contract:
        """
        Return the contract of the graph.

        :raises RunError: if nobody publishes one
        """
        until = time.monotonic() + self._call_s
        while self._contract is None:
            if time.monotonic() > until:
                raise RunError(Result.COLLECT_FAILED, f'no contract within {self._call_s} s; is '
                                                      'the observer running?')
            await self._waiter.pause(0.02)
        return self._contract

    def cancel(self):
        """Stop the stage that is being carried out, whatever it waits for."""
        self._canceled = True
        self._collector.cancel()
        self._trainer.cancel()
        self._waiter.stop(RunError(Result.CANCELED, 'canceled'))

    async def refresh_dataset(self, state: RunState):
        """Make the data set anew, if it is gone or its labels or discards changed since."""
        stage = last_aggregate(state)
        if stage is not None:
            planned = dataset_keys(state, stage)
            await self._waiter.beside(lambda check: refresh(self._folder, planned, check))

    def start_fit(self, state: RunState, stage: Stage, tell: Tell) -> Fit:
        """Begin the fit of a ``train`` stage; other stages can be carried out meanwhile."""
        job = stage_work.train_job(state, stage)
        goal = TrainPolicy.Goal(
            run=state.goal.run, filter_key=job.filter_key,
            config=str(self._training[job.augmented]), seed=job.seed,
            output=str(self._folder / job.output))
        return Fit(self._node, self._trainer, stage, job, goal, tell, self._again)

    async def execute(self, state: RunState, stage: Stage) -> Outcome:
        """
        Carry out a stage other than ``train``.

        :raises RunError: with the code of what failed, and its sentence
        """
        started = time.monotonic()
        self._taken_back, self._losses = [], self._peers.losses(COLLECTING)
        return await self._again(stage, lambda: self._execute(state, stage, started))

    async def _again(self, stage: Stage, work: Callable[[], Awaitable]):
        try:
            return await self._peers.again(stage.name, self._call_s, work)
        except LostError as error:
            raise RunError(FAILURES[error.part], f'{stage.name}: {error}') from error

    async def _execute(self, state: RunState, stage: Stage, started: float) -> Outcome:
        if self._canceled:
            raise RunError(Result.CANCELED, 'canceled')
        needed = stage_work.checkpoint_for(state, stage)
        if needed is not None:
            await self._ensure_loaded(needed)
        if stage.act in ('collect', 'evaluate'):
            return await self._run_episodes(state, stage, started)
        if stage.act == 'load':
            return Loaded(seconds=time.monotonic() - started)
        steps = {'label': self._label_stage, 'measure': self._measure_stage,
                 'aggregate': self._aggregate_stage}
        return await steps[stage.act](state, stage, started)

    def _on_status(self, status: PolicyStatus):
        self._status = status

    def _on_lost(self, part: str):
        if part == 'policy':
            self._status = None  # one that is started again has no checkpoint, or another one

    async def _run_episodes(self, state: RunState, stage: Stage, started: float) -> Collected:
        specs = stage_work.episode_specs(state, stage)
        if self._peers.lost_since(self._losses):
            self._read_receipts()  # what was whole when a node ended may be known to nobody else
        pending = stage_work.unrecorded(specs, self._receipts)
        done = len(specs) - len(pending)

        def on_feedback(message):
            self._tell((done + message.feedback.finished) / len(specs), -1.0)

        if pending:
            earlier = specs[:specs.index(pending[0])]
            before = [self._receipts[spec.episode_id][1] for spec in earlier]
            await self._collect(state, stage, CollectEpisodes.Goal(
                episodes=[spec_to_message(spec) for spec in pending],
                gate_threshold=stage_work.gate_threshold(state, stage, before)), on_feedback)
        receipts = [self._receipts[spec.episode_id][1] for spec in specs
                    if spec.episode_id in self._receipts]
        return Collected.of(specs, receipts, time.monotonic() - started, self._taken_back)

    async def _collect(self, state: RunState, stage: Stage, goal: CollectEpisodes.Goal,
                       on_feedback):
        """
        Have episodes run and recorded.

        :raises LostError: if that fails, and one of ``COLLECTING`` was lost in this stage
        """
        result = await self._collector.ask(goal, on_feedback)
        if result.error_code and not self._canceled:
            await self._peers.look_again()
        lost = self._peers.lost_since(self._losses)
        if 'policy' not in lost or self._status is not None and self._status.sha256:
            self._require_policy(state, stage)
        recorded = [receipt_from_message(message) for message in result.episodes]
        self._taken_back += [receipt for receipt in recorded if is_unfinished(receipt)]
        for receipt in recorded:
            self._keep(receipt)
        if result.error_code and lost and not self._canceled:
            raise LostError(lost[0], result.error_msg)
        self._collector.check(result)

    def _keep(self, receipt: Receipt):
        if not is_unfinished(receipt):
            self._receipts[receipt.spec.episode_id] = (self._folder / receipt.path, receipt)

    def _path(self, episode_id: str) -> Path:
        """Return the file of an episode that the run has recorded."""
        if episode_id not in self._receipts:
            raise RunError(Result.RUN_DIFFERS, (
                f'{self._folder}/episodes lacks {episode_id}, which this run recorded and needs: '
                'an incomplete copy? copy the run again, whole'))
        return self._receipts[episode_id][0]

    def _require_policy(self, state: RunState, stage: Stage):
        """Refuse episodes in which the policy node may not have run the right checkpoint."""
        needed, status = stage_work.checkpoint_for(state, stage), self._status
        if needed is not None and (
                status is None or status.state != status.READY or status.sha256 != needed.sha256):
            raise RunError(Result.LOAD_FAILED, 'the policy node lost its checkpoint meanwhile'
                                               f'{": " if status and status.error_msg else ""}'
                                               f'{status.error_msg if status else ""}')

    async def _ensure_loaded(self, needed: Trained):
        status = self._status
        if status is not None and status.state == status.READY and (
                status.sha256 == needed.sha256):
            return
        path = (self._folder / needed.path).resolve()
        try:
            response = await self._waiter.call(
                self._load, LoadPolicy.Request(path=str(path), sha256=needed.sha256),
                self._call_s)
            if response.error_code:
                raise CallError(response.error_msg)
            await self._loaded(response.ticket)
        except LostError:
            raise
        except CallError as error:
            raise RunError(Result.LOAD_FAILED, str(error)) from error

    async def _loaded(self, ticket: int):
        until, before = time.monotonic() + self._call_s, self._peers.losses(('policy',))
        while time.monotonic() < until:
            if self._peers.lost_since(before):
                raise LostError('policy', 'policy ended while it loaded')
            status = self._status
            if status is not None and status.ticket >= ticket and status.state != status.LOADING:
                if status.state == status.READY:
                    return
                raise CallError(f'policy refused: {status.error_msg}')
            await self._waiter.pause(0.02)
        raise CallError(f'the policy did not report load {ticket} within {self._call_s} s')

    async def _label_stage(self, state: RunState, stage: Stage, started: float) -> Labelled:
        ids = stage_work.episodes_to_label(state, stage)
        asked = labels = 0
        seconds = 0.0
        for number, episode_id in enumerate(ids):
            await self._waiter.pause(0.0)
            path = self._path(episode_id)
            stored = await self._labels_of(path)
            asked += int(stored.asked.sum())
            labels += int(stored.answers.valid.sum())
            seconds += stored.seconds
            self._tell((number + 1) / len(ids), -1.0)
        return Labelled(asked=asked, labels=labels, expert_seconds=seconds,
                        seconds=time.monotonic() - started)

    async def _labels_of(self, path: Path) -> StoredLabels:
        """Return the service's labels of an episode; what was asked once is not asked again."""
        episode = read_episode(path)
        stored = read_labels(path, episode)
        if stored is None:
            steps = unlabelled(episode)
            actions, valid, labeller, spent = await self._ask(episode, steps)
            write_labels(path, episode, steps, actions, valid, labeller, spent, time.time_ns())
            stored = read_labels(path, episode)
        return stored

    async def _ask(self, episode, steps: np.ndarray):
        def check():
            if self._canceled:
                raise RunError(Result.CANCELED, 'canceled')

        try:
            return await ask_labels(self._waiter, self._label, self._call_s, episode, steps, check)
        except LostError:
            raise
        except (CallError, BadAnswerError) as error:
            raise RunError(Result.LABEL_FAILED, f'{episode.spec.episode_id}: {error}') from error

    async def _measure_stage(self, state: RunState, stage: Stage, started: float) -> Measured:
        ids = stage_work.episodes_to_label(state, stage)
        rollouts, contract = [], None
        for number, episode_id in enumerate(ids):
            await self._waiter.pause(0.0)
            episode = read_episode(self._path(episode_id))
            contract = episode.contract
            actions, valid, *_ = await self._ask(episode, np.arange(episode.steps))
            wanted = np.where(episode.policy.valid[:, None], episode.policy.actions, np.nan)
            rollouts.append(ComparedActions(wanted, actions, valid))
            self._tell((number + 1) / len(ids), -1.0)
        found = count_mistakes(rollouts, contract)
        return Measured(asked=sum(len(rollout.valid) for rollout in rollouts),
                        seconds=time.monotonic() - started, **dataclasses.asdict(found))

    async def _aggregate_stage(self, state: RunState, stage: Stage,
                               started: float) -> Aggregated:
        key = stage_work.filter_key(stage)
        entries = [(self._path(episode_id), keys)
                   for episode_id, keys in dataset_keys(state, stage).items()]
        done = await self._waiter.beside(
            lambda check: aggregate(self._folder / DATASET, entries, check=check))
        return Aggregated(episodes=done.demos, labels=done.labels.get(key, 0),
                          person_labels=done.person_labels.get(key, 0),
                          seconds=time.monotonic() - started)
