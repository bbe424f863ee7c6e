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

"""A training worker that tests wait for, and a wait for its end."""

import collections
import contextlib
import os
from pathlib import Path
import time

from il_ros.learning.training_worker.protocol import JobDone, JobFailed
from il_ros.learning.training_worker.worker_client import WorkerClient
import pytest

DEADLINE_S = 60.0
"""Far above what anything here takes on a busy machine."""


class Listener(WorkerClient):
    """A client that can be waited for."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self._unread = collections.deque()

    def wait_for(self, *kinds):
        """Return the next event of these kinds; a job that fails unasked fails the test."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            self._unread.extend(self.poll(timeout_s=0.2))
            while self._unread:
                event = self._unread.popleft()
                if isinstance(event, kinds):
                    return event
                assert not isinstance(event, JobFailed), event
        pytest.fail(f'no {kinds} within {DEADLINE_S} s')


def end_of(client, job):
    """Run a job and return the event that ends it."""
    client.submit(job)
    return client.wait_for(JobDone, JobFailed)


def gone(pid: int, timeout_s: float = 10.0) -> bool:
    """Wait until a process is gone, and tell whether it is."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            if Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] == 'Z':
                return True
        except OSError:
            return True
    return False
