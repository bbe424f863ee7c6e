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
How often the expert drives, round by round: the mixture of DAgger.

Ross, Gordon, Bagnell: A Reduction of Imitation Learning and Structured Prediction to No-Regret
Online Learning, AISTATS 2011, Algorithm 3.1 and section 3.1. Their iteration ``i`` is our round
``i - 1``: round 0 are the demonstrations (beta = 1), round 1 is the first rollout of a learner.
"""

import dataclasses
from typing import Annotated, Any

from il_ros.errors import ImitationError
from il_ros.settings import check, one_of, Settings
from msgspec import Meta


class BetaError(ImitationError):
    """A beta schedule that is unknown, or a setting of it that is out of range."""

    code = 801


@dataclasses.dataclass(frozen=True)
class Indicator(Settings, refusal=BetaError, title='beta.'):
    """``beta_i = I(i = 1)``: after the demonstrations the policy drives alone (parameter-free)."""

    def __call__(self, round_: int) -> float:
        """Return the probability, in [0, 1], that the expert drives a step of this round."""
        return 1.0 if round_ <= 0 else 0.0


@dataclasses.dataclass(frozen=True)
class Exponential(Settings, refusal=BetaError, title='beta.'):
    """``beta_i = p^(i - 1)``: the expert fades out by the factor ``p`` a round."""

    p: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.5

    def __call__(self, round_: int) -> float:
        """Return the probability, in [0, 1], that the expert drives a step of this round."""
        return 1.0 if round_ <= 0 else self.p ** round_


@dataclasses.dataclass(frozen=True)
class Linear(Settings, refusal=BetaError, title='beta.'):
    """``beta_i = max(0, 1 - (i - 1) / rounds)``: the expert is gone after so many rounds."""

    rounds: Annotated[float, Meta(ge=1)] = 5

    def __call__(self, round_: int) -> float:
        """Return the probability, in [0, 1], that the expert drives a step of this round."""
        return min(1.0, max(0.0, 1.0 - round_ / self.rounds))


SCHEDULES = {'indicator': Indicator, 'exponential': Exponential, 'linear': Linear}


def make_beta(settings: dict) -> Indicator | Exponential | Linear:
    """
    Return the schedule of ``{schedule: exponential, p: 0.5}``.

    :raises BetaError: if the schedule or one of its settings is unknown or out of range
    """
    check('beta', settings, dict[str, Any], BetaError)
    settings = dict(settings)
    name = settings.pop('schedule', 'indicator')
    check('beta.schedule', name, Annotated[str, one_of(*SCHEDULES)], BetaError)
    kind: Any = SCHEDULES[name]
    return kind.from_dict(settings)
