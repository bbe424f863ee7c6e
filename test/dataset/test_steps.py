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

"""Windows and chunks are cut from one episode each."""

from il_ros.dataset.steps import Steps
import numpy as np
import pytest


def steps(valid: list[int], starts: list[int]) -> Steps:
    """Return rows whose observation is their number and whose label is ten times that."""
    rows = np.arange(len(valid), dtype=np.float32)[:, None]
    return Steps(rows, 10.0 * rows, np.array(valid, bool), np.array(starts))


def test_a_window_begins_with_its_episode():
    found = steps([1] * 5, [0, 2]).windows(3)
    assert found.tolist() == [[0, 0, 0], [0, 0, 1], [2, 2, 2], [2, 2, 3], [2, 3, 4]]


def test_a_window_shows_steps_without_a_label_but_is_not_made_for_them():
    assert steps([0, 1, 0, 1], [0]).windows(2).tolist() == [[0, 1], [2, 3]]


def test_a_chunk_ends_with_its_episode_and_is_padded():
    rows, counts = steps([1] * 5, [0, 2]).chunks(3)
    assert rows.tolist() == [[0, 1, 0], [1, 1, 1], [2, 3, 4], [3, 4, 3], [4, 4, 4]]
    assert counts.sum(axis=1).tolist() == [2, 1, 3, 2, 1]


def test_a_chunk_ends_before_the_first_step_without_a_label():
    rows, counts = steps([1, 1, 0, 1, 1], [0]).chunks(3)
    assert counts.tolist() == [[True, True, False], [True, False, False], [True, True, False],
                               [True, False, False]]
    assert rows[0].tolist() == [0, 1, 0]


@pytest.mark.parametrize('starts', [[], [1], [0, 0], [0, 5], [0, 3, 2]])
def test_episodes_that_do_not_start_in_order_are_refused(starts):
    with pytest.raises(ValueError, match='expected ascending'):
        steps([1] * 5, starts)


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match='expected as many'):
        Steps(np.zeros((3, 1)), np.zeros((2, 1)), np.ones(3, bool), np.array([0]))
