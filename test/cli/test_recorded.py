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

"""What ``il_ros record`` says at its end."""

from pathlib import Path
from types import SimpleNamespace

from il_ros.cli.run_verbs import _recorded
import pytest


@pytest.mark.parametrize('successes, goals, then', [
    ((True, False), 0, '1 successful, in runs/mine; next: il_ros train --run mine'),
    ((False, False), 3, '0 successful, in runs/mine; next: il_ros train --run mine'),
    ((False, False), 0, '0 successful, in runs/mine; next: il_ros dataset plot runs/mine')])
def test_what_is_next_depends_on_success(successes, goals, then):
    receipts = [SimpleNamespace(labels=60, success=success, goals_reached=goals)
                for success in successes]
    assert _recorded(Path('runs/mine'), receipts) == f'2 demonstrations, 120 labels, {then}'
