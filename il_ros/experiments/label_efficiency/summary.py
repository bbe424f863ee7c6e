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

"""``study.json``: the points and findings of a study, plain values only."""

import dataclasses
import json
from typing import Mapping, Sequence

from il_ros.evaluation.interval import wilson
from il_ros.experiments.error_growth.analysis import RESAMPLES
from il_ros.experiments.label_efficiency import analysis as analysis
from il_ros.experiments.label_efficiency.points import Curves, curves_of, in_rounds, learner_labels
from il_ros.experiments.label_efficiency.points import Point, to_csv
from il_ros.experiments.label_efficiency.training_seeds import at_labels, over_seeds, paired
from il_ros.experiments.label_efficiency.training_seeds import success
import numpy as np

_BOOTSTRAP_SEED = 0


@dataclasses.dataclass(frozen=True)
class Question:
    """Question that a study asks about one task."""

    task: str
    expert_wins: str
    """``1`` or ``0`` for each episode, in the order of their seeds."""
    against: Mapping[str, str]
    """By method of collecting, the BC with the same learner."""
    named: str
    """The method that the conclusion is about, named beforehand."""
    targets: Mapping[str, float]
    """Target rates of intervention by method; only methods that have one."""


def summarise_task(question: Question, points: Sequence[Point],
                   resamples: int = RESAMPLES) -> dict:
    """Return what ``study.json`` says of a task."""
    curves = curves_of(points, question.task)
    rng = np.random.default_rng(_BOOTSTRAP_SEED)
    sampled = analysis.sample(question.expert_wins, rng, resamples)
    needs = {method: analysis.needed(found, sampled) for method, found in curves.items()}
    theirs = {method: analysis.needed(_compared(curves, method, question.against), sampled)
              for method in question.against if question.against[method] in curves}
    # The table has BC as it is compared with the named method, if it is.
    for method in sorted(theirs, key=lambda method: method == question.named):
        needs[question.against[method]] = theirs[method]
    methods = [_method(method, curves, needs[method], theirs.get(method),
                       question.against.get(method), sampled) for method in curves]
    wins = question.expert_wins
    return {
        'task': question.task, 'named': question.named,
        'training_seeds': sorted({seed for found in curves.values() for seed in found}),
        'expert': wilson(wins.count('1'), len(wins)).as_dict(), 'methods': methods,
        'pairs': _pairs(question, curves, sampled),
        'rates': [{'method': method, **analysis.realised_rate(curves[method], target)}
                  for method, target in question.targets.items()],
        'loss_and_success': _loss_and_success(curves)}


def _compared(curves: Curves, method: str, against: Mapping[str, str]) -> dict:
    """Return by seed the points of BC that a method is compared with."""
    group = [curves[one] for one in against if against[one] == against[method] and one in curves]
    return {seed: analysis.compared(curve, curves[method][seed],
                                    [found[seed] for found in group if seed in found])
            for seed, curve in curves[against[method]].items() if seed in curves[method]}


def _pairs(question: Question, curves: Curves, sampled: analysis.Sampled) -> list[dict]:
    """
    Return the success of last rounds beside others, by training seed.

    Each method beside its BC at as many labels, and the one that was named beside the others.
    """
    last = {method: {seed: curve[-1] for seed, curve in found.items()}
            for method, found in curves.items() if method in question.against}
    asked = []
    for method, own in last.items():
        bc = question.against[method]
        if bc in curves:
            asked.append((method, bc, {seed: at_labels(curve, own[seed].labels)
                                       for seed, curve in curves[bc].items() if seed in own}))
    asked += [(question.named, method, found) for method, found in last.items()
              if method != question.named and question.named in last]
    found = []
    for one, other, theirs in asked:
        compared = paired(last[one], theirs, sampled.weight)
        if compared is not None:
            labels, favours = compared.labels, compared.favours
            found.append({
                'method': one, 'other': other, 'labels': labels[0], 'other_labels': labels[1],
                **compared.estimate.as_dict(), 'favour_method': favours[0],
                'favour_other': favours[1],
                'by_seed': {str(seed): round(value, 6)
                            for seed, value in compared.by_seed.items()}})
    return found


def _method(method: str, curves: Curves, need: analysis.Needed, theirs: analysis.Needed | None,
            against: str | None, sampled: analysis.Sampled) -> dict:
    found = curves[method]
    last = [curve[-1] for curve in found.values()]
    said = {
        'method': method, 'cloned': last[0].cloned, 'seeds': need.seeds,
        'reached_seeds': need.reached_seeds, 'labels': need.labels.as_dict(),
        'costs': need.costs, 'too_few': float(np.median(list(need.too_few.values()))),
        'last': {'success': [point.success.as_dict() for point in last],
                 'mean': over_seeds({seed: success(curve[-1], sampled.weight)
                                     for seed, curve in found.items()}, np.mean).as_dict(),
                 'costs': {key: float(np.median([getattr(point, key) for point in last]))
                           for key in analysis.COSTS}}}
    if theirs and against:
        largest = {seed: curve[-1].labels for seed, curve in curves[against].items()}
        compared = analysis.ratio(need, theirs, largest)
        said['ratio'] = {**compared.estimate.as_dict(), 'at_most': compared.at_most,
                         'least': compared.least, 'most': compared.most, 'to': against,
                         'favour_method': compared.favours[0],
                         'favour_other': compared.favours[1]}
    if not last[0].cloned:
        said['states'] = _states(list(found.values()))
    return said


def _states(curves: Sequence[Sequence[Point]]) -> dict:
    """Return whose states were labelled, and who drove the rounds: medians over seeds."""
    ratios, shares = [], []
    for curve in curves:
        ratios.append(learner_labels(curve) / max(1, curve[0].labels))
        expert, policy = (in_rounds(curve, key)
                          for key in ('expert_driven_steps', 'policy_driven_steps'))
        shares.append(expert / max(1, expert + policy))
    return {'learner_to_demonstration_labels': round(float(np.median(ratios)), 4),
            'share_expert_drove': round(float(np.median(shares)), 4)}


def _loss_and_success(curves: Curves) -> dict:
    points = [point for by_seed in curves.values() for curve in by_seed.values()
              for point in curve if point.loss_held_out >= 0.0]
    rates = [point.success.rate for point in points]
    found = {'checkpoints': len(points), 'rank_correlation': analysis.rank_correlation(
        [point.loss_held_out for point in points], rates)}
    measured = [point for point in points if point.epsilon_states]
    found['rank_correlation_epsilon'] = analysis.rank_correlation(
        [point.epsilon_mistakes / point.epsilon_states for point in measured],
        [point.success.rate for point in measured])
    return found


def study_json(about: dict, tasks: Sequence[dict], points: Sequence[Point]) -> str:
    """Return the text of ``study.json``."""
    return json.dumps({'about': about, 'tasks': list(tasks),
                       'points': [dataclasses.asdict(point) for point in points]},
                      indent=1, allow_nan=False) + '\n'


def needed_csv(tasks: Sequence[dict]) -> str:
    """Return a row a task and method: what reaching the expert's success took."""
    head = ['task', 'method', 'seeds', 'reached_seeds', 'labels_low', 'labels_high',
            *(f'{key}_needed' for key in analysis.COSTS), 'ratio', 'ratio_low', 'ratio_high',
            'ratio_at_most', 'ratio_least', 'ratio_most', 'ratio_to',
            'learner_to_demonstration_labels', 'share_expert_drove', 'labels_too_few',
            'ratio_favour_method', 'ratio_favour_other', 'last_success', 'last_success_low',
            'last_success_high', 'last_success_least', 'last_success_most']
    rows = []
    for task in tasks:
        for one in task['methods']:
            ratio, states = one.get('ratio', {}), one.get('states', {})
            rates = [seed['rate'] for seed in one['last']['success']]
            rows.append([
                task['task'], one['method'], one['seeds'], one['reached_seeds'],
                one['labels']['low'], one['labels']['high'], *one['costs'].values(),
                *(ratio.get(key) for key in (
                    'value', 'low', 'high', 'at_most', 'least', 'most', 'to')),
                states.get('learner_to_demonstration_labels'),
                states.get('share_expert_drove'), one['too_few'], ratio.get('favour_method'),
                ratio.get('favour_other'), *one['last']['mean'].values(), min(rates), max(rates)])
    return to_csv(head, rows)


def pairs_csv(tasks: Sequence[dict]) -> str:
    """Return a row a task and pair of methods: their success, compared by training seed."""
    keys = ('method', 'other', 'labels', 'other_labels', 'value', 'low', 'high', 'favour_method',
            'favour_other')
    head = ('task', *keys[:4], 'difference', 'difference_low', 'difference_high', *keys[7:],
            'seeds')
    return to_csv(head, [[task['task'], *(one[key] for key in keys), len(one['by_seed'])]
                         for task in tasks for one in task['pairs']])


def rates_csv(tasks: Sequence[dict]) -> str:
    """Return a row a task and gate with a target: what its rate of intervention was."""
    keys = ('method', 'target', 'realised', 'steps', 'takeovers', 'within_1.5', 'enough_steps')
    return to_csv(('task', *keys), [[task['task'], *(one[key] for key in keys)]
                                    for task in tasks for one in task['rates']])
