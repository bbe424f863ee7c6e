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

"""Whole runs over the real graph, made once and looked at by many tests; none changes them."""

import fcntl
import os
from pathlib import Path

from command_line import dagger_words, il_ros
import pytest


@pytest.fixture(scope='session')
def whole_run(tmp_path_factory):
    """Return a function from a task to the folder of an unbroken small run."""
    base = tmp_path_factory.getbasetemp()
    # All processes of one pytest-xdist share the run: whoever comes first makes it.
    shared = base.parent if 'PYTEST_XDIST_WORKER' in os.environ else base

    def make(task: str) -> Path:
        folder = shared / f'whole-{task}'
        folder.mkdir(exist_ok=True)
        with (folder / 'lock').open('w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / 'printed').exists():
                code, out, err = il_ros(*dagger_words(task, folder, 'whole'))
                assert code == 0, err
                (folder / 'printed').write_text(out)
        return folder / 'runs' / 'whole'
    return make
