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

"""The layout for Foxglove: its panels are there, and show topics that exist."""

import json
from pathlib import Path
import re

from il_ros.episodes.wire.schema import RECORDED

ROOT = Path(__file__).resolve().parents[2]
LAYOUT = json.loads((ROOT / 'config' / 'foxglove' / 'il_ros.json').read_text())
TOPICS = (ROOT / 'docs' / 'reference' / 'topics.md').read_text()


def panels(part) -> list[str]:
    """Return the panels of a part of the layout, left to right."""
    return [part] if isinstance(part, str) else [*panels(part['first']), *panels(part['second'])]


def strings(part) -> list[str]:
    """Return every string of a document that looks like a topic's name or path."""
    if isinstance(part, dict):
        return [text for key, value in part.items() if key not in ('label', 'title', 'layers')
                for text in (*strings(value), *([key] if key.startswith('/') else []))]
    if isinstance(part, list):
        return [text for value in part for text in strings(value)]
    return [part] if isinstance(part, str) else []


def test_every_panel_that_is_laid_out_is_configured_and_none_is_left_over():
    laid_out = panels(LAYOUT['layout'])
    assert sorted(laid_out) == sorted(LAYOUT['configById'])
    kinds = {name.partition('!')[0] for name in laid_out}
    assert {'Plot', 'StateTransitions', 'RawMessages', 'DiagnosticSummary', 'Image'} <= kinds


def test_every_topic_of_the_layout_is_one_of_the_graph():
    known = set(re.findall(r'^\| `([\w/]+)` \|', TOPICS, re.MULTILINE)) | {'/diagnostics'}
    live = {re.match(r'[/\w]+', text)[0] for text in strings(LAYOUT['configById'])
            if text.startswith('/')}
    assert {'/executed', '/teleop/action', '/episode', '/diagnostics'} <= live
    assert not {topic for topic in live if topic not in known and topic[1:] not in known}


def test_what_is_recorded_is_shown_by_its_recorded_name():
    plotted = {re.match(r'\w+', path['value'])[0] for panel in LAYOUT['configById'].values()
               for path in panel.get('paths', ()) if not path['value'].startswith('/')}
    shown = {panel['topicPath'] for panel in LAYOUT['configById'].values() if 'topicPath' in panel}
    assert set(RECORDED) <= plotted | shown
    assert plotted <= set(RECORDED)
