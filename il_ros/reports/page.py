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

"""What every report's page is made of: one file without any outside reference."""

import base64
import html
from typing import Sequence

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; color: #1c2329;
       background: #f6f7f8; margin: 0; }
main { max-width: 70rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; }
h2 { font-size: 1.15rem; margin: 0 0 .6rem; }
.about { color: #5f6b76; margin: 0 0 1.5rem; }
section { background: #fff; border: 1px solid #e1e5e8; border-radius: 10px;
          padding: 1.1rem 1.3rem; margin: 0 0 1.2rem; }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin: 0 0 1.2rem; }
.tile { flex: 1 1 11rem; background: #fff; border: 1px solid #e1e5e8; border-radius: 10px;
        padding: .8rem 1rem; }
.tile b { display: block; font-size: 1.65rem; line-height: 1.25; }
.tile span { color: #5f6b76; font-size: .87rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .84rem; width: 100%; }
th, td { padding: .34rem .4rem; text-align: right; white-space: nowrap;
         border-bottom: 1px solid #edf0f2; font-variant-numeric: tabular-nums; }
th { color: #5f6b76; font-weight: 600; }
th:first-child, td:first-child { text-align: left; }
tr.bc td { background: #fdf3ec; }
tr.last td { background: #eaf4fa; font-weight: 600; }
.note { color: #5f6b76; font-size: .87rem; margin: .7rem 0 0; }
img.figure { width: 100%; max-width: 52rem; height: auto; display: block;
             margin: 0 auto; }
.strip { display: flex; gap: 4px; overflow-x: auto; }
.strip figure { margin: 0; flex: 1 1 0; min-width: 84px; }
.strip img { width: 100%; display: block; border-radius: 4px; }
.strip figcaption { color: #5f6b76; font-size: .75rem; text-align: center; }
.bar { background: #cfe3f0; height: .7rem; border-radius: 3px; }
td.wide { width: 45%; }
"""


def page(title: str, body: str) -> str:
    """
    Return a whole page.

    :param title: plain text
    :param body: HTML
    """
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n'
            f'<main>\n{body}\n</main>\n</body>\n</html>\n')


def text(plain: str) -> str:
    """Return plain text as HTML; a number and its per cent sign stay on one line."""
    return html.escape(plain).replace(' %', '&#160;%')


def section(title: str, body: str) -> str:
    """Return a boxed section; both arguments are HTML."""
    return f'<section>\n<h2>{title}</h2>\n{body}\n</section>\n'


def paragraphs(texts: Sequence[str]) -> str:
    """Return plain sentences as one paragraph each."""
    return '\n'.join(f'<p>{text(one)}</p>' for one in texts)


def figure(title: str, svg: str, note: str) -> str:
    """Return a section with an SVG as an image of its own, for ids of several would clash."""
    data = base64.b64encode(svg.encode()).decode()
    return section(title, f'<img class="figure" alt="{title}" '
                          f'src="data:image/svg+xml;base64,{data}">\n<p class="note">{note}</p>')
