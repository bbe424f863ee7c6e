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

"""A fit beside the stages of its run: how long it was waited for, and what comes of it."""

import types

from il_ros.errors import ImitationError
from il_ros.interactive.stage import Stage
from il_ros.loop import stages
from il_ros.loop.backend import finish
from il_ros.loop.failures import RunError, TRAIN_FAILED
from il_ros.loop.stages import Fit
import numpy as np
import pytest


class Fitted:
    """A fit with these losses, which takes two seconds from when it is waited for."""

    def __init__(self, clock, error=None, **changes):
        self.clock, self.error = clock, error
        self.done = types.SimpleNamespace(**{**{
            'path': 'there', 'sha256': 'ab', 'policy_id': 9, 'labels': 12, 'train_loss': 0.1,
            'held_out_loss': 0.2, 'epsilon_mistakes': 3, 'epsilon_states': 50}, **changes})

    async def outcome(self):
        self.clock[0] += 2.0
        return self.done

    async def abandon(self):
        if self.error is not None:
            raise self.error


@pytest.fixture
def clock(monkeypatch) -> list:
    """Return the time, which the test sets."""
    now = [100.0]
    monkeypatch.setattr(stages, 'time', types.SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(stages.checkpoint, 'load', lambda path, sha256: types.SimpleNamespace(
        info={'error_covariance': [0.5], 'synthetic': 4} if sha256 == 'ab' else {}))
    return now


def test_a_fit_tells_how_long_it_was_waited_for_and_its_losses_as_a_message_has_them(clock):
    fit = Fit(Stage('train', 'loop', 0), 'checkpoints/round_00', Fitted(clock))
    clock[0] += 5.0
    found = finish(fit.outcome())
    assert (found.seconds, found.fit_seconds) == (2.0, 7.0)
    assert (found.train_loss, found.held_out_loss) == (float(np.float32(0.1)),
                                                       float(np.float32(0.2)))
    assert (found.path, found.labels, found.policy_id) == ('checkpoints/round_00', 12, 9)
    assert (found.error_covariance, found.synthetic) == ((0.5,), 4)
    plain = finish(Fit(fit.stage, 'x', Fitted(clock, sha256='other')).outcome())
    assert (plain.error_covariance, plain.synthetic) == ((), 0)


@pytest.mark.parametrize('name', ['train_loss', 'held_out_loss'])
def test_a_loss_that_is_no_number_fails_the_fit(clock, name):
    fit = Fit(Stage('train', 'loop', 0), 'x', Fitted(clock, **{name: float('nan')}))
    with pytest.raises(RunError, match=f'{name} nan; expected a finite number') as failed:
        finish(fit.outcome())
    assert failed.value.code == TRAIN_FAILED


def test_a_fit_that_is_given_up_hides_no_other_failure(clock):
    finish(Fit(Stage('train', 'loop', 0), 'x', Fitted(clock, ImitationError('late'))).abandon())
    with pytest.raises(OSError, match='disk'):
        finish(Fit(Stage('train', 'loop', 0), 'x', Fitted(clock, OSError('disk'))).abandon())
