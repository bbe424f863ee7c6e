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

"""Intervals over training seeds, on made-up studies whose truth is known."""

import csv
import io
import json
from pathlib import Path
from statistics import NormalDist

from il_ros.evaluation.interval import wilson
from il_ros.experiments.error_growth.analysis import weights
from il_ros.experiments.label_efficiency.points import points_csv
from il_ros.experiments.label_efficiency.reading import about_intervals, conclusion, pairs_table
from il_ros.experiments.label_efficiency.reading import read
from il_ros.experiments.label_efficiency.report import report_html
from il_ros.experiments.label_efficiency.summary import needed_csv, pairs_csv
from il_ros.experiments.label_efficiency.training_seeds import over_seeds, paired, tail
import numpy as np
import pytest
from test_study_analysis import ABOUT, point, study, summary

SEEDS, EPISODES = 10, 100
MEAN, SCATTER = 0.8, 0.08
"""Success of the policies of a training procedure: mean and standard deviation over seeds."""


def wins_of(rates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return who succeeds where, shape ``(S, E)``: half of what is hard is so for all seeds."""
    hard = (rng.normal(size=EPISODES) + rng.normal(size=(len(rates), EPISODES))) / 2 ** 0.5
    return (hard < [[NormalDist().inv_cdf(rate)] for rate in rates]).astype(float)


@pytest.fixture(scope='module')
def covered() -> dict[str, float]:
    """Return in how many of 300 studies an interval has the mean of the procedure."""
    rng, found = np.random.default_rng(7), {'seeds': 0, 'pooled': 0}
    for _ in range(300):
        won = wins_of(np.clip(rng.normal(MEAN, SCATTER, SEEDS), 0.3, 0.999), rng)
        weight = weights(EPISODES, rng, 300)
        said = over_seeds(dict(enumerate(won @ weight.T / EPISODES)), np.mean)
        found['seeds'] += said.low <= MEAN <= said.high
        pooled = wilson(int(won.sum()), won.size)
        found['pooled'] += pooled.low <= MEAN <= pooled.high
    return {name: count / 300 for name, count in found.items()}


def test_the_interval_covers_the_procedure_where_training_seeds_scatter(covered):
    assert 0.93 <= covered['seeds'] <= 0.995


def test_an_interval_over_the_pooled_episodes_is_too_narrow_there(covered):
    assert covered['pooled'] < 0.65


def test_one_training_seed_that_fails_widens_the_interval():
    rng = np.random.default_rng(0)
    rates = np.array([0.98] * 9 + [0.4])
    won, weight = wins_of(rates, rng), weights(EPISODES, rng, 1000)
    said = over_seeds(dict(enumerate(won @ weight.T / EPISODES)), np.mean)
    one = np.quantile(weight[1:] @ won.mean(axis=0) / EPISODES, (0.025, 0.975))
    assert said.low < 0.8 and said.high > 0.95
    assert said.high - said.low > 2.0 * (one[1] - one[0]), 'resampled episodes alone'


def test_the_tail_is_that_of_students_t():
    # Quantiles of t with 5 and 9 degrees of freedom: 2.5706 and 2.2622; those of the expanded
    # interval are sqrt(n / (n - 1)) times as many standard deviations away.
    assert tail(6) == pytest.approx(0.0024, abs=2e-4)
    assert tail(10) == pytest.approx(0.0086, abs=2e-4)
    assert tail(3) < tail(4) < tail(5) < tail(6) < tail(12) < 0.025


def test_a_curve_that_never_arrives_leaves_the_interval_open():
    values = {seed: np.full(201, labels) for seed, labels in enumerate((100., 200., 300., np.inf))}
    said = over_seeds(values)
    assert (said.value, said.low, said.high) == (250.0, 100.0, None)


def test_pairs_share_training_seeds_and_episodes():
    """Seeds scatter by tens of per cent, but one method is 5 % better with each of them."""
    rates = [50, 60, 70, 80, 90, 55, 65, 75]
    ours, theirs = ({seed: point('gated', 3, 300, k + more, seed) for seed, k in enumerate(rates)}
                    for more in (5, 0))
    found = paired(ours, theirs, weights(EPISODES, np.random.default_rng(0), 500))
    assert found.estimate.value == pytest.approx(0.05) and found.favours == (8, 0)
    assert 0.0 < found.estimate.low and found.estimate.high < 0.12
    theirs.pop(7)
    assert sorted(paired(ours, theirs, np.ones((2, 100))).by_seed) == list(range(7))
    assert paired(ours, {99: theirs[0]}, np.ones((2, 100))) is None


def scattered(seeds: int) -> dict:
    """Return what is said of a study in which BC fails with every other seed."""
    points = study(seeds=range(seeds))
    points = [one for one in points if one.method == 'gated' or one.seed % 2]
    for seed in range(0, seeds, 2):
        points += [point('BC', 10 * 2 ** at, 100 * 2 ** at, 30, seed) for at in range(4)]
    return {'points': points, 'task': summary(points)}


def test_pairs_stand_on_the_page_in_the_file_and_in_the_table():
    found = scattered(10)
    pair, = found['task']['pairs']
    # The last round has 250 labels; the nearest budgets of BC are 200 (60 or 30 %) and 400.
    assert (pair['method'], pair['other'], pair['labels'], pair['other_labels']) == (
        'gated', 'BC', 250.0, 200.0)
    assert (pair['favour_method'], pair['favour_other']) == (10, 0)
    assert pair['value'] == pytest.approx(0.54) and pair['by_seed']['0'] == 0.69
    assert json.loads(json.dumps(found['task'])) == found['task']
    row, = csv.DictReader(io.StringIO(pairs_csv([found['task']])))
    assert float(row['difference']) == pair['value'] and row['seeds'] == '10'
    assert float(row['difference_low']) == pair['low'] > 0.3
    needed, _ = csv.DictReader(io.StringIO(needed_csv([found['task']])))
    assert needed['ratio_favour_method'] == '10' and float(needed['last_success']) == 0.99
    assert '+54.0 %' in pairs_table(found['task']).text()
    page = report_html(ABOUT, [found['task']], found['points'])
    assert '10 of 10 training seeds favour the first' in page and 'Methods in pairs' in page


def test_the_scatter_of_seeds_is_in_the_interval_of_the_labels():
    """With episodes alone resampled BC would be said to fail or to reach it, without doubt."""
    by_name = {one['method']: one for one in scattered(10)['task']['methods']}
    assert by_name['BC']['reached_seeds'] == 5 and by_name['BC']['labels']['high'] is None
    assert by_name['BC']['labels']['low'] == 800.0
    last = by_name['BC']['last']['mean']
    assert last['low'] < 0.5 < last['value'] < 0.75 < last['high']


@pytest.mark.parametrize('published', ('push', 'stack'))
def test_tables_that_were_published_before_are_read_as_those_of_today(published):
    folder = Path(__file__).resolve().parents[3] / 'docs' / 'results' / published
    head, rows = (folder / 'points.csv').read_text().split('\n', 1)
    assert head == points_csv([]).strip() and rows
    assert needed_csv([]).startswith((folder / 'needed.csv').read_text().split('\n', 1)[0])


@pytest.mark.parametrize('seeds', (1, 2))
def test_with_one_or_two_training_seeds_no_interval_is_invented(seeds):
    task = summary(study(seeds=range(seeds)))
    ours = task['methods'][0]
    for one in (ours['labels'], ours['ratio'], ours['last']['mean'], task['pairs'][0]):
        assert one['value'] is not None and one['low'] is one['high'] is None
    assert 'too few for a conclusion' in conclusion(task)
    assert 'DAgger is not needed' not in conclusion(task)
    assert read(task)[-1].startswith(f'With {seeds} training seed')
    assert 'there is no interval over training seeds' in read(task)[-1]


def test_few_training_seeds_are_said_to_be_few():
    assert 'in only 75 % of studies' in about_intervals(3)
    assert 'too narrow' in about_intervals(5) and 'too narrow' not in about_intervals(6)
