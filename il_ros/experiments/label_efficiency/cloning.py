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

"""Many fits in training workers, so many side by side, each remembered beside its checkpoint."""

from collections.abc import Callable, Sequence
import contextlib
import dataclasses
import json
from pathlib import Path
from typing import NamedTuple

from il_ros.errors import LearningError
from il_ros.files.atomic import write_atomically
from il_ros.learning.training_worker.protocol import Job, JobDone, JobFailed
from il_ros.learning.training_worker.worker_client import WorkerClient

POLL_S = 0.05


class Fit(NamedTuple):
    """A job, and the file that says what came of it."""

    job: Job
    file: Path


def done(fit: Fit) -> JobDone | None:
    """Return what came of a fit; None: it was not done yet."""
    try:
        found = JobDone(**json.loads(fit.file.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return found if Path(found.path).is_dir() else None


def train(fits: Sequence[Fit], workers: int, told: Callable[[], None] = lambda: None):
    """
    Carry out the fits that were not done yet.

    :param told: called after each
    :raises LearningError: with the sentence of the one that fails; all are ended then
    """
    waiting = [fit for fit in reversed(fits) if done(fit) is None]
    lines: list[str] = []
    with contextlib.ExitStack() as stack:
        team = [stack.enter_context(WorkerClient(nice=0, log=lines.append))
                for _ in range(min(workers, len(waiting)))]
        under_way: dict[WorkerClient, Fit] = {}
        while waiting or under_way:
            for worker in team:
                if worker not in under_way and waiting:
                    under_way[worker] = waiting.pop()
                    # A fit whose file is missing may have left its checkpoint.
                    worker.submit(dataclasses.replace(under_way[worker].job, replace=True))
            for worker in list(under_way):
                result = _result(worker)
                if result is not None:
                    _keep(under_way.pop(worker), result)
                    told()


def _result(worker: WorkerClient) -> JobDone | None:
    for event in worker.poll(POLL_S):
        if isinstance(event, JobFailed):
            raise LearningError(event.message)
        if isinstance(event, JobDone):
            return event
    return None


def _keep(fit: Fit, result: JobDone):
    fit.file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(fit.file, (json.dumps(dataclasses.asdict(result)) + '\n').encode())
