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

"""Refusals: messages that a node cannot use, counted, logged once and shown on /diagnostics."""

import re

from rclpy.node import Node

_NUMBERS = re.compile(r'[-+\d.e]*\d')

MOST_SENTENCES = 50
"""Distinct reasons that a node logs: who sends nonsense without end does not fill the log."""

MOST_CHARACTERS = 300
"""Of a reason: it may quote a text of any length."""


class Refusals:
    """
    What one node refused.

    :ivar count: messages and requests refused since the node began
    :ivar newest: the newest reason, by topic or service
    """

    def __init__(self, node: Node):
        self.count = 0
        self.newest: dict[str, str] = {}
        self._node = node
        self._said: set[str] = set()

    def add(self, name: str, reason: object):
        """
        Count a refused message, and log the reason if it is new, whatever numbers are in it.

        :param name: topic or service
        :param reason: a sentence, or the error that has it; names the field
        """
        sentence = shortened(str(reason))
        self.count += 1
        self.newest[name] = sentence
        kind = f'{name} {_NUMBERS.sub("", sentence)}'
        if kind in self._said or len(self._said) > MOST_SENTENCES:
            return
        self._said.add(kind)
        if len(self._said) > MOST_SENTENCES:
            sentence += '; further reasons are on /diagnostics only'
        self._node.get_logger().error(f'{name} refused: {sentence}')

    def values(self) -> dict[str, str]:
        """Return the figures for ``/diagnostics``."""
        return {f'refused.{name}': reason for name, reason in self.newest.copy().items()}


def refusals_of(node: Node) -> Refusals:
    """Return the refusals of a node, which has exactly one such object."""
    found = vars(node).get('refusals')
    if found is None:
        found = vars(node)['refusals'] = Refusals(node)
    return found


def shortened(text: str) -> str:
    """Return a text of at most ``MOST_CHARACTERS`` characters."""
    return text if len(text) <= MOST_CHARACTERS else f'{text[:MOST_CHARACTERS - 3]}...'
