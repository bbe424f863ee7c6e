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

"""``report.html``: whole, self-contained, and safe with whatever it is given."""

import base64
import re

from il_ros.reports import plots
from il_ros.reports.run_report import faults_table, Filmstrip, report_html
import made_up
import numpy as np
from page_reader import Page
import pytest

CURVES = {'BC': (0.3, 0.6, 0.9), 'corrections, round 2': (0.1, 0.1, 0.2)}


@pytest.fixture(scope='module')
def html() -> str:
    """Return the report of a made-up run with a filmstrip of twenty frames."""
    frames = [np.full((12, 16, 3), 10 * step, np.uint8) for step in range(20)]
    strip = Filmstrip('BC <fails>', 'Seed 1000003', frames, range(0, 80, 4))
    return report_html(made_up.summary(), CURVES, [strip], ['Rounds < 2 & "so".'])


@pytest.fixture(scope='module')
def page(html) -> Page:
    """Return the parsed report."""
    return Page(html)


def test_every_tag_is_closed(page):
    assert page.open == []


def test_nothing_outside_the_file_is_referred_to(page, html):
    assert page.sources
    assert all(source.startswith('data:image/') for source in page.sources)
    assert not re.search(r'url\(|@import|<script|<link', html)


def test_three_figures_and_eight_frames_are_embedded(page):
    kinds = [source.split(';')[0] for source in page.sources]
    assert kinds.count('data:image/svg+xml') == 3
    assert kinds.count('data:image/png') == 8


def test_a_filmstrip_shows_its_first_and_its_last_frame(page):
    text = ' '.join(page.text)
    assert 'step 0' in text and 'step 76' in text


def test_pictures_are_pictures(page):
    png = next(source for source in page.sources if 'png' in source)
    assert base64.b64decode(png.partition(',')[2]).startswith(b'\x89PNG')


def test_what_is_given_as_text_is_shown_as_text(page):
    text = ' '.join(page.text)
    assert 'BC <fails>' in text and 'Rounds < 2 & "so".' in text


def test_the_same_numbers_give_the_same_report():
    assert report_html(made_up.summary(), CURVES) == report_html(made_up.summary(), CURVES)


@pytest.mark.parametrize('change', [
    {'rounds': [], 'bc_same_labels': None}, {'expert': None}, {'bc_same_labels': None},
    {'bc': None, 'rounds': [], 'bc_same_labels': None, 'timing': {}, 'wall_s': 0.0}])
def test_an_unfinished_run_has_a_report_too(change):
    assert 'Findings' in report_html({**made_up.summary(), **change})


def test_faults_have_a_section_of_their_own_where_there_are_any():
    fault = {'time_s': 1.8e9, 'stage': 'r01-collect', 'what': 'policy ended <7>',
             'done': 'resumed'}
    page = report_html({**made_up.summary(), 'faults': [fault]})
    assert '<h2>Faults</h2>' in page and 'policy ended &lt;7&gt;' in page
    for part in ('2027-01-15 08:00:00', 'r01-collect', 'resumed'):
        assert part in page and part in str(faults_table({'faults': [fault]}))
    assert 'Faults' not in report_html(made_up.summary())


def test_a_figure_is_an_svg_of_its_own():
    assert '<svg' in plots.success_against_labels(made_up.summary())
