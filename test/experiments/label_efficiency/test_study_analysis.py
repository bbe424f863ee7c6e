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

"""What a study's curves say, on made-up numbers whose answers are known."""

import json

from il_ros.experiments.error_growth.analysis import Estimate
from il_ros.experiments.label_efficiency.analysis import compared, median_line, needed
from il_ros.experiments.label_efficiency.analysis import rank_correlation, ratio, reached
from il_ros.experiments.label_efficiency.analysis import realised_rate, sample
from il_ros.experiments.label_efficiency.points import curves_of, in_rounds, learner_labels
from il_ros.experiments.label_efficiency.points import numbers_above, Point, points_csv
from il_ros.experiments.label_efficiency.reading import conclusion, format_study, read
from il_ros.experiments.label_efficiency.report import figures_of, readme, report_html
from il_ros.experiments.label_efficiency.summary import needed_csv, Question, rates_csv, study_json
from il_ros.experiments.label_efficiency.summary import summarise_task
from il_ros.reports.page import Figure
import numpy as np
from page_reader import Page
import pytest

ABOUT = {'command': 'il_ros study --run x', 'commits': ['abc'], 'versions': {'numpy': '2'},
         'conditions': 'Made up.'}
EPISODES = 100


def wins(successes: int) -> str:
    """Return so many successes of 100, spread evenly."""
    return ''.join('1' if (at * 37) % EPISODES < successes else '0' for at in range(EPISODES))


def point(method: str, number: int, labels: int, successes: int, seed: int = 0,
          **fields) -> Point:
    """Return a point of BC, or of a method whose expert looked on for ten states a label."""
    cloned = method == 'BC'
    watched = 0 if cloned else 10 * number
    costs = {'queries': labels + watched, 'watched': watched, 'expert_driven_steps': labels,
             'policy_driven_steps': 0 if cloned else 200 * number, 'takeovers': 3 * number,
             'objects_lost': 0, 'synthetic': 0, 'expert_seconds': labels / 20, **fields}
    return Point(task='push', method=method, cloned=cloned, seed=seed, number=number,
                 labels=labels, loss_held_out=1.0 / (1 + successes), epsilon_mistakes=9,
                 epsilon_states=300, wins=wins(successes), steps=900, mistakes=90, lost=2,
                 sha256='f' * 64, **costs)


def study(ours=(40, 80, 99, 99), theirs=(40, 60, 80, 99), seeds=(0, 1, 2)) -> list[Point]:
    """Return the points of ``gated`` at 100, 150, ... labels and of BC at 100, 200, 400, ..."""
    points = []
    for seed in seeds:
        points += [point('gated', at, 100 + 50 * at, k, seed) for at, k in enumerate(ours)]
        points += [point('BC', 10 * 2 ** at, 100 * 2 ** at, k, seed)
                   for at, k in enumerate(theirs)]
    return points


def summary(points: list[Point], targets=None) -> dict:
    """Return what is said of these points; the expert never fails."""
    question = Question('push', wins(100), {'gated': 'BC'}, 'gated', targets or {})
    return summarise_task(question, points, resamples=200)


@pytest.mark.parametrize('rates, highs, index', [
    ((.5, .96, .99), (.6, .98, 1.), 1),
    ((.5, .96, .90), (.6, .98, .94), -1),
    ((.96, .80, .96), (.98, .90, .98), 2),
    ((.96, .94, .93), (.98, .97, .96), 0),
    ((.5, .6, .94), (.6, .7, .99), -1)])
def test_a_curve_has_arrived_when_no_later_interval_lies_below(rates, highs, index):
    found = reached(np.array([rates]), np.array([highs]), np.array([.95]))
    assert found.tolist() == [index]


def test_labels_that_are_needed_and_their_ratio_are_medians_over_seeds():
    points = study() + [point('gated', at, 300 + at, 50, 3) for at in range(2)]
    points += [point('BC', 10, 100, 99, 3)]
    curves = curves_of(points, 'push')
    sampled = sample(wins(100), np.random.default_rng(0), 100)
    ours, theirs = (needed(curves[name], sampled) for name in ('gated', 'BC'))
    assert (ours.reached_seeds, ours.seeds) == (3, 4)
    assert ours.labels.value == 200.0 and theirs.labels.value == 800.0
    assert ours.costs['watched'] == 20.0 and ours.costs['expert_driven_steps'] == 200.0
    largest = {seed: curve[-1].labels for seed, curve in curves['BC'].items()}
    found = ratio(ours, theirs, largest)
    assert found.estimate.value == 0.25 and not found.at_most
    assert found.estimate.low <= 0.25, 'resampled episodes may reach it a round earlier'


def test_an_episode_that_is_drawn_counts_for_all_training_seeds_which_met_the_same_reset():
    curves = curves_of(study(ours=(40, 95, 97, 99)), 'push')
    found = needed(curves['gated'], sample(wins(100), np.random.default_rng(0), 200))
    first, *others = found.samples.values()
    assert len(np.unique(first)) > 1, 'some samples arrive later'
    assert all((first == other).all() for other in others)


def test_bc_is_held_against_a_way_at_its_own_budgets_and_in_steps_above():
    assert numbers_above(10, 50) == [12, 15, 19, 24, 30, 38, 48, 50]
    ours = [point('gated', at, labels, 50) for at, labels in enumerate((100, 148, 200))]
    more = [point('dart', at, labels, 50) for at, labels in enumerate((100, 160, 330))]
    steps = numbers_above(20, 50)
    clones = [point('BC', number, 10 * number, 50)
              for number in sorted({10, 15, 16, 20, 33, *steps})]
    numbers = [[one.number for one in compared(clones, curve, [ours, more])]
               for curve in (ours, more)]
    assert numbers == [[10, 15, 20, *steps], [10, 16, 33, *(one for one in steps if one > 33)]]


def test_budgets_of_another_way_do_not_undo_what_bc_reached():
    points = study(theirs=(40, 99, 99, 99), seeds=(0,))
    points += [point('dart', 0, 100, 50), point('dart', 1, 330, 50), point('BC', 33, 330, 20)]
    question = Question('push', wins(100), {'gated': 'BC', 'dart': 'BC'}, 'dart', {})
    by_name = {one['method']: one for one in summarise_task(question, points, 50)['methods']}
    assert by_name['gated']['ratio']['value'] == 1.0
    assert by_name['BC']['costs']['labels'] == 800, 'in the table as the named method sees it'


def test_the_verdict_says_between_which_budgets_the_labels_lie():
    said = summary(study())
    assert said['methods'][0]['too_few'] == 150.0
    assert (said['methods'][0]['ratio']['least'], said['methods'][0]['ratio']['most']) == (
        150 / 800, 200 / 200)
    assert 'at least 0.19, at most 1.00' in conclusion(said)
    assert 'at most 200 labels (150 are too few)' in conclusion(said)
    assert 'BC takes at most 800 labels (200 are too few)' in conclusion(said)


def test_where_bc_never_arrives_its_largest_budget_stands_for_what_it_needs():
    said = summary(study(theirs=(40, 50, 60, 70)))
    ours = said['methods'][0]
    assert ours['ratio']['value'] == 0.25 and ours['ratio']['at_most']
    assert 'with at most 0.25' in conclusion(said) and 'BC does not reach it' in conclusion(said)


def test_an_interval_that_is_open_is_not_closed():
    curves = curves_of(study(ours=(40, 60, 80, 95), theirs=(40, 60, 80, 100)), 'push')
    sampled = sample(wins(100), np.random.default_rng(0), 400)
    assert needed(curves['gated'], sampled).labels.high is None, 'many samples never arrive'


@pytest.mark.parametrize('points, said', [
    (study(), 'gated reaches 95 % of the success of the expert with 0.25'),
    (study(theirs=(40, 99, 99, 99)), 'DAgger is not needed'),
    (study(ours=(40, 50, 60, 60)), 'DAgger is not needed'),
    (study(ours=(40, 50, 60, 60), theirs=(40, 50, 60, 70)), 'neither gated nor BC')])
def test_the_verdict_says_what_the_intervals_carry_and_names_all_three_costs(points, said):
    sentence = conclusion(summary(points))
    assert said in sentence
    for cost in ('labels', 'driven by the expert', 'queries without a label'):
        assert sentence.count(cost) >= 2, 'of the method and of BC'


def test_costs_of_rounds_are_differences_and_an_expert_alone_visits_no_learner_state():
    curve = [point('gated', at, 100 + 50 * at, 50) for at in range(4)]
    assert in_rounds(curve, 'labels') == 150 and in_rounds(curve, 'labels', 3) == 50
    assert learner_labels(curve) == 150 and learner_labels(curve[:1]) == 0
    alone = [point('dart', at, 100 + 50 * at, 50, policy_driven_steps=0) for at in range(4)]
    assert learner_labels(alone) == 0


def test_the_realised_rate_pools_the_rounds_from_two_on():
    curves = {seed: [point('novelty', at, 100, 50, seed, expert_driven_steps=100 + spent,
                           policy_driven_steps=driven)
                     for at, (spent, driven) in enumerate(((0, 0), (500, 0), (600, 900)))]
              for seed in (0, 1)}
    found = realised_rate(curves, 0.1)
    assert (found['realised'], found['steps']) == (0.1, 2000)
    assert found['within_1.5'] and not found['enough_steps']
    assert not realised_rate(curves, 0.3)['within_1.5']
    assert realised_rate({0: curves[0][:2]}, 0.1)['realised'] is None


def test_rank_correlation_is_spearmans():
    assert rank_correlation([1, 2, 3, 4], [10, 20, 90, 1000]) == pytest.approx(1.0)
    assert rank_correlation([1, 2, 3, 4], [9, 4, 1, 0]) == pytest.approx(-1.0)
    # Ties share their mean rank: 1.5, 1.5, 3, 4 against 1, 2, 3, 4.
    assert rank_correlation([5, 5, 6, 7], [1, 2, 3, 4]) == pytest.approx(0.948683)
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None
    assert rank_correlation([1, 2], [1, 2]) is None


def test_the_median_line_goes_by_rounds_and_interpolates_budgets_that_differ():
    rounds = {seed: [point('gated', at, 100 + 10 * seed, 50 + seed) for at in range(2)]
              for seed in (0, 1, 2)}
    assert median_line(rounds, 'labels') == ([110.0, 110.0], [51.0, 51.0])
    clones = {0: [point('BC', 1, 100, 20), point('BC', 2, 300, 60)],
              1: [point('BC', 1, 200, 40), point('BC', 2, 400, 80)]}
    assert median_line(clones, 'labels') == ([200, 300], [40.0, 60.0])


def test_the_page_the_tables_and_the_file_hold_all_that_was_found():
    points = study()
    said = summary(points, {'gated': 0.2})
    found = json.loads(study_json(ABOUT, [said], points))
    assert found['tasks'][0]['methods'][0]['costs']['labels'] == 200.0
    assert [Point(**one) for one in found['points']] == points
    page = Page(report_html(ABOUT, [said], points))
    assert not page.open and all(one.startswith('data:') for one in page.sources)
    text = ' '.join(page.text)
    assert 'abc' in text and all(one[:40] in text.replace('\xa0', ' ') for one in read(said))
    assert set(figures_of(said, points)) == {
        'medians', 'labels-1', 'expert_driven_steps-1', 'queries-1', 'loss', 'states'}
    assert len(points_csv(points).splitlines()) == 1 + len(points)
    assert needed_csv([said]).splitlines()[1].startswith('push,gated,3,3,')
    assert rates_csv([said]).splitlines()[1].startswith('push,gated,0.2,')
    assert 'gated' in format_study([said])
    text = readme('x', ABOUT, [said], {'push': {'push-loss.svg': Figure('Loss', '')}})
    assert '![loss](push-loss.svg)' in text


def test_an_estimate_without_a_finite_end_says_so():
    assert Estimate.of(np.array([1.0, 1.0, np.inf, np.inf])).high is None
