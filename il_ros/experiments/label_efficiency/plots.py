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

"""Figures of a study, as SVG text."""

from typing import Mapping, Sequence

from il_ros.experiments.error_growth.plots import COLOURS, PANELS
from il_ros.experiments.label_efficiency.analysis import median_line, SHARE
from il_ros.experiments.label_efficiency.points import Curves, in_rounds, learner_labels, Point
from il_ros.reports.plots import as_svg, CLONING, EXPERT, panels, styled
import numpy as np

AXES = {'labels': 'labels of the expert', 'expert_driven_steps': 'steps that the expert drove',
        'queries': 'answers of the expert, used or not'}
"""Costs that success is drawn against, with their labels."""

MARKERS = 'osD^vP*X'
"""Markers of the training seeds."""


SHADES = (*(one for one in COLOURS if one != CLONING), '#b2a100')
"""Colours of the methods in their order; BC has its own."""


def colour(at: int) -> str:
    """Return the colour of the method with an index."""
    return SHADES[at % len(SHADES)]


@styled
def success_against(curves: Curves, pairs: Sequence[tuple[str, str]], first: int, key: str,
                    expert: dict) -> str:
    """
    Draw success against a cost for up to ``PANELS`` ways, each over its BC.

    :param pairs: all ways, each with the BC that learned as it does
    :param first: index of the first method that is drawn
    :param key: of ``AXES``
    """
    shown = pairs[first:first + PANELS]
    figure, row = panels(len(shown), width_in=max(5.0, 3.5 * len(shown)), height_in=3.6)
    for at, (axes, (method, cloned)) in enumerate(zip(row, shown), start=first):
        if cloned in curves:
            _curves(axes, curves[cloned], key, CLONING, cloned)
        _curves(axes, curves[method], key, colour(at), method)
        _target(axes, expert)
        axes.set(title=method, xlabel=AXES[key], ylim=(-2, 104))
        _doublings(axes, [getattr(point, key) for name in (method, cloned) if name in curves
                          for curve in curves[name].values() for point in curve])
        axes.legend(loc='lower right', fontsize=7.5)
    row[0].set_ylabel('success in held-out episodes, %')
    return as_svg(figure)


def _curves(axes, by_seed: Mapping[int, Sequence[Point]], key: str, shade: str, name: str):
    for marker, curve in zip(MARKERS * len(by_seed), by_seed.values()):
        at = [getattr(point, key) for point in curve]
        rates = [point.success for point in curve]
        ends = [[100 * max(0.0, one.rate - one.low) for one in rates],
                [100 * max(0.0, one.high - one.rate) for one in rates]]
        axes.errorbar(at, [100 * one.rate for one in rates], yerr=ends, color=shade, alpha=0.35,
                      marker=marker, markersize=3.5, linestyle='', elinewidth=0.8)
    _seeds(axes, by_seed, key, shade)
    axes.plot(*median_line(by_seed, key), color=shade, linewidth=2.0, label=name)


def _seeds(axes, by_seed: Mapping[int, Sequence[Point]], key: str, shade: str):
    """Draw the curve of each training seed as a thin line."""
    for curve in by_seed.values():
        axes.plot([getattr(point, key) for point in curve],
                  [100 * point.success.rate for point in curve], color=shade, linewidth=0.6,
                  alpha=0.5)


def _target(axes, expert: dict):
    axes.axhline(100 * expert['rate'], color=EXPERT, linestyle='--', linewidth=1.0,
                 label='expert')
    axes.axhline(100 * SHARE * expert['rate'], color=EXPERT, linestyle=':', linewidth=1.0,
                 label=f'{round(100 * SHARE)} % of it')


def _doublings(axes, values: Sequence[int]):
    """Give the axis a logarithmic scale with a tick at each doubling of the least value."""
    from matplotlib.ticker import FixedLocator, NullLocator
    least, most = max(1, min(values)), max(values)
    ticks = least * 2.0 ** np.arange(np.ceil(np.log2(most / least)) + 1)
    axes.set_xscale('log', base=2)
    axes.xaxis.set_major_locator(FixedLocator(ticks.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks, [f'{tick:,.0f}' for tick in ticks], fontsize=8, rotation=30)


@styled
def medians(curves: Curves, pairs: Sequence[tuple[str, str]], expert: dict) -> str:
    """Draw all methods in one plot, against labels: medians, and thin lines of the seeds."""
    figure, (axes,) = panels(1, width_in=7.2, height_in=4.0)
    for name in dict.fromkeys(cloned for _, cloned in pairs if cloned in curves):
        _seeds(axes, curves[name], 'labels', CLONING)
        axes.plot(*median_line(curves[name], 'labels'), color=CLONING, linewidth=2.2, label=name,
                  linestyle='-' if name == pairs[0][1] else '-.')
    for at, (method, _) in enumerate(pairs):
        _seeds(axes, curves[method], 'labels', colour(at))
        axes.plot(*median_line(curves[method], 'labels'), color=colour(at), linewidth=1.8,
                  marker=MARKERS[at % len(MARKERS)], markersize=4.5, label=method)
    _target(axes, expert)
    axes.set(xlabel=AXES['labels'], ylabel='success in held-out episodes, %', ylim=(-2, 104))
    _doublings(axes, [point.labels for by_seed in curves.values() for curve in by_seed.values()
                      for point in curve])
    axes.legend(loc='lower right', fontsize=8)
    return as_svg(figure)


@styled
def loss_against_success(curves: Curves, pairs: Sequence[tuple[str, str]]) -> str:
    """Draw loss and mistakes on the expert's held-out states against success, a dot a fit."""
    figure, (left, right) = panels(2, width_in=9.6, height_in=3.8)
    shades = {method: colour(at) for at, (method, _) in enumerate(pairs)}
    for name, by_seed in curves.items():
        points = [point for curve in by_seed.values() for point in curve]
        style = {'color': shades.get(name, CLONING), 'marker': 'x' if name not in shades else 'o',
                 's': 18, 'alpha': 0.7, 'label': name}
        known = [point for point in points if point.loss_held_out >= 0.0]
        left.scatter([point.loss_held_out for point in known],
                     [100 * point.success.rate for point in known], **style)
        measured = [point for point in points if point.epsilon_states]
        right.scatter([100 * point.epsilon_mistakes / point.epsilon_states for point in measured],
                      [100 * point.success.rate for point in measured], **style)
    left.set(xlabel='loss on held-out demonstrations', ylabel='success, %', ylim=(-2, 104))
    right.set(xlabel='mistakes in 100 held-out states of the expert', ylim=(-2, 104))
    left.legend(loc='best', fontsize=7.5)
    return as_svg(figure)


@styled
def state_source(curves: Curves, pairs: Sequence[tuple[str, str]]) -> str:
    """Draw, round by round, labels on learner states and the share that the expert drove."""
    figure, (left, right) = panels(2, width_in=9.6, height_in=3.4)
    for at, (method, _) in enumerate(pairs):
        found = list(curves[method].values())
        last = min(len(curve) for curve in found)
        ratios = [np.median([learner_labels(curve[:upto]) / max(1, curve[0].labels)
                             for curve in found]) for upto in range(1, last + 1)]
        shares = [np.median([_share(curve, upto) for curve in found]) for upto in range(1, last)]
        style = {'color': colour(at), 'marker': MARKERS[at % len(MARKERS)], 'markersize': 4.5,
                 'linewidth': 1.6, 'label': method}
        left.plot(range(last), ratios, **style)
        right.plot(range(1, last), [100 * share for share in shares], **style)
    left.set(xlabel='round', ylabel='labels on learner states\nto demonstration labels')
    right.set(xlabel='round', ylabel='driven by the expert, %', ylim=(-2, 104))
    left.legend(loc='best', fontsize=8)
    return as_svg(figure)


def _share(curve: Sequence[Point], upto: int) -> float:
    one = curve[:upto + 1]
    expert, policy = (in_rounds(one, key, upto)
                      for key in ('expert_driven_steps', 'policy_driven_steps'))
    return expert / max(1, expert + policy)
