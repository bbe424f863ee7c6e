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

"""Figures of recorded episodes, as PNG files and as one page that shows them all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
import dataclasses
import io
from pathlib import Path

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import DRIVER_NAMES, EXPERT, HOLD, POLICY, TELEOP
from il_ros.dataset.dataset import training_episode
from il_ros.episodes.episode import Episode
from il_ros.episodes.labels import Labels, takeover_steps, takeovers
from il_ros.errors import NoSuchEpisodeError
from il_ros.files.atomic import write_atomically
from il_ros.reports.page import render
from il_ros.reports.plots import as_svg, CLONING, EXPERT as EXPERT_COLOUR, LOOP, panels, styled
from il_ros.reports.wording import counted
import numpy as np

PAGE = 'plots.html'
COLOURS = {HOLD: '#c3c9ce', EXPERT: EXPERT_COLOUR, POLICY: LOOP, TELEOP: CLONING}
TOOL, GOAL = 'tool_position', 'goal_position'


@dataclasses.dataclass(frozen=True)
class Picture:
    """One figure, for a page and for a file."""

    svg: str
    png: bytes


@dataclasses.dataclass(frozen=True)
class Recorded:
    """An episode with all its labels."""

    episode: Episode
    labels: Labels


def write_plots(run: str, files: Sequence[Path], output: Path, ids: Sequence[str] = (),
                most: int = 40, progress: Callable[[Sequence], Iterable] = iter) -> list[str]:
    """
    Draw recorded episodes into a folder, replacing what an earlier call drew.

    :param files: of the episodes
    :param ids: episodes whose actions are drawn; none: the first episode
    :param most: episodes in the figures of many, spread over all; 0: all
    :returns: names of the files that were written, the page last
    :raises NoSuchEpisodeError: naming an id that is not among the episodes
    :raises EpisodeFileError: naming the file that is missing or damaged
    """
    by_id = {path.stem: path for path in files}
    for name in ids:
        if name not in by_id:
            raise NoSuchEpisodeError(f'{run} has no episode {name}; the first is {files[0].stem}')
    count = min(most or len(files), len(files))
    shown = [files[index] for index in np.unique(np.linspace(0, len(files) - 1, count).round()
                                                 .astype(int))]
    recorded = [Recorded(*training_episode(path)) for path in progress(shown)]
    single = [Recorded(*training_episode(by_id[name])) for name in ids] or recorded[:1]
    figures = {'paths': _paths(recorded), 'who_drove': _who_drove(recorded),
               'disagreement': _disagreement(recorded)}
    actions = {one.episode.spec.episode_id: _actions(one) for one in single}
    page = render(
        'recordings.html.j2', title=f'Recordings of {run}',
        subtitle=f'{len(recorded)} of {len(files)} episodes',
        takeovers=counted(sum(takeovers(one.episode.driver) for one in recorded), 'takeover'),
        figures={name: one.svg for name, one in figures.items()},
        actions={name: one.svg for name, one in actions.items()})
    written = {
        **{f'{name}.png': one.png for name, one in figures.items()},
        **{f'actions_{name}.png': one.png for name, one in actions.items()},
        PAGE: page.encode()}
    Path(output).mkdir(parents=True, exist_ok=True)
    for name, content in written.items():
        write_atomically(Path(output) / name, content)
    return [*written]


def _picture(figure) -> Picture:
    data = io.BytesIO()
    figure.savefig(data, format='png', dpi=120, metadata={'Software': None})
    return Picture(as_svg(figure), data.getvalue())


@styled
def _paths(recorded: Sequence[Recorded]) -> Picture:
    """Draw the paths of tool and objects, from above and from the side."""
    figure, axes = panels(2, width_in=9.6, height_in=4.4)
    for plot, (across, up), title in zip(axes, ((0, 1), (0, 2)), ('From above', 'From the side')):
        for one in recorded:
            _tool_path(plot, one.episode, across, up)
            _objects(plot, one.episode, across, up)
        plot.set(title=title, xlabel=f'{"xyz"[across]}, m', ylabel=f'{"xyz"[up]}, m')
        plot.set_aspect('equal', adjustable='datalim')
    for who in _drivers(recorded):
        axes[0].plot([], [], color=COLOURS[who], label=f'tool, {DRIVER_NAMES[who]}')
    axes[0].plot([], [], color='#009e73', linestyle=':', label='object')
    axes[0].plot([], [], color='#cc79a7', marker='x', linestyle='', label='goal')
    axes[0].legend(fontsize=8)
    return _picture(figure)


def _values(episode: Episode, name: str) -> np.ndarray | None:
    names = [feature.name for feature in episode.contract.features]
    return episode.contract.values(episode.observations, name) if name in names else None


def _tool_path(plot, episode: Episode, across: int, up: int):
    tool = _values(episode, TOOL)
    if tool is None or not episode.steps:
        return
    for start, stop, colour in _spans(episode.driver):
        plot.plot(tool[start:stop + 1, across], tool[start:stop + 1, up], linewidth=0.9,
                  alpha=0.7, color=colour)


def _objects(plot, episode: Episode, across: int, up: int):
    for feature in episode.contract.features:
        if feature.unit != 'm' or feature.elements[:3] != ('x', 'y', 'z'):
            continue
        values = _values(episode, feature.name)
        if values is None:
            continue
        if feature.name == GOAL:
            plot.plot(values[-1, across], values[-1, up], 'x', color='#cc79a7', markersize=5)
        elif feature.name != TOOL:
            plot.plot(values[:, across], values[:, up], ':', color='#009e73', linewidth=0.9)


@styled
def _actions(one: Recorded) -> Picture:
    """Draw the executed actions of an episode and its labels, a panel for each element."""
    from matplotlib.figure import Figure
    elements = one.episode.contract.actions
    figure = Figure(figsize=(9.6, 1.7 * len(elements) + 0.5), layout='constrained')
    axes = figure.subplots(len(elements), 1, squeeze=False, sharex=True)[:, 0]
    steps = np.arange(one.episode.steps)
    for index, (plot, element) in enumerate(zip(axes, elements)):
        for start, stop, colour in _spans(one.episode.driver):
            plot.axvspan(start, stop, color=colour, alpha=0.15, linewidth=0)
        plot.step(steps, one.episode.executed[:, index], where='post', color='#1c2329',
                  linewidth=1.1, label='executed')
        valid = one.labels.valid
        plot.plot(steps[valid], one.labels.actions[valid, index], '.', color=CLONING,
                  markersize=4, label='label')
        plot.set_ylabel(f'{element.name}\n{element.unit}', fontsize=8)
    axes[0].legend(fontsize=8, ncols=2)
    axes[-1].set_xlabel('step; the background shows the driver')
    return _picture(figure)


def _spans(driver: np.ndarray) -> Iterator[tuple[int, int, str]]:
    """Yield first step, end and colour of each stretch with one driver."""
    edges = [0, *(np.flatnonzero(np.diff(driver)) + 1).tolist(), len(driver)]
    for start, stop in zip(edges[:-1], edges[1:]):
        if stop > start:
            yield start, stop, COLOURS[int(driver[start])]


def _drivers(recorded: Sequence[Recorded]) -> list[int]:
    return sorted({int(who) for one in recorded for who in np.unique(one.episode.driver)})


@styled
def _who_drove(recorded: Sequence[Recorded]) -> Picture:
    """Draw the driver of each step of each episode, with a mark at each takeover."""
    figure, (plot,) = panels(1, width_in=9.6, height_in=min(1.2 + 0.16 * len(recorded), 9.0))
    for row, one in enumerate(recorded):
        for start, stop, colour in _spans(one.episode.driver):
            plot.barh(row, stop - start, left=start, height=0.85, linewidth=0, color=colour)
        for step in takeover_steps(one.episode.driver):
            plot.plot(step, row, marker='v', color='#000000', markersize=3.5)
    for who in _drivers(recorded):
        plot.barh([0], [0], color=COLOURS[who], label=DRIVER_NAMES[who])
    plot.set(xlabel='step', ylabel='episode', ylim=(len(recorded) - 0.4, -0.6))
    plot.yaxis.get_major_locator().set_params(integer=True)
    plot.grid(visible=False)
    plot.legend(fontsize=8)
    return _picture(figure)


def disagreements(one: Recorded) -> np.ndarray:
    """
    Return the disagreement of policy and label, shape ``(T,)``; NaN: one is missing.

    The largest difference of an element, as a share of its accepted range.
    """
    episode, contract = one.episode, one.episode.contract
    known = one.labels.valid & episode.policy.valid
    apart = np.abs(_shares(episode.policy.actions, contract)
                   - _shares(one.labels.actions, contract)).max(axis=1, initial=0.0)
    return np.where(known, apart, np.nan)


def _shares(values: np.ndarray, contract: Contract) -> np.ndarray:
    return (contract.clip(values) - contract.lower) / (contract.upper - contract.lower)


@styled
def _disagreement(recorded: Sequence[Recorded]) -> Picture:
    """Draw the disagreement of policy and label by step: episodes, median, 90th percentile."""
    figure, (plot,) = panels(1, width_in=9.6, height_in=3.2)
    curves = [disagreements(one) for one in recorded]
    longest = max((len(curve) for curve in curves), default=0)
    table = np.full((len(curves), longest), np.nan)
    for row, curve in zip(table, curves):
        row[:len(curve)] = curve
        plot.plot(curve, color=LOOP, alpha=0.18, linewidth=0.7)
    known = np.flatnonzero(np.isfinite(table).any(axis=0)) if longest else np.zeros(0, int)
    for share, style, name in ((50, '-', 'median'), (90, '--', '90th percentile')):
        if known.size:
            plot.plot(known, np.nanpercentile(table[:, known], share, axis=0), style,
                      color=CLONING, linewidth=1.6, label=name)
    if known.size:
        plot.legend(fontsize=8)
    else:
        plot.text(0.5, 0.5, 'no step has both an action of the policy and a label',
                  ha='center', va='center', transform=plot.transAxes)
    plot.set(xlabel='step', ylabel='policy and label apart,\nshare of the range', ylim=(0, 1.02))
    return _picture(figure)
