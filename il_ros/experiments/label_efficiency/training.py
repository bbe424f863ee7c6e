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

"""Train many policies in training workers in parallel, each with a file for its result."""

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
    """A training job, and the file of its result."""

    job: Job
    file: Path


def done(fit: Fit) -> JobDone | None:
    """Return the result of a fit; None: it is not finished."""
    try:
        found = JobDone(**json.loads(fit.file.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return found if Path(found.path).is_dir() else None


def result_of(fit: Fit) -> JobDone:
    """
    Return the result of a finished fit.

    :raises LearningError: if it has gone
    """
    found = done(fit)
    if found is None:
        raise LearningError(
            f'{fit.file} or its checkpoint is missing; the same command makes it again')
    return found


def train(fits: Sequence[Fit], workers: int, on_done: Callable[[], None] = lambda: None):
    """
    Run the fits that are not finished.

    :param on_done: called after each
    :raises LearningError: if a fit fails; the others are ended
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
                    on_done()


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
