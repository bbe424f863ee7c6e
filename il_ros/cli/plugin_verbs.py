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

"""The verbs about plug-ins: which there are, what is wrong with one, and a task's contract."""

import argparse
import inspect
import os
from pathlib import Path
import sys

from il_ros import plugins


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    if args.call == 'contract':
        from il_ros.tasks.contracts import contract_name, contract_text
        print(contract_text(contract_name(args.task, args.robot, args.action_space)), end='')
        return 0
    if args.call == 'check':
        return check(args.kind, args.name)
    return show(*([args.kind] if args.kind else plugins.KINDS))


def show(*kinds: str) -> int:
    """Print name, package and a line of help of each plug-in, of several kinds with headings."""
    for kind in kinds:
        if len(kinds) > 1:
            print(f'{kind}:')
        rows = [(one.name, one.package or '-', _help(one))
                for one in plugins.table(kind).values()]
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        for name, package, text in rows:
            print(f'{name:{widths[0]}}  {package:{widths[1]}}  {text}'.rstrip())
    return 0


def _help(plugin: plugins.Plugin) -> str:
    try:
        found = plugin.load()
    except plugins.PluginError as error:
        return f'not usable: {error}'
    if isinstance(found, (str, os.PathLike)):
        return Path(found).read_text().partition('\n')[0].removeprefix('# ')
    described = found if isinstance(found, type) else sys.modules[plugin.target.partition(':')[0]]
    return (inspect.getdoc(described) or '').partition('\n')[0]


def check(kind: str, name: str) -> int:
    """
    Print what is wrong with a plug-in, a sentence each; if nothing is, what a robot can do.

    :returns: 1 if anything is
    """
    from il_ros.cli.plugin_checks import findings_of, tasks_of
    from il_ros.robots.robot_file import is_robot_file
    plugin = (plugins.Plugin(kind, name, name, '') if kind == 'robots' and is_robot_file(name)
              else plugins.find(kind, name))
    findings = findings_of(plugin)
    for finding in findings:
        print(f'{plugin}: {finding}')
    if not findings:
        print(f'{plugin}: nothing is wrong')
        for line in tasks_of(name) if kind == 'robots' else ():
            print(line)
    return 1 if findings else 0
