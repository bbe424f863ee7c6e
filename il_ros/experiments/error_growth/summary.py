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
``compounding.json``: the growth of mistakes of policies, from their episodes.

Policies with several training seeds are named ``METHOD-SEED``: ``BC-0`` and ``BC-1`` belong to the
method ``BC``. A training seed draws demonstrations, rollouts and initial weights; a claim on a
method is a claim on the median over its seeds.
"""

import dataclasses
import json
import re
from statistics import median
from typing import NamedTuple, Sequence

from il_ros.evaluation.interval import wilson
from il_ros.evaluation.mistakes import FLOOR, FRACTION, FRACTIONS
from il_ros.experiments.error_growth import analysis
from il_ros.experiments.error_growth.analysis import censored_growth, Estimate, Exponent, growth
from il_ros.experiments.error_growth.continuing import after_first_mistake, classify_outcomes
from il_ros.experiments.error_growth.continuing import ContinuingScores, EpisodeOutcomes
from il_ros.experiments.error_growth.continuing import goals_per_1000, rate_after_first
from il_ros.experiments.error_growth.drift import curve, Drift
import numpy as np

LONGEST_AFTER = 200
"""Steps after the first mistake that are shown."""

_DRIFT_SEED = 0
"""Seed of the bootstrap over the episodes of the drift, which may be fewer."""

_CURVE_POINTS = 200
"""Points of a curve over time in the file."""

_NAME = re.compile(r'(.+)-(\d+)')


@dataclasses.dataclass(frozen=True)
class Measured:
    """One policy's episodes, and its mistakes on states of the expert."""

    name: str
    labels: int
    """Number that it was trained on; -1: unknown."""
    sha256: str
    scores: ContinuingScores
    expert_states: int
    """States of held-out demonstrations ..."""
    expert_mistakes: tuple[int, ...]
    """... and the mistakes among them, at each of ``FRACTIONS``."""
    expert_gripper_mistakes: int = 0
    drift: Drift | None = None
    no_drift: str = ''
    """Why the drift is missing, if it was requested."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """Conditions that all policies share."""

    task: str
    first_seed: int
    burn_in: int
    """Steps at the start that the exponents leave out: one cycle of the expert."""
    patience: int
    """Steps without a goal after which an episode counts as stopped."""
    expert_goals_per_1000: float
    expert_episodes: int


def summarise(setting: Setting, policies: Sequence[Measured], rng: np.random.Generator,
              resamples: int = analysis.RESAMPLES) -> dict:
    """
    Return what ``compounding.json`` says, plain values only.

    :param policies: measured on the same seeds, in the order of the table; the others are
        compared with the first, or with the first of their training seed (``METHOD-SEED``)
    :param rng: of the bootstrap; the same state gives the same summary
    """
    sizes = {(len(one.scores.episodes), one.scores.episodes.horizon) for one in policies}
    if len(sizes) != 1:
        raise ValueError(f'policies have episodes and horizon {sorted(sizes)}; expected the same')
    (episodes, horizon), = sizes
    weight = analysis.weights(episodes, rng, resamples)
    grid = analysis.grid(horizon)
    entries = [_policy(one, setting, grid, weight) for one in policies]
    totals = [growth(one.scores.episodes, (horizon,), weight)[:, 0] for one in policies]
    for index, entry in enumerate(entries):
        first = partner([one.name for one in policies], index)
        if first is None:
            continue
        with np.errstate(invalid='ignore', divide='ignore'):
            entry['mistakes_to_first'] = Estimate.of(totals[index] / totals[first]).as_dict()
        entry['first'] = policies[first].name
    for entry, one in zip(entries, policies):
        entry['drift'] = _drift(one.drift, resamples)
        entry['no_drift'] = one.no_drift
    return {**dataclasses.asdict(setting), 'episodes': episodes, 'horizon': horizon,
            'definition': {'fraction': FRACTION, 'floor': FLOOR, 'fractions': list(FRACTIONS)},
            'resamples': resamples, 'grid': list(grid), 'policies': entries,
            'ways': methods(entries)}


def summary_json(summary: dict) -> str:
    """Return the text of ``compounding.json``."""
    return json.dumps(summary, indent=1, allow_nan=False) + '\n'


def _policy(one: Measured, setting: Setting, grid: Sequence[int], weight: np.ndarray) -> dict:
    episodes = one.scores.episodes
    k = one.expert_mistakes[FRACTIONS.index(FRACTION)]
    became = classify_outcomes(episodes, setting.patience)
    return {
        'name': one.name, 'labels': one.labels, 'sha256': one.sha256,
        'epsilon': _epsilon(k, one.expert_states),
        'mistakes': [Estimate.of(column).as_dict()
                     for column in growth(episodes, grid, weight).T],
        'mistakes_censored': [Estimate.of(column).as_dict()
                              for column in censored_growth(episodes, grid, weight).T],
        'exponents': _exponents(episodes, weight, setting.burn_in, censored=False),
        'exponents_censored': _exponents(episodes, weight, setting.burn_in, censored=True),
        'goals_per_1000': Estimate.of(goals_per_1000(episodes, weight)).as_dict(),
        'rate_after_first': Estimate.of(rate_after_first(episodes, weight)).as_dict(),
        'after_first': _plain(after_first_mistake(episodes, _after(episodes.horizon))),
        'after_first_at': list(_after(episodes.horizon)),
        'fates': _outcomes(became, episodes),
        'share_working': _plain(became.share_working(episodes.horizon)[
            _points(episodes.horizon)]),
        'share_working_at': _points(episodes.horizon).tolist(),
        'definitions': _definitions(one, weight[:1])}


def _drift(drift: Drift | None, resamples: int) -> dict | None:
    if drift is None:
        return None
    episodes, horizon = drift.distances.shape
    ends = analysis.grid(horizon)
    weight = analysis.weights(episodes, np.random.default_rng(_DRIFT_SEED), resamples)
    return {'episodes': episodes, 'at': list(ends), 'training_states': drift.training_states,
            'on_expert_states': round(drift.on_expert_states, 6),
            'distance': [Estimate.of(column).as_dict()
                         for column in curve(drift, ends, weight).T]}


def _epsilon(k: int, n: int) -> dict:
    """Return mistakes per step on states of the expert; if there are none, at most 3 / n."""
    return {**wilson(k, n).as_dict(), 'rule_of_three': round(3.0 / n, 6) if n and not k else None}


def _exponents(episodes, weight: np.ndarray, burn_in: int, censored: bool) -> list[dict]:
    found: tuple[Exponent, ...] = analysis.exponents(episodes, weight, burn_in, censored)
    return [one.as_dict() for one in found]


def _outcomes(became: EpisodeOutcomes, episodes: analysis.Episodes) -> dict:
    """Return the episodes by outcome, and the share of all mistakes of each kind."""
    made = episodes.counted.sum(axis=1)
    total = max(1, int(made.sum()))
    kinds = {'from_start': became.from_start, 'later': became.later, 'working': became.working}
    return {**{kind: {**wilson(int(which.sum()), len(which)).as_dict(),
                      'ended': int((which & became.ended).sum()),
                      'share_of_mistakes': round(float(made[which].sum()) / total, 6)}
               for kind, which in kinds.items()},
            'worst_episode_share': round(float(made.max(initial=0)) / total, 6)}


def _definitions(one: Measured, weight: np.ndarray) -> list[dict]:
    """Return ``J(H)`` and epsilon at each fraction, and the gripper's disagreements apart."""
    episodes = one.scores.episodes
    rows = [{'fraction': fraction, 'mistakes': _total(episodes, flags, weight),
             'epsilon': _epsilon(k, one.expert_states)}
            for (fraction, flags), k in zip(one.scores.at.items(), one.expert_mistakes)]
    if one.scores.gripper is not None:
        made = (one.scores.gripper & episodes.running).sum(axis=1)
        rows.append({'fraction': None, 'mistakes': round(float(made.mean()), 6),
                     'epsilon': _epsilon(one.expert_gripper_mistakes, one.expert_states)})
    return rows


def _total(episodes: analysis.Episodes, flags: np.ndarray, weight: np.ndarray) -> float:
    other = dataclasses.replace(episodes, mistaken=flags)
    return round(float(growth(other, (episodes.horizon,), weight)[0, 0]), 6)


def _after(horizon: int) -> tuple[int, ...]:
    return analysis.grid(min(LONGEST_AFTER, horizon - 1))


def _points(horizon: int) -> np.ndarray:
    return np.unique(np.linspace(0, horizon, min(horizon, _CURVE_POINTS) + 1).round().astype(int))


def _plain(values: np.ndarray) -> list[float | None]:
    return [round(float(one), 6) if np.isfinite(one) else None for one in values]


class Trained(NamedTuple):
    """Method and training seed in the name of a policy."""

    method: str
    seed: str
    """'': none."""


def trained(name: str) -> Trained:
    """Read ``METHOD-SEED``; any other name is a method without a seed."""
    match = _NAME.fullmatch(name)
    return Trained(*match.groups()) if match else Trained(name, '')


def partner(names: Sequence[str], index: int) -> int | None:
    """Return the policy that another is compared with, the first of its seed; None: itself."""
    first = next(i for i, name in enumerate(names)
                 if trained(name).seed == trained(names[index]).seed)
    return None if first == index else first


def methods(policies: Sequence[dict]) -> list[dict]:
    """
    Return each method with several seeds, and its medians over them.

    :param policies: as ``compounding.json`` has them
    """
    groups: dict[str, list[dict]] = {}
    for policy in policies:
        method, seed = trained(policy['name'])
        if seed:
            groups.setdefault(method, []).append(policy)
    return [_medians(method, members) for method, members in groups.items() if len(members) > 1]


def _medians(method: str, members: Sequence[dict]) -> dict:
    ratios = [one['mistakes_to_first']['value'] for one in members if 'mistakes_to_first' in one]
    known = [ratio for ratio in ratios if ratio is not None]
    curves = zip(*([point['value'] for point in one['mistakes']] for one in members))
    return {'way': method, 'policies': [one['name'] for one in members],
            'median_labels': median(one['labels'] for one in members),
            'median_mistakes': [round(median(values), 6) for values in curves],
            'ratios': ratios,
            'median_ratio': round(median(known), 6) if known else None}
