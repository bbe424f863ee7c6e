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

"""Policies for episodes that take no training."""

from pathlib import Path

from follower import save_follower
import pytest


@pytest.fixture(scope='session')
def follower(tmp_path_factory) -> Path:
    """Return a checkpoint for push that drives straight at the puck: often wrong, never still."""
    return save_follower(tmp_path_factory.mktemp('policies') / 'follower')
