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

"""Figures of a run, as SVG text; matplotlib is loaded when one is drawn."""

import functools
import io
from typing import Any, Callable, cast, Mapping, Sequence, TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawing = TypeVar('Drawing')

LOOP, CLONING, EXPERT = '#0072b2', '#d55e00', '#5f6b76'
"""Colours that stay apart for colour-blind readers (Okabe and Ito)."""

_STYLE = {'font.size': 10, 'axes.spines.top': False, 'axes.spines.right': False,
          'axes.grid': True, 'grid.color': '#e4e7ea', 'axes.axisbelow': True,
          'axes.edgecolor': '#8a949e', 'svg.hashsalt': 'il_ros', 'legend.frameon': False,
          'axes.titlesize': 11, 'axes.titleweight': 'bold', 'axes.titlelocation': 'left'}


def styled(draw: Callable[..., Drawing]) -> Callable[..., Drawing]:
    """Decorate a drawing function to use the style of the reports."""
    @functools.wraps(draw)
    def drawn(*args) -> Drawing:
        from matplotlib import rc_context
        with rc_context(cast(Any, _STYLE)):
            return draw(*args)
    return drawn


@styled
def success_against_labels(summary: dict) -> str:
    """Draw ``success_figure`` as SVG."""
    return as_svg(success_figure(summary))


@styled
def success_figure(summary: dict) -> 'Figure':
    """Draw success with 95 % intervals against labels: the rounds, BC twice, the expert."""
    figure, (axes,) = panels(1, width_in=7.2, height_in=4.0)
    loop = [policy for policy in summary['rounds'] if policy['success']]
    cloned = [policy for policy in (summary['bc'], summary['bc_same_labels'])
              if policy and policy['success']]
    # BC is where the loop begins: its line starts there too.
    _success_line(axes, [*cloned[:1], *loop], LOOP, summary['strategy'], 'o')
    _success_line(axes, cloned, CLONING, 'behavioural cloning', 's')
    _ceiling(axes, summary['expert'])
    axes.set(xlabel='labels of the expert', ylabel='success in held-out episodes, %',
             ylim=(-2, 104))
    axes.set_xlim(left=0)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc='lower right')
    return figure


def _success_line(axes, policies: Sequence[dict], colour: str, label: str, marker: str):
    if not policies:
        return
    labels = [policy['labels'] for policy in policies]
    rate, low, high = ([100 * policy['success'][key] for policy in policies]
                       for key in ('rate', 'low', 'high'))
    below = [max(0.0, middle - end) for middle, end in zip(rate, low)]
    above = [max(0.0, end - middle) for middle, end in zip(rate, high)]
    axes.errorbar(labels, rate, yerr=(below, above), color=colour, label=label, marker=marker,
                  markersize=5, capsize=3, linewidth=1.6, elinewidth=1.0)


def _ceiling(axes, expert: dict | None):
    if expert:
        axes.axhspan(100 * expert['low'], 100 * expert['high'], color=EXPERT, alpha=0.15,
                     linewidth=0)
        axes.axhline(100 * expert['rate'], color=EXPERT, linestyle='--', linewidth=1.2,
                     label='expert')


@styled
def mistakes(summary: dict, curves: Mapping[str, Sequence[float]]) -> str:
    """
    Draw mistakes on the policy's own states: rate by round, and sum over an episode.

    :param curves: ``J(t)`` by name, t = 1, 2, ...
    """
    figure, (left, right) = panels(2, width_in=9.6, height_in=3.6)
    rounds, values = _by_round(summary, 'mistakes_per_step')
    left.bar(rounds, [100 * value for value in values], color=LOOP, width=0.6)
    baseline = summary['bc_same_labels']
    if baseline and baseline['mistakes_per_step'] >= 0.0:
        left.axhline(100 * baseline['mistakes_per_step'], color=CLONING, linestyle='--',
                     label='BC, same labels')
        left.legend()
    left.set(title='By round (0: BC)', xlabel='round', ylabel='mistakes in 100 steps')
    _whole_rounds(left, rounds)
    colours = (EXPERT, LOOP, CLONING)
    for (name, curve), colour in zip(curves.items(), colours):
        right.plot(range(1, len(curve) + 1), curve, label=name, color=colour, linewidth=1.6)
    right.set(title='Sum over an episode', xlabel='step t',
              ylabel='J(t): mean mistakes up to t')
    right.set_xlim(left=0)
    right.set_ylim(bottom=0)
    if curves:
        right.legend()
    return as_svg(figure)


@styled
def loss_beside_success(summary: dict) -> str:
    """Draw the loss on the expert's held-out states beside success, round by round."""
    figure, (left, right) = panels(2, width_in=9.6, height_in=3.2)
    rounds, losses = _by_round(summary, 'loss_held_out')
    left.plot(rounds, losses, color=LOOP, marker='o', markersize=5)
    left.set(title='Loss on held-out states of the expert', xlabel='round', ylabel='loss')
    left.set_ylim(0, 1.1 * max(losses, default=1.0) or 1.0)
    _whole_rounds(left, rounds)
    policies = [policy for policy in (summary['bc'], *summary['rounds'])
                if policy and policy['success']]
    rounds = [policy.get('round', 0) for policy in policies]
    right.plot(rounds, [100 * policy['success']['rate'] for policy in policies], color=LOOP,
               marker='o', markersize=5)
    right.set(title='Success in held-out episodes', xlabel='round', ylabel='%', ylim=(-2, 104))
    _whole_rounds(right, rounds)
    return as_svg(figure)


def _by_round(summary: dict, key: str) -> tuple[list[int], list[float]]:
    policies = [policy for policy in (summary['bc'], *summary['rounds'])
                if policy and policy[key] >= 0.0]
    return [policy.get('round', 0) for policy in policies], [policy[key] for policy in policies]


def _whole_rounds(axes, rounds: list[int]):
    axes.set_xticks(rounds if len(rounds) <= 12 else rounds[::len(rounds) // 10 + 1])


def panels(count: int, width_in: float, height_in: float):
    """Return a figure with so many plots side by side, and their axes."""
    # The object itself, not pyplot: nothing global is touched and no window can open.
    from matplotlib.figure import Figure
    figure = Figure(figsize=(width_in, height_in), layout='constrained')
    return figure, figure.subplots(1, count, squeeze=False)[0]


def as_svg(figure) -> str:
    """Return the figure as SVG text, equal for equal figures."""
    text = io.StringIO()
    figure.savefig(text, format='svg', metadata={'Date': None})
    return text.getvalue()
