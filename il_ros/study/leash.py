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
Tie a command to its parent: ``python -m il_ros.study.leash PARENT COMMAND...``.

Linux interrupts the command, as Ctrl-C does, when the thread that started it ends, however that
happened: a study that is killed leaves no graph behind.
"""

import os
import signal
import sys
from typing import Sequence

from il_ros.children import end_with_parent


def main(words: Sequence[str]):
    """Become the command, unless the parent is gone already."""
    parent, *command = words
    end_with_parent(signal.SIGINT)
    if os.getppid() != int(parent):
        sys.exit(f'the parent of this command, process {parent}, is gone')
    os.execv(command[0], command)


if __name__ == '__main__':
    main(sys.argv[1:])
