#!/usr/bin/env python3
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

"""
Write the reference pages that follow from the code: commands and parameters.

``python tools/reference_pages.py`` writes docs/reference/commands.md from the parser and
docs/reference/parameters.md from the parameter classes of the nodes. A test compares both.
"""

import argparse
import dataclasses
import importlib
import json
from pathlib import Path
import re

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / 'docs' / 'reference'
NODES = ('simulator', 'operator_task', 'observer', 'policy', 'expert', 'teleop', 'supervisor',
         'recorder', 'collector', 'trainer', 'coordinator')

COMMANDS = """\
# Commands

`il_ros VERB`; in a ROS 2 workspace `ros2 run il_ros il_ros VERB`. This page is made from the
parser; `il_ros VERB --help` prints the same.

Exit codes: 0 success, 1 an error (one sentence on standard error), 2 a wrong command line, 130
after Ctrl-C, 141 if the reader of a pipe has gone. `il_ros dataset` has
[more](../how-to/recordings.md).
"""
PARAMETERS = """\
# Parameters

Every parameter has a description, and numbers have a unit and a range; a value outside is
refused. Parameters are set when a node starts; `speed_scale` of the supervisor can be
changed while it runs. `ros2 param describe` shows them in a running
graph. To tune, copy `config/params.yaml` and give it to a launch file (`params_file:=PATH`); its
keys are `/**/NODE`, so that they apply in every namespace. This page is made from the nodes.
"""


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table; bars in cells are escaped."""
    lines = [headings, tuple('---' for _ in headings), *rows]
    return ''.join('| ' + ' | '.join(cell.replace('|', '\\|') for cell in line) + ' |\n'
                   for line in lines)


def _option(action: argparse.Action) -> str:
    """Return how an argument is typed."""
    if isinstance(action.metavar, tuple):
        value = ' '.join(action.metavar)
    elif action.choices:
        value = '{' + ','.join(map(str, action.choices)) + '}'
    else:
        value = action.metavar or action.dest.upper()
    if action.nargs == '+':
        value += ' ...'
    if not action.option_strings:
        return f'`{value}`'
    name = action.option_strings[-1]
    return f'`{name}`' if action.nargs == 0 else f'`{name} {value}`'


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Return the help text with its defaults filled in."""
    words = {**vars(action), 'prog': parser.prog}
    text = ((action.help or '') % words).strip()
    text = re.sub(r'(\{".*?\}+)(?=[:;, ]|$)', r'`\1`', text)
    return f'{text} (required)' if action.required and action.option_strings else text


def _verbs(parser: argparse.ArgumentParser) -> argparse._SubParsersAction | None:
    return next((one for one in parser._actions
                 if isinstance(one, argparse._SubParsersAction)), None)


def _section(parser: argparse.ArgumentParser, level: int) -> str:
    """Return the section of one verb, and of the verbs below it."""
    description = ' '.join((parser.description or '').partition('\n\n  il_ros')[0].split())
    text = f'\n{"#" * level} {parser.prog}\n\n{description}\n'
    actions = [one for one in parser._actions
               if one.dest != 'help' and one.help != argparse.SUPPRESS
               and not isinstance(one, argparse._SubParsersAction)]
    if actions:
        text += '\n' + table(('Argument', 'Meaning'),
                             [(_option(one), _help(parser, one)) for one in actions])
    inner = _verbs(parser)
    return text + ''.join(_section(one, level + 1)
                          for one in (inner.choices.values() if inner else ()))


def commands() -> str:
    """Return the page of commands."""
    from il_ros.cli.parser import make_parser
    verbs = _verbs(make_parser())
    index = table(('Verb', 'What it does'),
                  [(f'`{one.dest}`', one.help) for one in verbs._choices_actions])
    return f'{COMMANDS}\n{index}' + ''.join(_section(one, 2) for one in verbs.choices.values())


def _range(descriptor) -> str:
    ranges = [*descriptor.floating_point_range, *descriptor.integer_range]
    if ranges:
        return f'{ranges[0].from_value:g} to {ranges[0].to_value:g}'
    return descriptor.additional_constraints


def _class_of(name: str) -> type:
    """Return the class of a node's parameters."""
    module = importlib.import_module(f'il_ros.nodes.{name}')
    return getattr(module, f'{name.title().replace("_", "")}Parameters')


def parameters() -> str:
    """Return the page of parameters."""
    text = PARAMETERS
    for name in NODES:
        rows = []
        for field in dataclasses.fields(_class_of(name)):
            descriptor = field.metadata['descriptor']
            rows.append((f'`{field.name}`', f'`{json.dumps(field.default)}`', _range(descriptor),
                         descriptor.description))
        text += f'\n## {name}\n\n' + table(('Parameter', 'Default', 'Range', 'Meaning'), rows)
    return text


def main():
    """Write both pages."""
    for name, page in (('commands', commands), ('parameters', parameters)):
        (REFERENCE / f'{name}.md').write_text(page())


if __name__ == '__main__':
    main()
