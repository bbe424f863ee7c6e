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

"""Figures of the growth of mistakes, as SVG text, from ``compounding.json``."""

from typing import Sequence

from il_ros.experiments.error_growth.analysis import lines
from il_ros.reports.plots import as_svg, CLONING, EXPERT, LOOP, panels, styled
import numpy as np

COLOURS = (CLONING, LOOP, '#009e73', '#cc79a7', '#e69f00', '#56b4e9')
"""Colours of the policies in their order, for colour-blind readers, too."""

PANELS = 3
"""Largest number of panels side by side."""


def colour(index: int) -> str:
    """Return the colour of the policy of that index."""
    return COLOURS[index % len(COLOURS)]


@styled
def growth(summary: dict, first: int = 0) -> str:
    """
    Draw ``J(T)`` of up to ``PANELS`` policies and the theoretical bounds, logarithmically.

    :param first: index of the first policy that is drawn
    """
    shown = summary['policies'][first:first + PANELS]
    figure, row = panels(len(shown), width_in=max(5.6, 3.4 * len(shown)), height_in=3.9)
    grid, floor = summary['grid'], _floor(summary)
    for index, (axes, policy) in enumerate(zip(row, shown), start=first):
        _lines(axes, policy['epsilon'], grid)
        value, low, high = (_numbers(policy['mistakes'], key) for key in ('value', 'low', 'high'))
        axes.fill_between(grid, np.where(np.isnan(low), floor, low), high, color=colour(index),
                          alpha=0.2, linewidth=0)
        axes.plot(grid, value, color=colour(index), marker='o', markersize=3.5, linewidth=1.8,
                  label='J(T), ended: mistakes')
        axes.plot(grid, _numbers(policy['mistakes_censored'], 'value'), color=colour(index),
                  linestyle=(0, (1, 1.2)), linewidth=1.4,
                  label='J(T), ended: censored')
        axes.set(title=titled(policy), xlabel='T, steps', xscale='log', yscale='log',
                 xlim=(1, grid[-1]), ylim=(floor, 2.0 * grid[-1]))
        axes.legend(loc='upper left', fontsize=7.5, handlelength=2.6)
    row[0].set_ylabel('mistakes in the first T steps')
    return as_svg(figure)


def titled(policy: dict) -> str:
    """Return the policy's name with its labels."""
    return f'{policy["name"]}, {policy["labels"]} labels' if policy['labels'] >= 0 \
        else policy['name']


def _lines(axes, epsilon: dict, grid: Sequence[int]):
    rate, sign = epsilon['rate'], 'ε'
    if not epsilon['k']:
        rate, sign = epsilon['rule_of_three'] or 0.0, 'ε⁺'
    steps = np.geomspace(1, grid[-1], 200)
    axes.plot(steps, steps, color='#b9c1c8', linewidth=1.0)
    if not rate:
        return
    drawn = lines(rate, steps)
    for name, style, label in (('quadratic', '-', f'{sign}T²'), ('leading', '-.', f'{sign}T²/2'),
                               ('linear', '--', f'{sign}T')):
        below = drawn[name] < steps
        axes.plot(steps[below], drawn[name][below], color=EXPERT, linestyle=style, linewidth=1.0,
                  label=label)


def _floor(summary: dict) -> float:
    """Return where the axis of J begins: below the smallest number that is drawn."""
    least = [policy['epsilon']['rate'] or policy['epsilon']['rule_of_three'] or 1.0
             for policy in summary['policies']]
    least += [one['value'] for policy in summary['policies']
              for one in policy['mistakes'] if one['value']]
    return 0.5 * min(least)


def _numbers(estimates: Sequence[dict], key: str) -> np.ndarray:
    """Return one number of each estimate; NaN where it is undefined or has no logarithm."""
    return np.array([one[key] if one[key] else np.nan for one in estimates], float)


@styled
def exponents(summary: dict) -> str:
    """Draw the local exponents with their intervals, policies side by side in each window."""
    figure, (axes,) = panels(1, width_in=8.4, height_in=4.0)
    count = len(summary['policies'])
    for level, text in ((1.0, 'linear'), (2.0, 'quadratic')):
        axes.axhline(level, color=EXPERT, linestyle='--', linewidth=1.0)
        axes.annotate(text, (1.0, level), xycoords=('axes fraction', 'data'), ha='right',
                      va='bottom', color=EXPERT, fontsize=8)
    tops = [2.3]
    for index, policy in enumerate(summary['policies']):
        defined = [one for one in policy['exponents'] if one['value'] is not None]
        shift = 1.06 ** (index - (count - 1) / 2)
        for one in defined:
            low, high = (one[key] if one[key] is not None else one['value']
                         for key in ('low', 'high'))
            tops.append(high)
            at = shift * one['first'] * 2 ** 0.5
            axes.plot((at, at), (low, high), color=colour(index), linewidth=1.6)
            axes.plot(at, one['value'], color=colour(index), marker='o', markersize=6,
                      markerfacecolor=colour(index) if one['superlinear'] else 'white')
        axes.plot([], [], color=colour(index), marker='o', label=titled(policy), linewidth=1.6)
    axes.set(xscale='log', xlabel='middle of the window [T, 2T], steps after the burn-in',
             ylabel='d log J / d log T', ylim=(0.0, min(4.0, 1.05 * max(tops))),
             xlim=(1, summary['horizon']))
    axes.legend(loc='upper left', fontsize=8)
    return as_svg(figure)


@styled
def goals(summary: dict) -> str:
    """Draw goals per 1,000 steps, and the share of episodes still reaching goals over time."""
    policies = summary['policies']
    figure, (left, right) = panels(2, width_in=9.6, height_in=3.5)
    for index, policy in enumerate(policies):
        one = policy['goals_per_1000']
        left.barh(index, one['value'], color=colour(index), height=0.6, alpha=0.85)
        left.plot((one['low'], one['high']), (index, index), color='#1c2329', linewidth=1.4)
        right.step(policy['share_working_at'], [100 * share for share in policy['share_working']],
                   where='post', color=colour(index), linewidth=1.8, label=titled(policy))
    left.axvline(summary['expert_goals_per_1000'], color=EXPERT, linestyle='--', linewidth=1.2)
    left.annotate('expert', (summary['expert_goals_per_1000'], 1.0), ha='right', va='top',
                  xycoords=('data', 'axes fraction'), xytext=(-3, 0), rotation=90,
                  textcoords='offset points', color=EXPERT, fontsize=8)
    left.set_yticks(range(len(policies)), [policy['name'] for policy in policies])
    left.invert_yaxis()
    left.grid(axis='y', visible=False)
    left.set(title='Goals reached', xlabel='in 1,000 steps')
    right.set(title='Episodes still reaching goals', xlabel='step', ylabel='%', ylim=(-2, 104),
              xlim=(0, summary['horizon']))
    right.legend(loc='lower left', fontsize=8)
    return as_svg(figure)


@styled
def drift(summary: dict) -> str:
    """Draw the distance of the visited states from the training set, over the steps."""
    figure, (axes,) = panels(1, width_in=7.2, height_in=3.6)
    for index, policy in enumerate(summary['policies']):
        found = policy['drift']
        if found is None:
            continue
        value, low, high = (_numbers(found['distance'], key) for key in ('value', 'low', 'high'))
        axes.fill_between(found['at'], low, high, color=colour(index), alpha=0.2, linewidth=0)
        axes.plot(found['at'], value, color=colour(index), linewidth=1.6, marker='o',
                  markersize=4, label=titled(policy))
        axes.axhline(found['on_expert_states'], color=colour(index), linestyle='--',
                     linewidth=1.0)
    axes.set(xlabel='steps, since the point before', xscale='log',
             ylabel='distance from the training set, sd')
    axes.set_xlim(left=1)
    axes.set_ylim(bottom=0)
    axes.legend(loc='best', fontsize=8)
    return as_svg(figure)


@styled
def after_first_mistake(summary: dict) -> str:
    """Draw the rate of mistakes by the steps since the first mistake."""
    figure, (axes,) = panels(1, width_in=7.2, height_in=3.4)
    for index, policy in enumerate(summary['policies']):
        shares = np.array([np.nan if one is None else one for one in policy['after_first']],
                          float)
        axes.plot(policy['after_first_at'], 100 * shares, color=colour(index), linewidth=1.6,
                  marker='o', markersize=4, label=titled(policy))
    axes.set(xlabel='steps after the first mistake, since the point before',
             ylabel='mistakes, %', ylim=(-2, 104), xscale='log')
    axes.set_xlim(left=1)
    axes.legend(loc='best', fontsize=8)
    return as_svg(figure)
