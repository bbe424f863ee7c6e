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

"""Figures of the command adapters: lag and tracking error of an episode whose path is known."""

from types import SimpleNamespace

from benchmarks.adapters import figures, lag_s, specs
from il_ros.robots.kinematics import Kinematics
import numpy as np
import pytest
from shipped_arms import PANDA

PERIOD_S = 0.05


def episode(late_s: float):
    """Return an episode whose first joint follows a wave, so much later than it is told."""
    times = np.arange(60) * PERIOD_S

    def at(times):
        return PANDA.home + 0.3 * np.sin(2.0 * times)[:, None] * np.eye(9)[0]
    return SimpleNamespace(
        contract=SimpleNamespace(name='known', features=[
            SimpleNamespace(name='joint_position', start=0, stop=7)]),
        stamps_ns=(times * 1e9).astype(np.int64), commands=at(times[:-1]),
        observations=at(times - late_s)[:, :7], success=True, steps=59)


@pytest.mark.parametrize('late_s', [0.02, 0.05, 0.13])
def test_the_lag_is_by_how_much_the_joints_come_late(late_s):
    assert lag_s(episode(late_s)) == pytest.approx(late_s, abs=0.002)


def test_an_arm_that_arrives_in_a_period_has_no_tracking_error():
    kinematics = Kinematics(PANDA)
    command, success, steps, lag, *errors = figures('twist', [episode(PERIOD_S)], kinematics)
    assert (command, success, steps, lag) == ('twist', '1 of 1', '59', '0.050')
    assert max(map(float, errors)) == 0.0
    late = figures('twist', [episode(2 * PERIOD_S)], kinematics)
    assert float(late[5]) == pytest.approx(0.3 * 2.0 * PERIOD_S, rel=0.05)
    kinematics.close()


def test_the_expert_drives_each_episode_to_its_end():
    assert [(spec.seed, spec.continuing) for spec in specs('push', 2)] == [(0, False), (1, False)]
