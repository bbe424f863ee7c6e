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

"""What a reader of a run should know beside its summary, in sentences made from its state."""

from il_ros.evaluation.mistakes import FRACTIONS
from il_ros.interactive.outcomes import Collected
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage_work import same_labels


def conditions_of(state: RunState) -> list[str]:
    """Return the sentences; what has not happened yet is left out."""
    parts = (_held_out, _thresholds, _flagged, _left_over)
    return [text for part in parts if (text := part(state))]


def _held_out(state: RunState) -> str:
    collected = state.finished.get('held-out-collect')
    if collected is None:
        return ''
    return (f'{collected.episodes} more demonstrations ({collected.labels} states) were recorded '
            'for the loss on the states of the expert alone; nothing was learnt from them.')


def _thresholds(state: RunState) -> str:
    last = f'r{state.goal.rounds:02d}-measure'
    names = {'r00-measure': 'BC', last: f'round {state.goal.rounds}',
             'baseline-measure': 'BC with the same labels'}
    entries = []
    for stage, name in names.items():
        measured = state.finished.get(stage)
        if measured and measured.steps and measured.mistakes_at:
            shares = (f'{100 * count / measured.steps:.1f}' for count in measured.mistakes_at)
            entries.append(f'{name} {" / ".join(shares)}')
    if not entries:
        return ''
    return (f'How much the definition of a mistake matters: with errors above '
            f'{" / ".join(map(str, FRACTIONS))} of the speed of the expert, mistakes in 100 steps '
            f'are {"; ".join(entries)}.')


def _flagged(state: RunState) -> str:
    count = sum(len(one.flagged) for one in state.finished.values() if isinstance(one, Collected))
    if not count:
        return ''
    return (f'{count} recorded episodes stayed out of training, for they were aborted, '
            'incomplete, discarded or had dropped messages; what they cost is in the ledger.')


def _left_over(state: RunState) -> str:
    if 'baseline-train' not in state.finished:
        return ''
    fresh = [one for name, one in state.finished.items() if name.startswith('baseline-collect-')]
    recorded = state.finished['r00-collect'].labels + sum(one.labels for one in fresh)
    unused = recorded - sum(labels for _, labels in same_labels(state))
    if not unused:
        return ''
    return (f'For the baseline {unused} labels more were recorded than it was given, for it gets '
            'whole demonstrations, in the order of their seeds.')
