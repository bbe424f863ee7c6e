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

"""When an episode that nobody commands any more is ended, and when not."""

from il_ros.sim.silence import Silence
import pytest


@pytest.fixture
def silence() -> Silence:
    """Return the watch over an episode that begins at 100 s."""
    made = Silence(silence_s=10.0, absence_s=2.0)
    made.restart(100.0)
    return made


def looks(silence: Silence, seconds: float, is_there: bool, start_s: float = 100.0) -> list[str]:
    """Return what four looks a second say."""
    return [silence.look(start_s + number / 4, is_there)
            for number in range(1, round(4 * seconds) + 1)]


def test_an_episode_ends_when_no_command_counts_for_too_long(silence):
    *before, last = looks(silence, 10.0, is_there=True)
    assert not any(before)
    assert last == 'for 10 s no joint_command counted'


def test_every_command_that_counts_begins_the_silence_anew(silence):
    for start_s in (100.0, 109.0, 118.0):
        assert not any(looks(silence, 9.0, True, start_s))
        silence.heard()


def test_an_episode_ends_sooner_when_whoever_commanded_it_is_gone(silence):
    looks(silence, 1.0, is_there=True)
    *before, last = looks(silence, 2.0, is_there=False, start_s=101.0)
    assert not any(before)
    assert last == 'for 2 s there was nobody whose joint_command is obeyed'


def test_a_short_absence_ends_nothing(silence):
    for start_s in (100.0, 102.0, 104.0):
        assert not any(looks(silence, 0.25, True, start_s))
        assert not any(looks(silence, 1.75, False, start_s + 0.25))


def test_who_was_heard_between_two_looks_was_there(silence):
    silence.heard()
    assert looks(silence, 2.0, is_there=False)[-1]


def test_who_has_not_been_found_yet_is_waited_for_longer(silence):
    assert not any(looks(silence, 9.75, is_there=False))


def test_a_pause_of_the_process_that_looks_is_nobodys_silence(silence):
    looks(silence, 1.0, is_there=True)
    assert not silence.look(5000.0, is_there=False)
    assert not silence.look(5000.25, is_there=True)


def test_a_new_episode_begins_with_no_silence(silence):
    looks(silence, 9.75, is_there=True)
    silence.restart(200.0)
    assert not any(looks(silence, 9.75, True, 200.0))
