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

"""A lock file, for what only one process may write at a time."""

import fcntl
import os
from pathlib import Path

from il_ros.errors import ImitationError


def take(path: Path, error: type[ImitationError], what: str) -> int:
    """
    Take a lock file, which is made where it is missing.

    The lock is the operating system's: a killed owner holds nothing, and none has to be cleared.

    :param what: the sentence for whoever comes second; the owner's process id is added
    :returns: a descriptor; closing it lets others have the lock
    :raises error: if another has it
    :raises OSError: if the file cannot be made
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f'{os.getpid()}\n'.encode(), 0)
    except BlockingIOError as blocked:
        owner = os.pread(descriptor, 32, 0).decode(errors='replace').strip()
        os.close(descriptor)
        raise error(f'{what}, process {owner or "unknown"}') from blocked
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
