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

"""The figures of a run show its numbers: lines, bars and axes are read back from the drawing."""

from il_ros.reports import plots
from il_ros.reports.run_report import Filmstrip, report_html, rounds_table, timing_table
import made_up
from matplotlib.colors import to_hex
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    """Give the figure itself where its SVG is asked for."""
    monkeypatch.setattr(plots, 'as_svg', lambda figure: figure)


def lines(axes) -> dict[str, list]:
    """Return the points of each line that has a name of its own."""
    return {line.get_label(): [*zip(*map(np.ravel, line.get_data()))] for line in axes.lines
            if not line.get_label().startswith('_')}


def test_success_is_drawn_against_labels_with_its_interval():
    summary = made_up.summary()
    axes, = plots.success_figure(summary).axes
    bars = {one.get_label(): one for one in axes.containers}
    assert [*bars] == ['corrections', 'behavioural cloning']
    for name, labels, rates in (('corrections', [264, 334, 404], [44.0, 70.0, 96.5]),
                                ('behavioural cloning', [264, 410], [44.0, 74.0])):
        line, _, (whiskers,) = bars[name]
        assert line.get_xdata().tolist() == labels
        np.testing.assert_allclose(np.array(line.get_ydata(), float), rates)
        ends = np.array(whiskers.get_segments())[:, :, 1]
        policies = {264: summary['bc'], 410: summary['bc_same_labels'],
                    334: summary['rounds'][0], 404: summary['rounds'][1]}
        np.testing.assert_allclose(ends, [
            [100 * policies[of]['success'][end] for end in ('low', 'high')] for of in labels])
    expert, = [line for line in axes.lines if line.get_label() == 'expert']
    assert set(expert.get_ydata()) == {99.5} and to_hex(expert.get_color()) == plots.EXPERT
    band = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    np.testing.assert_allclose((band.y0, band.y1), [
        100 * summary['expert'][end] for end in ('low', 'high')])
    assert axes.get_xlim()[0] == 0 and axes.get_ylim() == (-2, 104)
    assert axes.get_xlabel() == 'labels of the expert' and axes.get_ylabel().endswith('%')


def test_who_was_not_judged_is_not_drawn():
    summary = {**made_up.summary(), 'expert': None, 'bc': None}
    summary['rounds'][0]['success'] = None
    axes, = plots.success_figure(summary).axes
    assert {one.get_label(): one[0].get_xdata().tolist() for one in axes.containers} == {
        'corrections': [410, 404], 'behavioural cloning': [410]}
    assert not axes.patches
    none = {**summary, 'rounds': [], 'bc_same_labels': None}
    assert not plots.success_figure(none).axes[0].containers


def test_mistakes_are_bars_by_round_and_sums_from_the_first_step():
    left, right = plots.mistakes(made_up.summary(), {'BC': (0.5, 1.5), 'last': (0.25,)}).axes
    assert [bar.get_x() + bar.get_width() / 2 for bar in left.patches] == [0, 1, 2]
    np.testing.assert_allclose([bar.get_height() for bar in left.patches], [31.0, 10.0, 10.0])
    assert left.get_xticks().tolist() == [0, 1, 2]
    assert [y for _, y in lines(left)['BC, same labels']] == [10.0, 10.0]
    assert left.get_legend() is not None
    assert lines(right) == {'BC': [(1, 0.5), (2, 1.5)], 'last': [(1, 0.25)]}
    assert right.get_xlim()[0] == right.get_ylim()[0] == 0
    assert [text.get_text() for text in right.get_legend().get_texts()] == ['BC', 'last']


@pytest.mark.parametrize('rate, drawn_', [(-1.0, False), (0.0, True)])
def test_mistakes_that_nobody_counted_are_not_drawn(rate, drawn_):
    summary = made_up.summary()
    for policy in (summary['bc_same_labels'], summary['rounds'][0]):
        policy['mistakes_per_step'] = rate
    left, right = plots.mistakes(summary, {}).axes
    assert len(left.patches) == 2 + drawn_
    assert ('BC, same labels' in lines(left)) == drawn_
    assert right.get_legend() is None
    summary['bc_same_labels'] = None
    assert not lines(plots.mistakes(summary, {}).axes[0])


def test_the_loss_stands_beside_the_success_of_the_same_rounds():
    summary = made_up.summary()
    summary['rounds'][0]['success'] = None
    summary['bc']['loss_held_out'] = 0.5
    left, right = plots.loss_beside_success(summary).axes
    assert [*zip(*left.lines[0].get_data())] == [(0, 0.5), (1, 0.02), (2, 0.02)]
    assert left.get_ylim() == (0, pytest.approx(0.55))
    np.testing.assert_allclose([*zip(*right.lines[0].get_data())], [(0, 44.0), (2, 96.5)])
    assert right.get_xticks().tolist() == [0, 2] and right.get_ylim() == (-2, 104)
    none = {**summary, 'bc': None, 'rounds': []}
    assert plots.loss_beside_success(none).axes[0].get_ylim() == (0, pytest.approx(1.1))


@pytest.mark.parametrize('last, ticks', [
    (11, [*range(12)]), (12, [*range(0, 13, 2)]), (40, [*range(0, 41, 5)])])
def test_many_rounds_have_a_tick_now_and_then(last, ticks):
    _, (axes,) = plots.panels(1, 2.0, 2.0)
    plots._whole_rounds(axes, [*range(last + 1)])
    assert axes.get_xticks().tolist() == ticks


def test_panels_stand_side_by_side():
    figure, axes = plots.panels(2, 9.0, 3.0)
    assert len(axes) == 2 and figure.get_size_inches().tolist() == [9.0, 3.0]
    assert axes[0].get_position().y0 == axes[1].get_position().y0


def test_a_drawing_has_the_style_of_the_reports_and_leaves_that_of_others_alone():
    from matplotlib import rcParams
    before = rcParams['axes.spines.top']
    assert plots.styled(lambda: rcParams['axes.spines.top'])() is False
    assert rcParams['axes.spines.top'] == before


@pytest.mark.parametrize('count, steps', [
    (1, [0]), (2, [0, 3]), (8, [3 * step for step in range(8)]),
    (9, [0, 3, 6, 9, 15, 18, 21, 24]), (20, [0, 9, 15, 24, 33, 42, 48, 57])])
def test_at_most_eight_frames_are_shown_from_the_first_to_the_last(count, steps):
    strip = Filmstrip('', '', [np.zeros((2, 2, 3), np.uint8)] * count,
                      range(0, 3 * count, 3))
    assert [step for step, _ in strip.shown] == steps


def test_the_table_of_rounds_shows_costs_and_leaves_out_what_was_not_measured():
    summary = made_up.summary()
    summary['rounds'][0].update(success=None, mistakes_per_step=-1.0, loss_held_out=-1.0,
                                epsilon={'k': 0, 'n': 0})
    summary['rounds'][1].update(mistakes_per_step=0.0, loss_held_out=0.0)
    table = rounds_table(summary)
    assert table.rows[0] == ('expert', *[''] * 7, '99.5 % of 200', '97-100', '', '', '')
    assert table.rows[1] == ('BC, 10 demonstrations', '264', *[''] * 6, '44 % of 200', '37-51',
                             '31.0', '0.0200', '9/262')
    assert table.rows[2] == ('corrections, round 1', '334', '594', '260', '70', '260', '8', '1',
                             '', '', '', '', '')
    assert table.rows[3][-3:] == ('0.0', '0.0000', '9/262')
    assert table.classes == ['', 'bc', '', 'last', 'bc']


def test_shares_of_the_time_are_of_the_whole_run():
    table = timing_table({**made_up.summary(), 'wall_s': 200.0,
                          'timing': {'expert': 50.0, 'train': 100.0}})
    assert table.rows == [('expert', '50.0', '25 %'), ('train', '100.0', '50 %'),
                          ('other', '50.0', '25 %'), ('all', '200.0', '')]
    assert table.bars == [0.25, 0.5, 0.25, 0.0]
    assert table.notes == ('812 control steps per second while episodes ran.',)
    late = timing_table({**made_up.summary(), 'wall_s': 10.0, 'timing': {'train': 12.0}})
    assert late.rows[1] == ('other', '0.0', '0 %')
    none = timing_table({**made_up.summary(), 'wall_s': 0.0, 'timing': {'train': 0.0}})
    assert none.rows[0] == ('train', '0.0', '') and none.bars == [0.0, 0.0, 0.0]


def test_the_page_begins_with_the_rates_of_those_who_were_judged(monkeypatch):
    given = {}
    monkeypatch.setattr('il_ros.reports.run_report.render',
                        lambda _, **values: given.update(values))
    summary = {**made_up.summary(), 'bc': None}
    report_html(summary, notes=('A note.',))
    assert given['tiles'] == [('99.5 %', 'expert'),
                              ('96.5 %', 'corrections, last round, 404 labels'),
                              ('74 %', 'BC with the same labels, 410 labels')]
    assert given['findings'][-1] == 'A note.' and len(given['findings']) > 1
    assert given['subtitle'] == 'horizon 80 steps, seed 0, 161 s in all'
    summary['rounds'][-1]['success'] = None
    report_html({**summary, 'rounds': [], 'expert': None})
    assert given['tiles'] == [('74 %', 'BC with the same labels, 410 labels')]
