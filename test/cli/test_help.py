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

"""``--help``: quick, and the same for every verb: what an option is, and its default."""

import argparse
import ast
from pathlib import Path
import re
import subprocess
import sys

from il_ros.cli.parser import main, make_parser, VERBS
import pytest

ROOT = Path(__file__).resolve().parents[2]
QUICK = ('argparse', 'il_ros', 'il_ros.cli.parser', 'il_ros.errors', 'il_ros.output')
SLOW = {'importlib.metadata', 'inspect', 'numpy', 'il_ros.plugins', 'rclpy', 'torch', 'tqdm',
        'yaml', 'il_ros.cli.dagger', 'il_ros.cli.arguments.dagger'}


def inner(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of a parser's verbs."""
    return {name: one for action in parser._actions
            if isinstance(action, argparse._SubParsersAction)
            for name, one in action.choices.items()}


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of all verbs, those of ``il_ros dataset`` among them."""
    found = inner(make_parser())
    return {**found, **{f'dataset {name}': one for name, one in inner(found['dataset']).items()}}


OPTIONS = [(verb, action) for verb, parser in parsers().items() for action in parser._actions
           if action.dest not in ('help', 'dataset_verb') and action.help != argparse.SUPPRESS]


@pytest.mark.parametrize('verb, option', [
    pytest.param(verb, option, id=f'{verb} {option.dest}') for verb, option in OPTIONS])
def test_every_option_says_what_it_is_and_its_default(verb, option):
    assert option.help and re.match('[A-Z]', option.help), 'begin with a capital'
    assert not option.help.endswith('.') and not re.search(r'\(\d+\)$', option.help)
    if option.default not in (None, '', False) and not isinstance(option.default, list):
        assert '(default: %(default)s)' in option.help
    assert 'default:' in option.help or option.default in (None, '', False, [])
    assert option.help % {**vars(option), 'prog': 'il_ros'}


def test_every_verb_has_a_line_and_functions_that_exist():
    for name, verb in VERBS.items():
        assert re.match('[A-Z]', verb.help_text) and not verb.help_text.endswith('.'), name
        for target in (verb.arguments, verb.run):
            module, _, function = target.partition(':')
            path = ROOT.joinpath(*module.split('.')).with_suffix('.py')
            assert function in {node.name for node in ast.parse(path.read_text()).body
                                if isinstance(node, ast.FunctionDef)}, target


def test_only_what_is_asked_for_is_imported():
    code = ('import sys; from il_ros.cli.parser import main\n'
            'try:\n    main(["--help"])\nexcept SystemExit:\n'
            '    print(*sys.modules, file=sys.stderr)')
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True,
                          timeout=60.0)
    loaded = set(done.stderr.split())
    assert set(QUICK) <= loaded and not SLOW & loaded
    for name, verb in VERBS.items():
        assert re.search(rf'^    {name}\b', done.stdout, re.MULTILINE), name


def test_old_names_work_and_are_not_shown(capsys, monkeypatch):
    asked = []
    monkeypatch.setattr('il_ros.experiments.error_growth.command.error_growth',
                        lambda words: asked.append(words.call) or 0)
    assert main(['compounding', '--policy', 'a=b']) == 0 and asked == ['error-growth']
    study = make_parser().parse_args(['study', '--named', 'gated', '--stretch', '2'])
    assert (study.primary, study.bc_label_factor) == ('gated', 2)
    study = make_parser().parse_args(['study', '--primary', 'dart', '--bc-label-factor', '3'])
    assert (study.primary, study.bc_label_factor) == ('dart', 3)
    for words in (['--help'], ['study', '--help']):
        with pytest.raises(SystemExit):
            main(words)
        assert not re.search('compounding|--named|--stretch', capsys.readouterr().out)


def test_the_parser_of_one_verb_is_that_of_all(capsys):
    for verb in VERBS:
        assert inner(make_parser(verb))[verb].format_help() == parsers()[verb].format_help()
    with pytest.raises(SystemExit):
        make_parser('moon').parse_args(['moon'])
    assert "invalid choice: 'moon' (choose from" in capsys.readouterr().err
