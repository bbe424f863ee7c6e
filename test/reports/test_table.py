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

"""A table of the reports: the same cells in a terminal, on a page and in Markdown."""

from il_ros.reports.table import Table
from page_reader import Page

TABLE = Table(
    ('', 'labels', 'a | b'), [('BC <1>', '7', ''), ('gated', '1200', 'x')],
    {'labels': 'of the expert'}, ('A note.',), ('bc', ''), (0.5, 1.0))


def test_a_terminal_shows_the_first_column_left_and_the_others_right():
    assert TABLE.text().splitlines() == [
        '        labels  a | b', '---------------------', 'BC <1>       7',
        'gated     1200      x', '', 'labels: of the expert.', 'A note.']


def test_a_page_shows_every_cell_and_explains_columns_where_the_pointer_rests():
    html = TABLE.html()
    page = Page(html)
    assert page.open == []
    assert [text for text in map(str.strip, page.text) if text] == [
        'labels', 'a | b', 'BC <1>', '7', 'gated', '1200', 'x', 'labels: of the expert. A note.']
    assert '<th title="of the expert">labels</th>' in html and 'class="bc"' in html
    assert 'width:50.0%' in html


def test_a_sign_of_markdown_in_a_cell_does_not_end_the_cell():
    assert TABLE.markdown().splitlines() == [
        r'|  | labels | a \| b |', '|---|---|---|', '| BC <1> | 7 |  |', '| gated | 1200 | x |',
        '', '* labels: of the expert.', '* A note.']


def test_a_long_explanation_is_wrapped_in_a_terminal():
    text = Table(('', 'x'), [('a', 'b')], {'x': 'word ' * 60}).text()
    assert max(map(len, text.splitlines())) <= 99 and '\n  word' in text
