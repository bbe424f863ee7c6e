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

"""What became of endless episodes, on_done from small ones that can be counted by hand."""

from il_ros.evaluation.mistakes import ComparedActions, FRACTIONS
from il_ros.experiments.error_growth.analysis import Episodes
from il_ros.experiments.error_growth.continuing import after_first_mistake, classify_outcomes
from il_ros.experiments.error_growth.continuing import goals_per_1000, rate_after_first
from il_ros.experiments.error_growth.continuing import score_continuing
from il_ros.tasks.contracts import find_contract
import numpy as np
import pytest

HORIZON = 20


@pytest.fixture
def four() -> Episodes:
    """Return one that works, one that is stuck from step 5, one lost at once, one lost later."""
    reached = np.zeros((4, HORIZON), bool)
    reached[0, 3::4] = True
    reached[1, 4] = True
    reached[3, 6] = True
    mistaken = np.zeros((4, HORIZON), bool)
    mistaken[1, 10:] = True
    mistaken[2, 1] = True
    return Episodes(mistaken, np.array([20, 20, 2, 12]), reached)


def test_the_four_fates_are_told_apart(four):
    became = classify_outcomes(four, patience=6)
    assert became.stopped.tolist() == [20, 5, 0, 7]
    assert became.from_start.tolist() == [False, False, True, False]
    assert became.later.tolist() == [False, True, False, True]
    assert became.ended.tolist() == [False, False, True, True]
    assert became.working.tolist() == [True, False, False, False]


def test_the_share_that_works_falls_at_each_last_goal(four):
    share = classify_outcomes(four, patience=6).share_working(HORIZON)
    assert len(share) == HORIZON + 1
    assert share[[0, 4, 5, 6, 7, 20]].tolist() == [0.75, 0.75, 0.5, 0.5, 0.25, 0.25]


def test_an_episode_is_granted_its_patience_at_the_end(four):
    assert classify_outcomes(four, patience=15).working.tolist() == [True, True, False, False]
    assert classify_outcomes(four, patience=14).working.tolist() == [True, False, False, False]


def test_steps_after_an_early_end_count_without_goals(four):
    once = np.ones((1, 4))
    assert goals_per_1000(four, once).tolist() == [1000 * 7 / 80]


def test_the_rate_after_the_first_mistake_leaves_out_what_came_before(four):
    # Episode 1: nine more of nine; 2 and 3: all after the mistake, or the end, up to step 20.
    assert rate_after_first(four, np.ones((1, 4))).tolist() == [1.0]
    recovers = Episodes(np.array([[True, False, True, False]]), np.array([4]),
                        np.zeros((1, 4), bool))
    assert rate_after_first(recovers, np.ones((1, 1))) == pytest.approx([1 / 3])
    assert after_first_mistake(recovers, (1, 2, 3)).tolist() == [0.0, 1.0, 0.0]
    assert after_first_mistake(recovers, (1, 3)).tolist() == [0.0, 0.5]


def test_beyond_the_end_of_the_horizon_there_is_no_share():
    late = Episodes(np.array([[False, False, True]]), np.array([3]), np.zeros((1, 3), bool))
    assert np.isnan(after_first_mistake(late, (1, 2))).all()


def test_rollouts_become_mistakes_at_three_fractions_and_goals_by_step():
    contract, _ = find_contract('pick_place')
    expert = np.zeros((3, 4), np.float32)
    expert[:, 0] = 0.4
    expert[:, 3] = contract.upper[3]
    actions = expert.copy()
    actions[:, 0] = [0.4, 0.25, 0.1]  # off by nothing, by 3/8 and by 3/4 of the speed
    actions[0, 3] = contract.lower[3]
    valid = np.array([True, True, True])
    found = score_continuing(
        [ComparedActions(actions, expert, valid),
         ComparedActions(actions[:1], expert[:1], valid[:1])],
        [np.array([False, True, False]), np.array([False])], contract, 5)
    assert found.episodes.steps.tolist() == [3, 1]
    assert [found.at[fraction].sum() for fraction in FRACTIONS] == [2, 1, 0]
    assert found.episodes.mistaken.tolist() == found.at[FRACTIONS[1]].tolist()
    assert found.gripper.sum(axis=1).tolist() == [1, 1]
    assert found.episodes.reached.tolist() == [[0, 1, 0, 0, 0], [0] * 5]


def test_a_task_without_a_hand_has_no_gripper_mistakes():
    contract, _ = find_contract('push')
    still = np.zeros((2, 2), np.float32)
    one = ComparedActions(still, still, np.ones(2, bool))
    assert score_continuing([one], [np.zeros(2, bool)], contract, 2).gripper is None
