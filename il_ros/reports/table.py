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

"""Tables of the reports, for a terminal, a page and a Markdown document."""

import dataclasses
import textwrap
from typing import Mapping, Sequence

_TEXT_WIDTH = 99


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of text under headings; the first column is aligned left, the others right."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    explanations: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Explanation of a column by its heading: below the table, and where the pointer rests."""
    notes: Sequence[str] = ()
    """Sentences below the explanations."""
    classes: Sequence[str] = ()
    """Style of each row on a page: ``bc``, ``last`` or ''."""
    bars: Sequence[float] = ()
    """Share of each row, 0 to 1, which a page draws as a bar."""

    @property
    def legend(self) -> list[str]:
        """Return the sentences below the table."""
        return [*(f'{name}: {text}.' for name, text in self.explanations.items()), *self.notes]

    def __str__(self) -> str:
        """Return the table for a terminal."""
        return self.text()

    def text(self) -> str:
        """Return the table for a terminal."""
        lines = [self.headings, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines)]
        text = ['  '.join(cell.rjust(width) if at else cell.ljust(width)
                          for at, (cell, width) in enumerate(zip(line, widths))).rstrip()
                for line in lines]
        text.insert(1, '-' * (sum(widths) + 2 * len(widths) - 2))
        legend = [textwrap.fill(one, _TEXT_WIDTH, subsequent_indent='  ') for one in self.legend]
        return '\n'.join([*text, '', *legend] if legend else text)

    def html(self) -> str:
        """Return the table for a page; its cells are escaped already."""
        from il_ros.reports.page import render
        return render('table.html.j2', table=self)

    def markdown(self) -> str:
        """Return the table for a Markdown document."""
        head, *body = ('| ' + ' | '.join(cell.replace('|', r'\|') for cell in row) + ' |'
                       for row in (self.headings, *self.rows))
        table = '\n'.join([head, '|' + '---|' * len(self.headings), *body])
        legend = '\n'.join(f'* {one}' for one in self.legend)
        return f'{table}\n\n{legend}' if legend else table
