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
Findings and conditions of a run, in sentences made from its numbers.

A difference between two policies is claimed only where their 95 % intervals do not overlap.
"""

from il_ros.evaluation.interval import Interval, wilson
from il_ros.evaluation.mistakes import FRACTIONS
from il_ros.evaluation.paired import Pairs
from il_ros.interactive.outcomes import Collected, Measured, Trained
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage import BASELINE_PART, HELD_OUT_PART, stage_name
from il_ros.interactive.stage_work import demonstration_stages, same_labels
from il_ros.reports.wording import counted, percent


def read(summary: dict) -> list[str]:
    """
    Return the findings of a run, a few sentences a paragraph.

    :param summary: as ``summary.summarise`` returns it; what is missing in it is left out
    """
    parts = (_ceiling, _cloning, _last_round, _comparison, _between, _costs, _trust, _choices)
    return [text for part in parts if (text := part(summary))]


def _interval(policy: dict | None) -> Interval | None:
    if policy is None or policy.get('success') is None:
        return None
    return Interval(**policy['success'])


def _rate(interval: Interval) -> str:
    return (f'{percent(interval.rate)} of {counted(interval.n, "held-out episode")} (95 % '
            f'interval {percent(interval.low)} to {percent(interval.high)})')


def _last(summary: dict) -> dict | None:
    return summary['rounds'][-1] if summary['rounds'] else None


def _ceiling(summary: dict) -> str:
    if summary['expert'] is None:
        return ''
    return (f'On {summary["task"]} the expert succeeds in '
            f'{_rate(Interval(**summary["expert"]))}.')


def _cloning(summary: dict) -> str:
    bc = summary['bc']
    success = _interval(bc)
    if success is None:
        return ''
    text = (f'Behavioural cloning (BC) from {counted(bc["demonstrations"], "demonstration")} '
            f'({counted(bc["labels"], "label")}) succeeds in {_rate(success)}.')
    epsilon, mistakes = bc['epsilon'], bc['mistakes_per_step']
    if not epsilon['n']:
        return text
    bound = wilson(epsilon['k'], epsilon['n']).high
    text += (f' It makes mistakes in {epsilon["k"]} of {epsilon["n"]} held-out states of the '
             f'expert (at most {percent(bound)}, with 95 % confidence)')
    if mistakes < 0.0:
        return f'{text}.'
    text += f' and in {percent(mistakes)} of the steps on the states that it visits itself. '
    if mistakes > bound:
        return text + ('It leaves the states of the demonstrations, which its loss on states of '
                       'the expert does not show.')
    return text + 'Its own states are not measurably harder for it.'


def _last_round(summary: dict) -> str:
    last = _last(summary)
    success = _interval(last)
    if last is None or success is None:
        return ''
    text = (f'After {counted(last["round"], "round")} of {summary["strategy"]} and '
            f'{counted(last["labels"], "label")} the policy succeeds in {_rate(success)}.')
    if summary['expert']:
        if Interval(**summary['expert']).above(success):
            text += ' It is still below the expert.'
        else:
            text += ' The difference from the expert is not significant.'
    first = _interval(summary['bc'])
    if first and success.above(first):
        text += ' It is better than the initial policy.'
    elif first and first.above(success):
        text += ' It is worse than the initial policy: the rounds did harm.'
    elif first:
        text += ' It does not differ significantly from the initial policy.'
    return text


def _comparison(summary: dict) -> str:
    last, baseline = _last(summary), summary['bc_same_labels']
    ours, theirs = _interval(last), _interval(baseline)
    if ours is None or theirs is None:
        return ''
    text = (f'BC with the same number of labels ({baseline["labels"]}, from '
            f'{baseline["demonstrations"]} whole demonstrations) succeeds in {_rate(theirs)}. ')
    strategy = summary['strategy']
    if ours.above(theirs):
        return text + (f'The interval of {strategy} lies above it: label for label, states that '
                       'the policy visits taught it more.')
    if theirs.above(ours):
        return text + (f'It is better than {strategy}: here labels on demonstrations are worth '
                       'more.')
    if summary['expert'] and not Interval(**summary['expert']).above(theirs):
        return text + ('The two intervals overlap, and that of BC overlaps the interval of the '
                       'expert: BC is sufficient here, and simpler.')
    return text + (f'The two intervals overlap: {strategy} shows no advantage over BC here, '
                   'though BC is below the expert.')


def _between(summary: dict) -> str:
    compared = [one['comparison'] for one in summary['rounds'] if 'comparison' in one]
    if not compared:
        return ''
    episodes = sum(one['episodes'] + one['before_episodes'] for one in compared)
    sentences = '; '.join(map(_compared, compared))
    return ('The rounds between were compared with the one before on the same held-out episodes '
            'until the answer was sure or all were run, which took '
            f'{counted(episodes, "episode")}: {sentences}. The early stop biases the success '
            'rates of these rounds, not the intervals of the differences.')


def _compared(one: dict) -> str:
    pairs = Pairs(*(one[key] for key in (
        'both', 'only_this', 'only_before', 'neither', 'smallest_difference')))
    before = one['with_round']
    return pairs.sentence(f'round {before + 1}', f'round {before}' if before else 'BC')


def _costs(summary: dict) -> str:
    last = _last(summary)
    if last is None:
        return ''
    total = {key: sum(one[key] for one in summary['rounds']) for key in (
        'expert_driven_steps', 'policy_driven_steps', 'takeovers', 'objects_lost')}
    minutes = summary['expert_seconds'] / 60.0
    by_hand = f' ({last["person_labels"]} by hand)' if last.get('person_labels') else ''
    return (f'Cost: the expert answered {counted(last["queries"], "query")}, of which '
            f'{last["labels"]}{by_hand} became labels and {last["watched"]} did not (watched), '
            f'in {minutes:.1f} minutes of its time. During collection the expert drove '
            f'{counted(total["expert_driven_steps"], "step")} after '
            f'{counted(total["takeovers"], "takeover")}; unfinished policies drove '
            f'{counted(total["policy_driven_steps"], "step")} and lost the object in '
            f'{counted(total["objects_lost"], "episode")}. Evaluation took another '
            f'{counted(summary["evaluation_queries"], "query")}, none of which became a label.')


def _trust(summary: dict) -> str:
    policies = [summary['bc'], *summary['rounds']]
    evaluated = [(interval, policy) for policy in policies if (interval := _interval(policy))]
    text = ('The number of rounds was fixed beforehand, all policies ran the same held-out '
            'episodes, and the result is the last checkpoint, not the best.')
    if len(evaluated) < 2:
        return text
    last = evaluated[-1][0]
    better = [policy['round'] for interval, policy in evaluated[1:-1]
              if 'comparison' not in policy and interval.above(last)]
    if better:
        text += (f' Round {better[-1]} was better than the last one: more labels do not always '
                 'help.')
    return text


def _choices(summary: dict) -> str:
    choices = summary.get('choices')
    if not choices:
        return ''
    text = ' '.join(
        f'Round {one["round"]} succeeds in {one["successes"]}, round {one["other"]} in '
        f'{one["other_successes"]} of the same {counted(one["episodes"], "held-out episode")}: '
        f'round {one["loaded"]} is loaded.' for one in choices)
    return (f'{text} Each round was collected with the policy that was loaded, at the end it is '
            f'that of round {choices[-1]["loaded"]}. Chosen by these episodes, it looks better on '
            'them than it is.')


def conditions_of(state: RunState) -> list[str]:
    """Return the conditions of a run; what has not happened yet is left out."""
    parts = (_held_out, _thresholds, _flagged, _left_over)
    return [text for part in parts if (text := part(state))]


def _held_out(state: RunState) -> str:
    collected = state.find(Collected, stage_name('collect', HELD_OUT_PART))
    if collected is None:
        return ''
    return ('Recorded for the held-out loss only, not for training: '
            f'{counted(collected.episodes, "demonstration")} '
            f'({counted(collected.labels, "state")}).')


def _thresholds(state: RunState) -> str:
    last = state.goal.rounds
    names: dict[int | str, str] = {0: 'BC', last: f'round {last}',
                                   BASELINE_PART: 'BC with the same labels'}
    entries = []
    for of, name in names.items():
        measured = state.find(Measured, stage_name('measure', of))
        if measured and measured.steps and measured.mistakes_at:
            shares = (f'{100 * count / measured.steps:.1f}' for count in measured.mistakes_at)
            entries.append(f'{name} {" / ".join(shares)}')
    if not entries:
        return ''
    return (f'Influence of the definition of a mistake: with errors above '
            f'{" / ".join(map(str, FRACTIONS))} of the expert\'s speed, the mistakes in 100 steps '
            f'are {"; ".join(entries)}.')


def _flagged(state: RunState) -> str:
    count = sum(len(one.flagged) for one in state.all_of(Collected))
    if not count:
        return ''
    return (f'{counted(count, "recorded episode")} not used in training: aborted, incomplete, '
            'discarded, or with dropped messages. Their costs are counted.')


def _left_over(state: RunState) -> str:
    if state.find(Trained, stage_name('train', BASELINE_PART)) is None:
        return ''
    recorded = [state.outcome(Collected, stage.name) for stage in demonstration_stages(state)]
    unused = (sum(one.labels for one in recorded)
              - sum(labels for _, labels in same_labels(state)))
    if not unused:
        return ''
    return (f'Recorded for the baseline but not used: {counted(unused, "label")}. It is trained '
            'on whole demonstrations, in the order of their seeds.')
