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
What a run's numbers say, in plain sentences made from the numbers.

Nothing is claimed that the intervals do not carry: two policies are told apart only where their
95 % intervals do not overlap.
"""

from il_ros.evaluation.interval import Interval, wilson
from il_ros.reports.table import percent


def read(summary: dict) -> list[str]:
    """
    Return the reading of a run, a few sentences a paragraph.

    :param summary: as ``summary.summarise`` returns it; what is missing in it is left out
    """
    parts = (_ceiling, _cloning, _last_round, _comparison, _costs, _trust)
    return [text for part in parts if (text := part(summary))]


def _interval(policy: dict | None) -> Interval | None:
    if policy is None or policy.get('success') is None:
        return None
    return Interval(**policy['success'])


def _rate(interval: Interval) -> str:
    return (f'{percent(interval.rate)} of {interval.n} resets (95 % interval '
            f'{percent(interval.low)} to {percent(interval.high)})')


def _last(summary: dict) -> dict | None:
    return summary['rounds'][-1] if summary['rounds'] else None


def _ceiling(summary: dict) -> str:
    if summary['expert'] is None:
        return ''
    return (f'The expert itself succeeds in {_rate(Interval(**summary["expert"]))} of '
            f'{summary["task"]}: that is the ceiling.')


def _cloning(summary: dict) -> str:
    bc = summary['bc']
    success = _interval(bc)
    if success is None:
        return ''
    text = (f'Cloned from {bc["demonstrations"]} demonstrations ({bc["labels"]} labels), the '
            f'policy succeeds in {_rate(success)}.')
    epsilon = bc['epsilon']
    if epsilon['n']:
        bound = wilson(epsilon['k'], epsilon['n'])
        text += (f' On held-out states of the expert it errs in {epsilon["k"]} of {epsilon["n"]} '
                 f'(at most {percent(bound.high)}, with 95 % confidence)')
        mistakes = bc['mistakes_per_step']
        if mistakes < 0.0:
            text += '.'
        elif mistakes > bound.high:
            text += (f', on the states that it visits itself in {percent(mistakes)} of the steps: '
                     'it goes where no demonstration has been, and its loss on the states of the '
                     'expert does not show that.')
        else:
            text += (f', on the states that it visits itself in {percent(mistakes)} of the steps: '
                     'these are not measurably harder for it.')
    return text


def _last_round(summary: dict) -> str:
    last, success = _last(summary), _interval(_last(summary))
    if success is None:
        return ''
    text = (f'After {last["round"]} rounds of {summary["strategy"]} and {last["labels"]} labels '
            f'it succeeds in {_rate(success)}.')
    if summary['expert']:
        if Interval(**summary['expert']).above(success):
            text += ' That is still below the expert.'
        else:
            text += ' These resets do not tell it apart from the expert.'
    first = _interval(summary['bc'])
    if first and success.above(first):
        text += ' It is better than the policy that it began with.'
    elif first and first.above(success):
        text += ' It is worse than the policy that it began with: the rounds did harm.'
    elif first:
        text += ' It is not told apart from the policy that it began with.'
    return text


def _comparison(summary: dict) -> str:
    last, baseline = _last(summary), summary['bc_same_labels']
    ours, theirs = _interval(last), _interval(baseline)
    if ours is None or theirs is None:
        return ''
    text = (f'Behavioural cloning given the same number of labels ({baseline["labels"]}, '
            f'{baseline["demonstrations"]} whole demonstrations) succeeds in {_rate(theirs)}. ')
    if ours.above(theirs):
        return text + (f'The interval of {summary["strategy"]} lies above it: label for label, '
                       'the states that the policy visits taught it more.')
    if theirs.above(ours):
        return text + (f'That is better than {summary["strategy"]}: here the labels were better '
                       'spent on demonstrations.')
    reached = summary['expert'] and not Interval(**summary['expert']).above(theirs)
    if reached:
        return text + ('The two intervals overlap, and neither is told apart from the expert: '
                       'BC is good enough here, and simpler.')
    return text + ('The two intervals overlap: as far as these resets can tell, BC is good enough '
                   f'here to do without {summary["strategy"]}, though it is below the expert.')


def _costs(summary: dict) -> str:
    if not summary['rounds']:
        return ''
    last = _last(summary)
    total = {key: sum(one[key] for one in summary['rounds']) for key in (
        'expert_driven_steps', 'policy_driven_steps', 'takeovers', 'objects_lost')}
    minutes = summary['expert_seconds'] / 60.0
    by_hand = f' ({last["person_labels"]} by hand)' if last.get('person_labels') else ''
    return (f'What it cost: the expert answered {last["queries"]} times, of which '
            f'{last["labels"]}{by_hand} became labels and {last["watched"]} were only watched, '
            f'{minutes:.1f} minutes of its time. While collecting, the expert drove '
            f'{total["expert_driven_steps"]} steps after {total["takeovers"]} takeovers, and the '
            f'arm went through {total["policy_driven_steps"]} steps of an unfinished policy, '
            f'which lost the object {total["objects_lost"]} times. Another '
            f'{summary["evaluation_queries"]} answers only measured and taught nothing.')


def _trust(summary: dict) -> str:
    policies = [summary['bc'], *summary['rounds']]
    judged = [(_interval(policy), policy) for policy in policies if _interval(policy)]
    text = ('The number of rounds was fixed beforehand, every policy met the same resets, and the '
            'last checkpoint is the result, not the best.')
    if len(judged) < 2:
        return text
    last = judged[-1][0]
    better = [policy['round'] for interval, policy in judged[1:-1] if interval.above(last)]
    if better:
        text += (f' Round {better[-1]} was better than the last one: training on more labels is '
                 'not always progress.')
    return text
