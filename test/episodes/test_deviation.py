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

"""How far an episode that was driven once more came from the recorded one."""

import dataclasses

from il_ros.episodes.deviation import deviations, farthest
from il_ros.episodes.episode import Answers
from il_ros.episodes.reader import read_episode
import pytest
from recordings import record, spec


@pytest.fixture
def episode(tmp_path):
    """Return a recorded episode."""
    return read_episode(record(tmp_path, spec()))


def test_an_episode_is_nowhere_apart_from_itself(episode):
    found = deviations(episode, episode)
    assert [one.feature for one in found] == [one.name for one in episode.contract.features]
    assert {one.largest for one in found} == {0.0}
    assert farthest(episode, episode.observations[0])[1] == 0.0


def test_the_largest_difference_is_named_with_its_feature_unit_and_step(episode):
    feature = episode.contract.features[-1]
    observations = episode.observations.copy()
    observations[1, feature.stop - 1] += 0.5
    observations[0, feature.start] -= 0.25
    driven = dataclasses.replace(episode, observations=observations)
    *others, last = deviations(episode, driven)
    assert last == (feature.name, feature.unit, pytest.approx(0.5), 1)
    assert not any(one.largest for one in others)
    assert farthest(episode, observations[0]) == (
        f'{feature.name}.{feature.elements[0]}', pytest.approx(0.25))


def test_steps_that_one_of_them_lacks_are_not_compared(episode):
    per_step = ('stamps_ns', 'observations', 'executed', 'driver', 'chosen', 'limits', 'beta',
                'gate', 'policy_ids', 'commands')
    short = dataclasses.replace(
        episode, **{name: getattr(episode, name)[:-1] for name in per_step},
        **{name: Answers(one.actions[:-1], one.valid[:-1]) for name, one in (
            ('expert', episode.expert), ('policy', episode.policy), ('teleop', episode.teleop))})
    assert not any(one.largest for one in deviations(episode, short))
