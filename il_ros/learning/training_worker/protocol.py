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
Protocol of trainer and training worker: one JSON object a line.

To the worker go jobs and cancellations, from it come `Ready`, `JobProgress`, and for each job
exactly one `JobDone` or `JobFailed`; between them, once a second, `Alive`. Numbers of jobs keep
a late cancellation from stopping the next job.
"""

import dataclasses
import json
from typing import Annotated

from il_ros.errors import JobError
from il_ros.settings import Settings
from msgspec import Meta

_Path = Annotated[str, Meta(min_length=1, description='a path')]


@dataclasses.dataclass(frozen=True)
class Job(Settings, refusal=JobError, title='job.'):
    """One fit: where the data lie, how to train, where the checkpoint goes."""

    dataset: _Path
    """Path of the aggregated data set."""

    filter_key: str
    """Which part of it, e.g. ``round_3``."""

    config: _Path
    """Path of the training YAML."""

    output: _Path
    """Folder of the checkpoint."""

    seed: Annotated[int, Meta(ge=0, le=2 ** 63 - 1, description='0 to 2**63 - 1')] = 0
    held_out_dataset: str = ''
    """Path of demonstrations for the loss alone; empty: they are a part of ``dataset``."""

    held_out_key: str = ''
    """Which part they are; without a key, or where the file has no such part, there are none."""

    replace: bool = False
    """Whether a checkpoint that lies at ``output`` may be replaced."""

    device: str = ''
    """As `TrainConfig.device`, in the place of the configuration's; empty: that one."""

    number: int = 0
    """Which job this is, for its answers."""


@dataclasses.dataclass(frozen=True)
class Cancel:
    """Stop this job, if it is still to be done or under way."""

    number: int


@dataclasses.dataclass(frozen=True)
class Ready:
    """The worker has loaded what it needs."""

    pid: int


@dataclasses.dataclass(frozen=True)
class Alive:
    """The worker's heartbeat, from a thread of its own."""

    still_s: float
    """How long ago the job took its last step, s."""


@dataclasses.dataclass(frozen=True)
class JobProgress:
    """How far a fit is; losses as in `fit.Progress`."""

    number: int
    step: int
    steps: int
    train_loss: float
    held_out_loss: float


@dataclasses.dataclass(frozen=True)
class JobDone:
    """A checkpoint is written; the fields are those of the result of ``TrainPolicy``."""

    number: int
    path: str
    sha256: str
    policy_id: int
    labels: int
    train_loss: float
    held_out_loss: float
    epsilon_mistakes: int
    epsilon_states: int
    seconds: float


@dataclasses.dataclass(frozen=True)
class JobFailed:
    """Why there is no checkpoint; ``code`` as in ``TrainPolicy``."""

    number: int
    code: int
    message: str


Event = Ready | Alive | JobProgress | JobDone | JobFailed

_KINDS = {kind.__name__: kind
          for kind in (Job, Cancel, Ready, Alive, JobProgress, JobDone, JobFailed)}


def to_line(message: Job | Cancel | Event) -> bytes:
    """Return one line of JSON, its end included."""
    fields = {'kind': type(message).__name__, **dataclasses.asdict(message)}
    return f'{json.dumps(fields)}\n'.encode()


def from_line(line: bytes) -> Job | Cancel | Event:
    """
    Read one line.

    :raises JobError: if it is no message of this protocol; a job's field that is wrong is named
    """
    try:
        fields = json.loads(line)
        return _KINDS[fields.pop('kind')](**fields)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise JobError(f'{line[:80]!r} is no message to or from a training worker: '
                       f'{type(error).__name__} {error}') from error
