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

"""A recorded episode drives once more from where it began, or not at all, and says why not."""

import dataclasses

from il_ros.contract.contract import ActionElement, Contract, Feature, TOOL_VELOCITY
from il_ros.contract.episode_spec import EpisodeSpec
from il_ros.driving.playback import Playback
from il_ros.episodes.episode import Answers, Episode
import numpy as np
import pytest

CONTRACT = Contract(
    'test', 20.0, (Feature('goal', 0, 0, ('x', 'y', 'z'), 'm', 'base'),), TOOL_VELOCITY, 'base',
    (ActionElement('linear_x', 'm/s', -0.5, 0.5), ActionElement('linear_y', 'm/s', -0.5, 0.5)))
STEPS = 4
TOLERANCE = 0.02


@pytest.fixture
def episode():
    """Return a recorded episode whose executed actions differ from step to step."""
    none, column = Answers.none(STEPS, 2), np.zeros(STEPS)
    return Episode(
        spec=EpisodeSpec('rollout-r01-000001', 'demo', 'push'), contract=CONTRACT,
        stamps_ns=50_000_000 * np.arange(1, STEPS + 2, dtype=np.int64),
        observations=np.repeat(np.arange(STEPS + 1, dtype=np.float32)[:, None], 3, 1),
        executed=np.arange(2 * STEPS, dtype=np.float32).reshape(STEPS, 2) / 20,
        driver=column, chosen=column, limits=column, beta=column, gate=column, expert=none,
        policy=none, teleop=none, policy_ids=column, commands=np.zeros((STEPS, 9)))


@pytest.fixture
def playback(episode):
    """Return what plays it."""
    return Playback(episode, TOLERANCE)


def moved(episode, by: float) -> np.ndarray:
    """Return where the episode began, one value off."""
    values = episode.observations[0].copy()
    values[2] += by
    return values


def test_each_step_is_answered_with_what_was_executed_and_nothing_after_the_last(
        episode, playback):
    for step in range(episode.steps):
        # Only the beginning is compared: from there on the states are the answer.
        values = moved(episode, 0.0 if step == 0 else 1.0)
        np.testing.assert_array_equal(
            playback.act(step, values, episode.contract), episode.executed[step])
    assert playback.act(episode.steps, episode.observations[-1], episode.contract) is None
    assert playback.refusal == ''


@pytest.mark.parametrize('by, refused', [(0.9 * TOLERANCE, False), (1.1 * TOLERANCE, True),
                                         (float('nan'), True)])
def test_a_beginning_elsewhere_is_refused_beyond_the_tolerance(episode, playback, by, refused):
    assert (playback.act(0, moved(episode, by), episode.contract) is None) == refused
    assert ('from where the recording begins' in playback.refusal) == refused


def test_what_was_refused_stays_refused(episode, playback):
    assert playback.act(0, moved(episode, 1.0), episode.contract) is None
    said = playback.refusal
    assert playback.act(1, episode.observations[1], episode.contract) is None
    assert playback.act(0, episode.observations[0], episode.contract) is None
    assert playback.refusal == said


def test_an_attempt_that_begins_again_is_compared_anew(episode, playback):
    assert playback.act(0, episode.observations[0], episode.contract) is not None
    assert playback.act(1, episode.observations[1], episode.contract) is not None
    assert playback.act(0, episode.observations[0], episode.contract) is not None
    assert playback.act(0, moved(episode, 1.0), episode.contract) is None
    assert playback.refusal


def test_who_is_not_alone_or_came_late_or_has_another_contract_sends_nothing(episode):
    first = episode.observations[0]
    other = dataclasses.replace(episode.contract, rate=2 * episode.contract.rate)
    for step, contract, alone, said in (
            (0, episode.contract, False, 'a policy node drives here, too'),
            (3, episode.contract, True, 'the first 3 steps went by unheard'),
            (0, other, True, 'it was recorded with another contract')):
        playback = Playback(episode, TOLERANCE)
        assert playback.act(step, first, contract, alone) is None
        assert said in playback.refusal and episode.spec.episode_id in playback.refusal


def test_a_beginning_exactly_at_the_tolerance_is_played(episode):
    playback = Playback(episode, 0.25)
    assert playback.act(0, moved(episode, 0.25), episode.contract) is not None
