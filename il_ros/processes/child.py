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

"""What processes that we start have in common: one thread each, and an end with their parent."""

import ctypes
import os
import signal
import sys
from typing import Sequence

ONE_THREAD = {'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1'}
"""Environment: several processes with many threads each would only be in each other's way."""

_PR_SET_PDEATHSIG = 1
# Looked up here: between fork and exec a child had better not open a library.
_prctl = ctypes.CDLL(None).prctl


def end_with_parent(signal_number: int):
    """
    Let Linux send this process a signal when the thread that started it ends, however it does.

    Compare ``os.getppid()`` with the parent's id afterwards: it may be gone already.
    """
    _prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)


def main(words: Sequence[str]):
    """Become the command, unless the parent is gone already."""
    parent, *command = words
    end_with_parent(signal.SIGINT)
    if os.getppid() != int(parent):
        sys.exit(f'the parent of this command, process {parent}, is gone')
    os.execv(command[0], command)


if __name__ == '__main__':
    main(sys.argv[1:])
