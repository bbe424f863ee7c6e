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
The silence of whoever commands an arm: when its episode is ended.

Pure: the steady clock's time is handed in.
"""

_LONGEST_LOOK_S = 0.5
"""What one look adds at most: a pause of the process that looks is nobody's silence."""


class Silence:
    """
    Time without a command that counts, and without anybody who could send one.

    :param silence_s: how long no command may count
    :param absence_s: how long nobody may be there who was
    :param topic: that is listened to
    """

    def __init__(self, silence_s: float, absence_s: float, topic: str = 'joint_command'):
        self._silence_s, self._absence_s, self._topic = silence_s, absence_s, topic
        self.restart(0.0)

    def restart(self, now_s: float):
        """Begin an episode."""
        self._looked_s = now_s
        self._silent_s = self._absent_s = 0.0
        self._was_there = False

    def heard(self):
        """Take note of a command that counts."""
        self._silent_s, self._was_there = 0.0, True

    def look(self, now_s: float, is_there: bool) -> str:
        """
        Look again; called several times a second.

        :param is_there: somebody writes commands whom the arm would obey
        :returns: why the episode has to end; empty: it goes on
        """
        passed_s, self._looked_s = min(now_s - self._looked_s, _LONGEST_LOOK_S), now_s
        self._silent_s += passed_s
        self._absent_s = 0.0 if is_there else self._absent_s + passed_s
        self._was_there = self._was_there or is_there
        if self._was_there and self._absent_s >= self._absence_s:
            return f'for {self._absence_s:g} s there was nobody whose {self._topic} is obeyed'
        if self._silent_s >= self._silence_s:
            return f'for {self._silence_s:g} s no {self._topic} counted'
        return ''
