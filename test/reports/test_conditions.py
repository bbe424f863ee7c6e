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

"""The conditions of a run in words: none of them is left unsaid, none is made up."""

import dataclasses

from il_ros.interactive.goal import Goal
from il_ros.interactive.outcomes import Collected, Measured, Trained
from il_ros.interactive.run_state import RunState
from il_ros.reports.reading import conditions_of

STATE = RunState(Goal(run='r', task='push', strategy='gated', rounds=1, demonstrations=2))


def _collected(*labels, flagged=()) -> Collected:
    total = sum(labels)
    return Collected(len(labels), 1, total, total, total, total, 0, 0, labels, flagged, 1.0)


def _text(**finished) -> str:
    stages = {name.replace('_', '-'): outcome for name, outcome in finished.items()}
    return ' '.join(conditions_of(dataclasses.replace(STATE, finished=stages)))


def test_a_run_that_has_not_begun_has_no_conditions():
    assert _text() == ''


def test_held_out_demonstrations_are_named_with_their_states():
    assert '2 demonstrations (70 states)' in _text(held_out_collect=_collected(30, 40))


def test_three_thresholds_are_shown_for_whoever_was_measured():
    measured = Measured(60, 50, 5, 0, (0.1,), 1.0, (10, 5, 1))
    assert '0.25 / 0.5 / 1.0' in _text(r00_measure=measured)
    assert 'BC 20.0 / 10.0 / 2.0.' in _text(r00_measure=measured)


def test_episodes_that_stayed_out_of_training_are_counted():
    assert '1 recorded episode not used in training' in _text(
        r00_collect=_collected(30, 0, flagged=('demonstration-r00-000001',)))


def test_labels_that_the_baseline_did_not_get_are_counted():
    trained = Trained('checkpoints/x', 'ab', 7, 60, 0.1, 0.2, 3, 100, 3.0)
    stages = {'r00_collect': _collected(30, 30), 'r01_collect': _collected(20),
              'baseline_collect_1': _collected(15, 40), 'baseline_train': trained}
    assert 'Recorded for the baseline but not used: 40 labels.' in _text(**stages)
    stages['baseline_collect_1'] = _collected(20)
    assert 'not used' not in _text(**stages)
