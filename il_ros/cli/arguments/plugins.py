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

"""Arguments of ``il_ros list``, ``il_ros check`` and ``il_ros contract``."""

import argparse

from il_ros.cli.arguments.shared import add_robot
from il_ros.plugins import KINDS

_KIND = 'Kind of plug-in'


def _plural(kind: str) -> str:
    """Return the kind that a word means: ``robot`` is as good as ``robots``."""
    return next((name for name, one in KINDS.items() if kind == one), kind)


def add_list(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros list``."""
    parser.add_argument('kind', choices=KINDS, help=_KIND)


def add_check(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros check``."""
    parser.add_argument('kind', choices=KINDS, type=_plural, help=_KIND)
    parser.add_argument('name', help='Name as in il_ros list, module:Object, or a robot file')


def add_contract(parser: argparse.ArgumentParser):
    """Add the arguments of ``il_ros contract``."""
    parser.add_argument('task', help='Name of a task, as push, with _image for camera images')
    add_robot(parser)
