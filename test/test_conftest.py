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

"""The promises of the test configuration itself: isolation, waiting, nothing left running."""

import os
from pathlib import Path
import subprocess
import sys
import time

import pytest


def test_this_run_talks_on_this_machine_only_and_on_a_domain_of_its_own():
    pytest.importorskip('domain_coordinator', reason='needs domain_coordinator: make test')
    assert os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert 1 <= int(os.environ['ROS_DOMAIN_ID']) <= 100


def test_waiting_ends_at_its_deadline_and_says_that_the_condition_did_not_come(wait_until):
    began = time.monotonic()
    assert not wait_until(None, lambda: False, timeout_s=0.1)
    assert 0.1 <= time.monotonic() - began < 2.0


def test_waiting_ends_as_soon_as_the_condition_holds(wait_until):
    looks = []
    assert wait_until(None, lambda: looks.append(1) or len(looks) == 3, timeout_s=60.0)
    assert len(looks) == 3


def test_a_test_has_a_context_of_its_own(context):
    import rclpy
    node = rclpy.create_node('alone', context=context)
    assert context.ok()
    assert context is not rclpy.get_default_context()
    node.destroy_node()


FORGETFUL = """
import pathlib, subprocess, sys

def test_start_and_forget():
    child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])
    pathlib.Path('child').write_text(str(child.pid))
"""


def test_a_module_that_leaves_a_process_behind_fails_and_the_process_is_ended(
        tmp_path, request, wait_until):
    conftest = (request.config.rootpath / 'test' / 'conftest.py').read_text()
    (tmp_path / 'conftest.py').write_text(
        conftest.replace('LEAVE_TIME_S = 5.0', 'LEAVE_TIME_S = 0.2'))
    (tmp_path / 'test_forgetful.py').write_text(FORGETFUL)
    result = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1, result.stdout
    assert 'left running' in result.stdout
    child = Path('/proc') / (tmp_path / 'child').read_text()
    assert wait_until(None, lambda: not _alive(child))


def _alive(process: Path) -> bool:
    """Whether ``/proc/<pid>`` runs; one that only waits to be collected does not."""
    try:
        return (process / 'stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False
