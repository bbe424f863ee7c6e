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
Carry out one stage of a run after the other, over any back end.

What a stage is and which comes next stands in ``interactive/rounds.py``, what it has to do in
``interactive/stage_work.py``; here the back end is asked for it, and what came back is written
down.
"""

from collections.abc import Sequence
import dataclasses
from pathlib import Path
import time

from il_ros.contract.episode_spec import EpisodeSpec
from il_ros.dataset.aggregation import aggregate
from il_ros.dataset.dataset import DATASET
from il_ros.episodes.label_file import read_labels, StoredLabels, write_labels
from il_ros.episodes.labels import unlabelled
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import DISCARDED, is_unfinished, Receipt
from il_ros.errors import ImitationError
from il_ros.evaluation.mistakes import ComparedActions, count_mistakes
from il_ros.evaluation.paired import NOT_DECIDED, Pairs
from il_ros.interactive import stage_work
from il_ros.interactive.dataset_keys import dataset_keys, last_aggregate
from il_ros.interactive.outcomes import Aggregated, Chosen, Collected, Compared, Labelled, Loaded
from il_ros.interactive.outcomes import Measured, Outcome, Trained
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage import Stage
from il_ros.learning import checkpoint
from il_ros.loop.backend import Backend, Episodes, FitOrder, Fitting, Tell
from il_ros.loop.failures import RUN_DIFFERS, RunError, TRAIN_FAILED
from il_ros.runs.inventory import FLAGS
from il_ros.runs.rebuild import refresh
from il_ros.runs.shard import receipts_in
from il_ros.settings import is_finite
import numpy as np

LOOK_EVERY = 10
"""Episodes after which two policies are compared: each look may load both checkpoints."""


class Fit:
    """The fit of a ``train`` stage, beside other stages of its run."""

    def __init__(self, stage: Stage, output: str, fitting: Fitting):
        """
        Follow a fit that has begun.

        :param output: folder of the checkpoint, relative to the run's
        """
        self.stage, self._output, self._fitting = stage, output, fitting
        self._started = time.monotonic()

    async def outcome(self) -> Trained:
        """
        Return what came of it.

        :raises RunError: with the code of what failed, and its sentence
        :raises LearningError: if the checkpoint is not what the back end says it is
        """
        waiting = time.monotonic()
        done = await self._fitting.outcome()
        now = time.monotonic()
        for name in ('train_loss', 'held_out_loss'):
            if not is_finite(getattr(done, name)):
                raise RunError(TRAIN_FAILED, f'train_policy answered {name} '
                                             f'{getattr(done, name)}; expected a finite number')
        info = checkpoint.load(Path(done.path), done.sha256).info
        # Losses have the precision of a message, so that a run is the same over ROS and without.
        return Trained(
            path=self._output, sha256=done.sha256, policy_id=done.policy_id, labels=done.labels,
            train_loss=float(np.float32(done.train_loss)),
            held_out_loss=float(np.float32(done.held_out_loss)),
            epsilon_mistakes=done.epsilon_mistakes, epsilon_states=done.epsilon_states,
            seconds=now - waiting, fit_seconds=now - self._started,
            error_covariance=tuple(info.get('error_covariance', ())),
            synthetic=info.get('synthetic', 0))

    async def abandon(self):
        """Cancel it and wait until it has stopped."""
        try:
            await self._fitting.abandon()
        except ImitationError:
            pass  # the run has failed of something else


class StageRunner:
    """
    The stages of one run; what is recorded there already is taken as it is.

    :param training: the training YAML, with the strategy's augmentation and without
    """

    def __init__(self, backend: Backend, folder: Path, training: dict[bool, Path], tell: Tell):
        self._backend, self._folder = backend, folder
        self._training, self._tell = training, tell
        self._discarded_attempts: list[Receipt] = []
        self._read_receipts()

    def _read_receipts(self):
        self._receipts = {
            receipt.spec.episode_id: (path, receipt)
            for path, receipt in receipts_in(self._folder / 'episodes')
            if not is_unfinished(receipt)}

    async def refresh_dataset(self, state: RunState):
        """Rebuild the data set if it is missing, or labels or discards have changed."""
        stage = last_aggregate(state)
        if stage is not None:
            planned = dataset_keys(state, stage)
            await self._backend.beside(lambda check: refresh(self._folder, planned, check))

    def start_fit(self, state: RunState, stage: Stage, tell: Tell) -> Fit:
        """Begin the fit of a ``train`` stage; other stages can be carried out meanwhile."""
        job = stage_work.train_job(state, stage)
        fitting = self._backend.start_fit(FitOrder(
            stage=stage.name, run=state.goal.run, folder=self._folder, filter_key=job.filter_key,
            config=self._training[job.augmented], seed=job.seed,
            output=self._folder / job.output), tell)
        return Fit(stage, job.output, fitting)

    async def execute(self, state: RunState, stage: Stage) -> Outcome:
        """
        Carry out a stage other than ``train``.

        :raises RunError: with the code of what failed, and its sentence
        """
        started, attempts = time.monotonic(), 0
        self._discarded_attempts = []

        async def work() -> Outcome:
            nonlocal attempts
            if attempts:
                self._read_receipts()  # what is whole may be known to nobody else
            attempts += 1
            return await self._execute(state, stage, started)
        return await self._backend.carry_out(stage.name, work)

    async def _execute(self, state: RunState, stage: Stage, started: float) -> Outcome:
        self._backend.check()
        await self._load(state, stage)
        if stage_work.is_sequential(state, stage):
            return await self._compare(state, stage, started)
        if stage.act in ('collect', 'evaluate'):
            return await self._run_episodes(state, stage, started)
        if stage.act == 'load':
            return Loaded(seconds=time.monotonic() - started)
        if stage.act == 'choose':
            return self._choose_stage(state, stage, started)
        if stage.act == 'label':
            return await self._label_stage(state, stage, started)
        if stage.act == 'measure':
            return await self._measure_stage(state, stage, started)
        return await self._aggregate_stage(state, stage, started)

    async def _load(self, state: RunState, stage: Stage):
        """Let the policy run that a stage needs, if it needs one."""
        needed = stage_work.checkpoint_for(state, stage)
        if needed is not None:
            await self._backend.load((self._folder / needed.path).resolve(), needed.sha256)

    async def _run_episodes(self, state: RunState, stage: Stage, started: float) -> Collected:
        specs = stage_work.episode_specs(state, stage)
        await self._record(state, stage, specs, 0.0, 1.0)
        receipts = [self._receipts[spec.episode_id][1] for spec in specs
                    if spec.episode_id in self._receipts]
        return Collected.of(specs, receipts, time.monotonic() - started, self._discarded_attempts)

    async def _compare(self, state: RunState, stage: Stage, started: float) -> Compared:
        """Evaluate beside the policy of the round before until it is sure which is better."""
        before = dataclasses.replace(stage, round=stage.round - 1)
        specs, pairs = stage_work.episode_specs(state, stage), Pairs()
        specs_before = stage_work.specs_before(specs)
        while pairs.answer == NOT_DECIDED and pairs.episodes < len(specs):
            part = slice(pairs.episodes, pairs.episodes + LOOK_EVERY)
            for of, its_specs in ((before, specs_before), (stage, specs)):
                await self._record(state, of, its_specs[part], part.start / len(specs),
                                   part.stop / len(specs))
            for spec, spec_before in zip(specs[part], specs_before[part]):
                pairs = pairs.after(*(self._recorded(one.episode_id)[1].success
                                      for one in (spec, spec_before)))
        evaluated = state.find(Collected, before.name)
        ran, more = (
            [self._recorded(spec.episode_id)[1] for spec in some] for some in (
                specs[:pairs.episodes],
                specs_before[evaluated.episodes if evaluated else 0:pairs.episodes]))
        found = Collected.of(specs[:pairs.episodes], ran, time.monotonic() - started,
                             [*self._discarded_attempts, *more])
        return Compared(
            **vars(found), both=pairs.both, only_this=pairs.only_a, only_before=pairs.only_b,
            neither=pairs.neither, smallest_difference=pairs.smallest_difference,
            before_episodes=len(more))

    async def _record(self, state: RunState, stage: Stage, specs: Sequence[EpisodeSpec],
                      progress_from: float, progress_to: float):
        """Run the episodes that have no receipt yet."""
        pending = stage_work.unrecorded(specs, self._receipts)
        done = len(specs) - len(pending)
        if pending:
            await self._load(state, stage)
            earlier = specs[:specs.index(pending[0])]
            before = [self._receipts[spec.episode_id][1] for spec in earlier]
            await self._backend.collect(
                Episodes(stage.name, self._folder, pending,
                         stage_work.gate_threshold(state, stage, before),
                         stage_work.checkpoint_for(state, stage)),
                self._keep, lambda count: self._tell(
                    progress_from + (progress_to - progress_from) * (done + count) / len(specs),
                    -1.0))

    def flagged(self, outcome: Outcome) -> list[str]:
        """Return the episodes of a stage that went wrong, and how; not those taken back."""
        ids = outcome.flagged if isinstance(outcome, Collected) else ()
        wrong = []
        for episode_id in ids:
            _, receipt = self._recorded(episode_id)
            flags = [name for bit, name in FLAGS.items() if receipt.flags & bit & ~DISCARDED]
            if flags:
                wrong.append(f'{episode_id}: {", ".join(flags)}')
        return wrong

    def _keep(self, receipt: Receipt):
        if is_unfinished(receipt):
            self._discarded_attempts.append(receipt)
        else:
            self._receipts[receipt.spec.episode_id] = (self._folder / receipt.path, receipt)

    def _choose_stage(self, state: RunState, stage: Stage, started: float) -> Chosen:
        pairs = stage_work.compared_episodes(state, stage.round)
        new, before = (sum(self._recorded(name)[1].success for name in names)
                       for names in zip(*pairs))
        return Chosen(round=stage.round, other=state.loaded_round(stage.round - 1),
                      episodes=len(pairs), successes=new, other_successes=before,
                      seconds=time.monotonic() - started)

    def _recorded(self, episode_id: str) -> tuple[Path, Receipt]:
        """Return file and receipt of an episode that the run has recorded."""
        if episode_id not in self._receipts:
            raise RunError(RUN_DIFFERS, (
                f'{self._folder}/episodes lacks {episode_id}, which this run recorded and needs; '
                'if this is an incomplete copy, copy the run again, completely'))
        return self._receipts[episode_id]

    async def _label_stage(self, state: RunState, stage: Stage, started: float) -> Labelled:
        ids = stage_work.episodes_to_label(state, stage)
        asked = labels = 0
        seconds = 0.0
        for number, episode_id in enumerate(ids):
            await self._backend.pause()
            path, _ = self._recorded(episode_id)
            stored = await self._labels_of(path)
            asked += int(stored.asked.sum())
            labels += int(stored.answers.valid.sum())
            seconds += stored.seconds
            self._tell((number + 1) / len(ids), -1.0)
        return Labelled(asked=asked, labels=labels, expert_seconds=seconds,
                        seconds=time.monotonic() - started)

    async def _labels_of(self, path: Path) -> StoredLabels:
        """Return the expert's labels of an episode; what was asked once is not asked again."""
        episode = read_episode(path)
        while (stored := read_labels(path, episode)) is None:
            steps = unlabelled(episode)
            actions, valid, labeller, spent = await self._backend.label(episode, steps)
            write_labels(path, episode, steps, actions, valid, labeller, spent, time.time_ns())
        return stored

    async def _measure_stage(self, state: RunState, stage: Stage, started: float) -> Measured:
        ids = stage_work.episodes_to_label(state, stage)
        rollouts, contract = [], await self._backend.contract()
        for number, episode_id in enumerate(ids):
            await self._backend.pause()
            episode = read_episode(self._recorded(episode_id)[0])
            actions, valid, *_ = await self._backend.label(episode, np.arange(episode.steps))
            wanted = np.where(episode.policy.valid[:, None], episode.policy.actions, np.nan)
            rollouts.append(ComparedActions(wanted, actions, valid))
            self._tell((number + 1) / len(ids), -1.0)
        found = count_mistakes(rollouts, contract)
        return Measured(asked=sum(len(rollout.valid) for rollout in rollouts),
                        seconds=time.monotonic() - started, **dataclasses.asdict(found))

    async def _aggregate_stage(self, state: RunState, stage: Stage,
                               started: float) -> Aggregated:
        key = stage_work.filter_key(stage)
        entries = [(self._recorded(episode_id)[0], keys)
                   for episode_id, keys in dataset_keys(state, stage).items()]
        done = await self._backend.beside(
            lambda check: aggregate(self._folder / DATASET, entries, check=check))
        return Aggregated(episodes=done.demos, labels=done.labels.get(key, 0),
                          person_labels=done.person_labels.get(key, 0),
                          seconds=time.monotonic() - started)
