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

"""Jumps and standstills of a topic's clock, told from messages that only came late."""

from il_ros.episodes.watch import ClockWatch
import pytest

MS = 1_000_000
PERIOD_MS, TOLERANCE_MS = 50, 1000


def jumps(*heard: tuple[float, float], period_ms: float = PERIOD_MS) -> list[int]:
    """Return the steps at which a jump is found; each is heard as stamp and steady time, ms."""
    watch = ClockWatch(TOLERANCE_MS * MS, round(period_ms * MS))
    return [step for step, (stamp_ms, steady_ms) in enumerate(heard)
            if watch.jump_ns(round(stamp_ms * MS), round(steady_ms * MS), step)]


@pytest.mark.parametrize('late', [1, 2, 5])
def test_a_process_that_was_held_up_sees_no_jump(late):
    before = [(50.0 * step, 50.0 * step + 2.0) for step in range(4)]
    # These waited until it went on, as the one that publishes did.
    waited = [(200.0 + 50.0 * step, 2500.0 + step) for step in range(late)]
    after = [(2520.0 + 50.0 * step, 2522.0 + 50.0 * step) for step in range(4)]
    assert jumps(*before, *waited, *after) == []


@pytest.mark.parametrize('jump_ms', [-5000.0, -1500.0, 1500.0, 5000.0])
def test_a_jump_is_found_once_and_the_new_time_is_believed(jump_ms):
    heard = [(50.0 * step + jump_ms * (step >= 4), 50.0 * step) for step in range(30)]
    assert jumps(*heard) == [4]


def test_a_clock_that_jumps_there_and_back_is_found_twice():
    heard = [(50.0 * step + 5000.0 * (4 <= step < 8), 50.0 * step) for step in range(20)]
    assert jumps(*heard) == [4, 8]


def test_lockstep_runs_faster_or_slower_than_time():
    for steady_ms in (1.0, 400.0, 3000.0):
        assert jumps(*((50.0 * step, steady_ms * step) for step in range(100))) == []


def test_a_clock_that_stands_still_is_found():
    assert jumps(*((0.0, 50.0 * step) for step in range(40)), period_ms=0.0) == [21]
