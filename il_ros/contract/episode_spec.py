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
What an episode is to be: who drives it, on which task, for what purpose.

The same content as ``DrivePlan.msg`` and ``EpisodeSpec.msg``, for code that works without ROS.
"""

import dataclasses
import functools
import json
import re
from typing import Annotated, Any

from il_ros.contract.options import read_options
from il_ros.errors import ImitationError
from il_ros.settings import is_finite, one_of, Settings
from msgspec import Meta
import numpy as np

HOLD, EXPERT, POLICY, TELEOP = range(4)
"""Sources of an action, as in ``Action.msg``."""

DRIVER_NAMES = {HOLD: 'hold', EXPERT: 'expert', POLICY: 'policy', TELEOP: 'teleop'}

LABEL_ALL, LABEL_EXPERT_DRIVEN, LABEL_NONE = range(3)
"""Which visited states become labels, as in ``DrivePlan.msg``."""

IDLE, RUNNING, ENDED = range(3)
"""Phases, as in ``EpisodeStatus.msg``."""

NOT_ENDED, TERMINATED, TRUNCATED, ABORTED = range(4)
"""Ends, as in ``EpisodeStatus.msg``."""

NO_CAUSE, SUCCESS, LOST, OPERATOR, DRIVER_SILENT, CLOCK_JUMP, FAULT = range(7)
"""Causes, as in ``EpisodeStatus.msg``."""

CLAMPED_POSITION, CLAMPED_VELOCITY, CLAMPED_ACCELERATION, CLAMPED_WORKSPACE = 1, 2, 4, 8
REFUSED_NOT_FINITE, REFUSED_STALE, REFUSED_MISSING, STOPPED = 16, 32, 64, 128
NO_SOLUTION, BLENDED, NOT_FOLLOWED = 256, 512, 1024
"""Bits of ``Executed.limits``: what became of an action."""

LIMIT_NAMES = {
    CLAMPED_POSITION: 'clamped_position', CLAMPED_VELOCITY: 'clamped_velocity',
    CLAMPED_ACCELERATION: 'clamped_acceleration', CLAMPED_WORKSPACE: 'clamped_workspace',
    REFUSED_NOT_FINITE: 'refused_not_finite', REFUSED_STALE: 'refused_stale',
    REFUSED_MISSING: 'refused_missing', STOPPED: 'stopped', NO_SOLUTION: 'no_solution',
    BLENDED: 'blended', NOT_FOLLOWED: 'not_followed'}

DEMONSTRATION, ROLLOUT, VALIDATION, EVALUATION = (
    'demonstration', 'rollout', 'validation', 'evaluation')
PURPOSES = (DEMONSTRATION, ROLLOUT, VALIDATION, EVALUATION)
"""The last two never enter the aggregated data set."""

GATES = ('', 'discrepancy', 'novelty', 'human')

LARGEST_SEED = 2 ** 32 - 1
"""What a message carries; one more would be 0, a seed of training."""

EPISODE_ID = re.compile(r'[a-z0-9][a-z0-9_-]{0,63}')
Name = Annotated[str, Meta(
    pattern=rf'\A{EPISODE_ID.pattern}\Z',
    description='[a-z0-9][a-z0-9_-]*, at most 64 characters')]
"""Of an episode or a run."""


class SpecError(ImitationError):
    """An episode that cannot be run as asked; the sentence names the field."""

    code = 503


def _as_float32(value: Any) -> Any:
    """Return the shortest decimal number that is the same as a float32: 0.7 stays 0.7."""
    return float(str(np.float32(value))) if is_finite(value) else value


@dataclasses.dataclass(frozen=True)
class DrivePlan(Settings, refusal=SpecError, title='plan.'):
    """Who drives, how that is decided step by step, and what becomes a label."""

    driver: Annotated[int, Meta(
        ge=1, le=3, description='1 (expert), 2 (policy) or 3 (teleop)')] = EXPERT
    beta: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    gate: Annotated[str, one_of(*GATES)] = ''
    threshold: float = 0.5
    smoothing: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.7
    takeover_level: float = 0.5
    release_threshold: float = 0.3
    release_patience: int = 3
    hold_min: int = 0
    hold_max: int = 15
    target_rate: float = 0.0
    noise_covariance: tuple[float, ...] = ()
    labels: Annotated[int, Meta(ge=LABEL_ALL, le=LABEL_NONE)] = LABEL_ALL
    seed: int = 0

    def __post_init__(self):
        # Rounded to what a message carries, so that both ends decide alike.
        for field in dataclasses.fields(self):
            if isinstance(field.default, float):
                object.__setattr__(self, field.name, _as_float32(getattr(self, field.name)))
        object.__setattr__(
            self, 'noise_covariance', tuple(map(_as_float32, self.noise_covariance)))
        super().__post_init__()


@dataclasses.dataclass(frozen=True)
class EpisodeSpec(Settings, refusal=SpecError):
    """One episode to be run; the recorder, the supervisor and the task get the same."""

    episode_id: Name
    run: Name
    task: Annotated[str, Meta(max_length=64, description='a name of at most 64 characters')]
    purpose: Annotated[str, one_of(*PURPOSES)] = DEMONSTRATION
    round: int = 0  # noqa: A003
    seed: Annotated[int, Meta(ge=0, le=LARGEST_SEED)] = 0
    horizon: int = 0
    continuing: bool = False
    options: str = ''
    plan: DrivePlan = DrivePlan()

    def __post_init__(self):
        super().__post_init__()
        read_options(self.options, SpecError)

    def to_json(self) -> str:
        """Return the canonical JSON: sorted keys, no blanks."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(',', ':'))

    @classmethod
    def from_json(cls, text: str) -> 'EpisodeSpec':
        """
        Return the specification that ``to_json`` wrote.

        :raises SpecError: if the text is none
        """
        try:
            return cls.from_dict(json.loads(text))
        except ValueError as error:
            raise SpecError(f'not an episode specification: {error}') from error

    @classmethod
    def from_dict(cls, fields: dict) -> 'EpisodeSpec':
        """
        Return the specification that ``dataclasses.asdict`` took apart.

        :raises SpecError: if the fields are none of one
        """
        try:
            others = {name: value for name, value in fields.items() if name != 'plan'}
            plan = {**fields['plan']}
            plan['noise_covariance'] = tuple(plan['noise_covariance'])
            return cls(plan=_plan(tuple(plan.items())), **others)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SpecError(f'not an episode specification: {error}') from error


@functools.lru_cache(maxsize=64)
def _plan(fields: tuple[tuple[str, Any], ...]) -> DrivePlan:
    """Return a plan; the episodes of a run mostly share theirs."""
    return DrivePlan(**dict(fields))


def episode_id(purpose: str, round_: int, seed: int) -> str:
    """Return the id that purpose, round and seed make, e.g. ``rollout-r02-000123``."""
    return f'{purpose}-r{round_:02d}-{seed:06d}'
