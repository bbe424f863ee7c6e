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

"""Train many policies in parallel, each with a file for its result."""

from collections.abc import Callable, Sequence
import dataclasses
import json
from pathlib import Path
from typing import NamedTuple

from il_ros.errors import LearningError
from il_ros.files.atomic import write_atomically
from il_ros.learning.training_worker.protocol import Job, JobDone
from il_ros.processes.pool import map_processes


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

    :param workers: processes
    :param on_done: called after each
    :raises ProcessError: if a fit fails; the others are ended
    """
    # A fit whose file is missing may have left its checkpoint.
    waiting = {dataclasses.replace(fit.job, replace=True): fit
               for fit in fits if done(fit) is None}
    for job, result in map_processes(make_trainer, (), list(waiting), workers):
        _keep(waiting[job], result)
        on_done()


def make_trainer() -> Callable[[Job], JobDone]:
    """Return a function that fits one policy after the other in its process."""
    from il_ros.learning.training_worker.job import run

    def train_one(job: Job) -> JobDone:
        try:
            return run(job, lambda progress: None, lambda: False)
        except (OSError, MemoryError) as error:
            raise LearningError(
                f'the training failed: {type(error).__name__} {error}') from error
    return train_one


def _keep(fit: Fit, result: JobDone):
    fit.file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(fit.file, (json.dumps(dataclasses.asdict(result)) + '\n').encode())
