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

"""Figures of recordings show who drove where, which labels there are and where drivers differ."""

from pathlib import Path

from il_ros.contract.episode_spec import EXPERT, HOLD, POLICY
from il_ros.errors import NoSuchEpisodeError
from il_ros.reports import recordings as figures
from il_ros.reports.recordings import COLOURS, disagreements, Picture, write_plots
from matplotlib.colors import to_hex
import numpy as np
import pytest
from recordings import action, executed, messages, record, spec

DRIVERS = [POLICY] * 5 + [EXPERT] * 4 + [POLICY] * 3


@pytest.fixture
def drawn(monkeypatch) -> list:
    """Return the figures, in the order in which they are drawn; none is painted."""
    found = []
    monkeypatch.setattr(figures, '_picture',
                        lambda figure: (found.append(figure), Picture('<svg/>', b'png'))[1])
    return found


def recorded(folder: Path, count: int = 3, drivers=DRIVERS) -> list[Path]:
    """Record episodes of twelve steps, with an expert's answer at each."""
    found = []
    for seed in range(count):
        of = spec(f'rollout-r01-{seed:06d}', seed=seed)
        found.append(record(folder / 'episodes', of, messages(of, 12, drivers)))
    return found


def points(line) -> list:
    """Return the points of a line."""
    return [*zip(*map(np.ravel, line.get_data()))]


@pytest.mark.parametrize('most, shown', [
    (0, 5), (1, 1), (2, 2), (5, 5), (40, 5)])
def test_so_many_episodes_are_shown_spread_over_all(tmp_path, drawn, most, shown):
    files, read = recorded(tmp_path, 5), []
    written = write_plots('demo', files, tmp_path / 'deep' / 'plots', most=most,
                          progress=lambda paths: read.extend(paths) or paths)
    assert len(read) == shown and read[0] == files[0] and (shown == 1 or read[-1] == files[-1])
    first = files[0].stem
    assert written == ['paths.png', 'who_drove.png', 'disagreement.png',
                       f'actions_{first}.png', 'plots.html']
    page = (tmp_path / 'deep' / 'plots' / 'plots.html').read_text()
    assert f'{shown} of 5 episodes' in page
    assert f'{shown} takeover' in page


def test_the_episodes_that_are_named_have_their_actions_drawn(tmp_path, drawn):
    files = recorded(tmp_path)
    ids = [files[2].stem, files[1].stem]
    written = write_plots('demo', files, tmp_path, ids)
    assert written[3:5] == [f'actions_{name}.png' for name in ids] and len(drawn) == 5
    with pytest.raises(NoSuchEpisodeError, match='demo has no episode x; the first is roll'):
        write_plots('demo', files, tmp_path, ['x'])


def test_paths_are_coloured_by_the_driver_seen_from_above_and_from_the_side(tmp_path, drawn):
    write_plots('demo', recorded(tmp_path, 1), tmp_path)
    above, side = drawn[0].axes
    tool = [line for line in above.lines if len(line.get_xdata()) > 1]
    assert [to_hex(line.get_color()) for line in tool] == [
        COLOURS[POLICY], COLOURS[EXPERT], COLOURS[POLICY]]
    # x is the step, y the seed, z a quarter.
    assert [line.get_xdata().tolist() for line in tool] == [
        [0, 1, 2, 3, 4, 5], [5, 6, 7, 8, 9], [9, 10, 11, 12]]
    assert {y for line in tool for y in line.get_ydata()} == {0}
    assert {y for line in side.lines for y in line.get_ydata()} == {0.25, 1.0}
    goal, = [line for line in above.lines if line.get_marker() == 'x' and len(line.get_xdata())]
    assert points(goal) == [(-12, 0.5)]
    assert (above.get_xlabel(), above.get_ylabel()) == ('x, m', 'y, m')
    assert (side.get_xlabel(), side.get_ylabel()) == ('x, m', 'z, m')
    assert [text.get_text() for text in above.get_legend().get_texts()] == [
        'tool, expert', 'tool, policy', 'object', 'goal']


def test_who_drove_has_a_row_an_episode_and_a_mark_a_takeover(tmp_path, drawn):
    write_plots('demo', recorded(tmp_path, 2), tmp_path)
    plot, = drawn[1].axes
    bars = [(bar.get_x(), bar.get_width(), round(bar.get_y() + bar.get_height() / 2),
             to_hex(bar.get_facecolor())) for bar in plot.patches if bar.get_width()]
    assert bars == [(start, steps, row, COLOURS[who]) for row in (0, 1) for start, steps, who in (
        (0, 5, POLICY), (5, 4, EXPERT), (9, 3, POLICY))]
    assert [points(line) for line in plot.lines] == [[(5, 0)], [(5, 1)]]
    bottom, top = plot.get_ylim()
    assert 1.5 <= bottom < 2 and -1 < top <= -0.5
    assert len(plot.get_legend().get_texts()) == 2


def test_actions_are_drawn_with_their_labels_and_their_driver(tmp_path, drawn):
    path, = recorded(tmp_path, 1)
    write_plots('demo', [path], tmp_path)
    first, second = drawn[3].axes
    for plot, value in ((first, -0.2), (second, 0.3)):
        line, labels = plot.lines
        assert line.get_xdata().tolist() == [*range(12)]
        np.testing.assert_allclose(line.get_ydata(), [value] * 12, rtol=1e-6)
        assert labels.get_xdata().tolist() == [*range(12)]
    np.testing.assert_allclose(second.lines[1].get_ydata(), np.arange(12) / 100, rtol=1e-6)
    np.testing.assert_allclose(first.lines[1].get_ydata(), [0.1] * 12, rtol=1e-6)
    assert [to_hex(span.get_facecolor()) for span in first.patches] == [
        COLOURS[POLICY], COLOURS[EXPERT], COLOURS[POLICY]]
    assert first.get_ylabel() == 'linear_x\nm/s' and first.get_legend() is not None
    assert drawn[3].get_size_inches()[1] > 2 * 1.5


def test_policy_and_label_are_apart_by_their_largest_share_of_the_range(tmp_path):
    of = spec()
    wire = messages(of)
    for step, candidates in ((1, []), (2, [action(EXPERT, (0.1, 0.1))]),
                             (3, [action(POLICY, (0.1, 0.1))]),
                             (4, [action(EXPERT, (0.5, -0.5)), action(POLICY, (0.9, -0.5))])):
        wire[3 * step + 2] = ('executed', executed(of, step, candidates=candidates))
    path = record(tmp_path, of, wire)
    apart = disagreements(figures.Recorded(*figures.training_episode(path)))
    np.testing.assert_allclose(apart, [0.3, np.nan, np.nan, np.nan, 0.0, *[0.3] * 7], atol=1e-6)


def test_the_median_of_all_episodes_is_drawn_where_anything_is_known(tmp_path, drawn):
    short, long = spec('rollout-r01-000001'), spec('rollout-r01-000002')
    wire = [m if m[0] != 'executed' else ('executed', executed(
        long, index // 3, candidates=[action(EXPERT, (0.0, 0.0)), action(POLICY, (0.5, 0.0))]))
        for index, m in enumerate(messages(long, 14))]
    paths = [record(tmp_path / 'e', short, messages(short, 12)),
             record(tmp_path / 'e', long, wire)]
    write_plots('demo', paths, tmp_path)
    plot, = drawn[2].axes
    median, = [line for line in plot.lines if line.get_label() == 'median']
    most, = [line for line in plot.lines if line.get_label() == '90th percentile']
    assert median.get_xdata().tolist() == most.get_xdata().tolist() == [*range(14)]
    np.testing.assert_allclose(median.get_ydata(), [*[0.4] * 12, 0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(most.get_ydata(), [*[0.48] * 12, 0.5, 0.5], atol=1e-6)
    assert plot.get_ylim()[0] == 0 and 1 < plot.get_ylim()[1] < 1.1 and not plot.texts
    assert plot.get_legend() is not None


def test_where_nothing_is_known_of_the_disagreement_it_says_so(tmp_path, drawn):
    of = spec()
    wire = [m if m[0] != 'executed' else ('executed', executed(
        of, index // 3, HOLD, candidates=[])) for index, m in enumerate(messages(of))]
    write_plots('demo', [record(tmp_path / 'e', of, wire)], tmp_path)
    plot, = drawn[2].axes
    assert 'no step has both' in plot.texts[0].get_text() and plot.get_legend() is None
    assert plot.texts[0].get_position() == (0.5, 0.5)


def test_the_pictures_of_equal_episodes_are_equal(tmp_path):
    files = recorded(tmp_path, 1)
    one, two = ({name: (tmp_path / folder / name).read_bytes()
                 for name in write_plots('demo', files, tmp_path / folder)}
                for folder in ('one', 'two'))
    assert one == two and one['paths.png'].startswith(b'\x89PNG')
    assert one['plots.html'].count(b'<svg') + one['plots.html'].count(b'image/svg+xml') >= 4


def test_forty_episodes_are_shown_unless_told_otherwise_in_a_figure_that_grows(
        tmp_path, drawn, monkeypatch):
    path, = recorded(tmp_path, 1, [POLICY] * 12)
    one, read = figures.training_episode(path), []
    monkeypatch.setattr(figures, 'training_episode', lambda path: read.append(path) or one)
    heights = []
    for count, most in ((1, 40), (20, 40), (41, 40), (52, 0)):
        drawn.clear()
        words = {} if most else {'most': 0}
        write_plots('demo', [Path(f'e-{number}.mcap') for number in range(count)], tmp_path,
                    **words)
        heights.append(drawn[1].get_size_inches()[1])
        assert len(read) == (min(count, 40) if most else count)
        read.clear()
    assert 1.0 < heights[0] < 2.0 and heights[0] + 2.5 < heights[1] < heights[2] < heights[3]
    assert heights[3] == 9.0, 'no figure is higher than a page'
