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

"""Types of the command line's options, and which options were given."""

import argparse
from collections.abc import Callable
from typing import Any

LARGEST = 2 ** 32 - 1


def completed(action: argparse.Action, kind: str) -> argparse.Action:
    """Let the shell complete an option's value by the plug-ins of a kind."""
    vars(action)['completer'] = names_of(kind)
    return action


def whole_number(least: int) -> Callable[[str], int]:
    """Return the reader of a whole number that is not below ``least`` and fits a message."""
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= LARGEST:
            raise argparse.ArgumentTypeError(
                f'{text!r} must be an integer between {least} and {LARGEST}')
        return int(text)
    return read


def number(low: float, high: float) -> Callable[[str], float]:
    """Return the reader of a number from ``low`` to ``high``."""
    def read(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = float('nan')
        if not low <= found <= high:
            raise argparse.ArgumentTypeError(
                f'{text!r} must be a number between {low:g} and {high:g}')
        return found
    return read


class Given(argparse.Action):
    """Store a value, or the constant of a flag, and remember that the option was given."""

    def __call__(self, parser, namespace, values, option_string=None):
        """Take in one option."""
        setattr(namespace, self.dest, self.const if self.nargs == 0 else values)
        namespace.given = {*given(namespace), self.dest}


FLAG: dict[str, Any] = {'action': Given, 'nargs': 0, 'const': True, 'default': False}
"""Arguments of ``add_argument`` for a flag that is remembered."""


def given(args: argparse.Namespace) -> set[str]:
    """Return the names of the options that were given, of those that are remembered."""
    return set(getattr(args, 'given', ()))


def names_of(kind: str) -> Callable[..., list[str]]:
    """Return what gives the names of a kind of plug-ins, for the completion of the shell."""
    def names(**_) -> list[str]:
        from il_ros import plugins
        return list(plugins.table(kind))
    return names
