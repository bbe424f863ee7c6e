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

"""One training job from data set to checkpoint, as the worker runs it."""

from collections.abc import Callable
import dataclasses
from pathlib import Path

from il_ros.contract.contract import ActionElement, Contract, Feature, JOINT_POSITION
from il_ros.dataset.dataset import Demonstrations, filter_keys, load
from il_ros.errors import JobError
from il_ros.evaluation.mistakes import mistaken
from il_ros.learning import checkpoint
from il_ros.learning.compute.ranks import ALONE, Ranks
from il_ros.learning.config import TrainConfig
from il_ros.learning.fit import fit, FitResult, Progress, silent
from il_ros.learning.fit_file import FitFile
from il_ros.learning.policy import Policy
from il_ros.learning.shift import augmented
from il_ros.learning.training_worker.protocol import Job, JobDone, JobProgress
import numpy as np
import torch


def run(job: Job, report: Callable[[JobProgress], None],
        cancelled: Callable[[], bool], ranks: Ranks = ALONE) -> JobDone:
    """
    Fit a policy and write its checkpoint; a fit that was killed resumes.

    :param report: called every 50 steps
    :param cancelled: asked at every step
    :param ranks: the processes of the fit, of which this one leads; the others `take_part`
    :raises ImitationError: whose ``code`` is the one of ``TrainPolicy``
    :raises OSError: if the disk refuses
    """
    task = _Task(job, ranks)
    data, held_out = task.data, task.held_out

    def progress(now: Progress):
        report(JobProgress(job.number, **dataclasses.asdict(now)))

    result = task.fit(progress, cancelled)
    wrong, states = 0, 0
    covariance: tuple[float, ...] = ()
    if held_out is not None and len(held_out):
        answers = answers_of(result.policy, held_out)
        wrong = int(mistaken(answers, held_out.actions, data.contract).sum())
        states = len(held_out)
        covariance = error_covariance(answers, held_out.actions, data.contract)
    info = {'filter_key': job.filter_key, 'error_covariance': covariance, 'labels': len(data),
            'synthetic': len(task.pairs) - len(data)}
    sha256 = checkpoint.save(task.output, result.policy, info, job.replace)
    task.file.remove()
    policy = checkpoint.load(task.output, sha256)
    return JobDone(job.number, str(task.output), sha256, policy.policy_id, len(data),
                   result.train_loss, result.held_out_loss, wrong, states, result.seconds)


def take_part(job: Job, ranks: Ranks):
    """
    Compute a share of a fit that another process leads, which reports and writes.

    :raises ImitationError: as `run`
    """
    _Task(job, ranks).fit(silent, lambda: False)


class _Task:
    """A job with its data, ready to be fitted."""

    def __init__(self, job: Job, ranks: Ranks):
        self.config = TrainConfig.load(Path(job.config))
        if job.device:
            self.config = dataclasses.replace(self.config, device=job.device)
        ranks.device(self.config.device)  # refused before the data are read
        self.output = Path(job.output)
        if self.output.exists() and not job.replace:
            raise JobError(f'{self.output} exists already; expected a new folder, or a job that '
                           'replaces')
        checkpoint.refuse_other_content(self.output)
        with_steps = not self.config.horizons.plain
        self.data = load(Path(job.dataset), job.filter_key, with_steps)
        self.held_out = _held_out(job, with_steps)
        self.pairs = augmented(self.data, self.config.shift, self.config.inputs, job.seed)
        self.file = FitFile(self.output)
        self._seed, self._ranks = job.seed, ranks

    def fit(self, progress: Callable[[Progress], None],
            cancelled: Callable[[], bool]) -> FitResult:
        try:
            return fit(self.pairs, self.held_out, self.data.contract, self.config, self._seed,
                       progress, cancelled, self.file, self._ranks)
        except torch.OutOfMemoryError as error:
            raise JobError('the GPU has too little memory for the data and the network; expected '
                           '--device cpu, or a smaller batch') from error


def answers_of(policy: Policy, states: Demonstrations) -> np.ndarray:
    """Return what a policy does on recorded states, shape ``(N, act_dim)``."""
    seen, history = states.observations, policy.horizons.history
    if history > 1 and states.steps is not None:
        seen = states.steps.observations[states.steps.windows(history)]
    return policy.act_batch(seen, {name: states.images[name][:] for name in policy.images})


def error_covariance(answers: np.ndarray, labels: np.ndarray,
                     contract: Contract) -> tuple[float, ...]:
    """
    Return the second moment of a policy's error on the expert's states, row by row.

    What DART's noise is fitted to (Laskey et al., CoRL 2017, Algorithm 1); the gripper is left
    out, for half-open is nothing that an expert would do by mistake.

    :param answers: shape ``(N, act_dim)``, in the contract's units
    :param labels: the same for the expert
    """
    errors = answers.astype(np.float64) - labels
    if contract.gripper_index >= 0:
        errors[:, contract.gripper_index] = 0.0
    return tuple((errors.T @ errors / len(errors)).ravel().tolist())


def warm_up():
    """Fit a toy, so that all that torch loads at first use is there before the first job."""
    contract = Contract(
        name='toy', rate=1.0, features=(Feature('x', elements=('x',), unit='m'),),
        action_space=JOINT_POSITION, action_frame_id='',
        actions=(ActionElement('x', 'm', -1.0, 1.0),))
    pair = np.zeros((1, 1), np.float32)
    fit(Demonstrations(pair, pair, contract), None, contract,
        TrainConfig(inputs=('x',), hidden=(1,), steps=1, warmup_steps=0, device='cpu'), seed=0)


def _held_out(job: Job, with_steps: bool) -> Demonstrations | None:
    path = Path(job.held_out_dataset or job.dataset)
    if not job.held_out_key or job.held_out_key not in filter_keys(path):
        return None
    return load(path, job.held_out_key, with_steps)
