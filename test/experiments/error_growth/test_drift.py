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

"""How far visited states lie from a training set: distances, held ends, the curve over time."""

from il_ros.experiments.error_growth.analysis import weights
from il_ros.experiments.error_growth.drift import curve, Drift, held, nearest
import numpy as np
import pytest


def test_the_distance_is_that_to_the_nearest_training_state():
    training = np.array([[0.0, 0.0], [10.0, 0.0]], np.float32)
    states = np.array([[0.0, 0.0], [3.0, 4.0], [9.0, 0.0]], np.float32)
    np.testing.assert_allclose(nearest(states, training), (0.0, 5.0, 1.0), atol=1e-6)


def test_many_states_are_measured_in_blocks_to_the_same_numbers(monkeypatch):
    rng = np.random.default_rng(0)
    states, training = rng.normal(size=(50, 4)), rng.normal(size=(30, 4))
    wanted = np.linalg.norm(states[:, None] - training, axis=2).min(axis=1)
    for block in (1, 95, 10_000):
        monkeypatch.setattr('il_ros.experiments.error_growth.drift._BLOCK', block)
        np.testing.assert_allclose(nearest(states, training), wanted, atol=1e-6)


def test_an_episode_that_ended_stays_where_it_ended():
    rows = held([np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0, 6.0])], 4)
    np.testing.assert_array_equal(rows, [[1, 2, 2, 2], [3, 4, 5, 6]])


def test_the_curve_is_the_mean_of_episodes_over_the_steps_between_its_points():
    drift = Drift(np.array([[1.0, 2.0, 4.0, 6.0], [3.0, 2.0, 0.0, 0.0]]), 7, 0.5)
    weight = np.array([[1.0, 1.0], [2.0, 0.0]])
    np.testing.assert_allclose(curve(drift, (1, 2, 4), weight), [[2.0, 2.0, 2.5], [1, 2, 5]])


def test_episodes_are_resampled_whole():
    drift = Drift(np.repeat([[0.0], [1.0]], 50, axis=0) + np.zeros(8), 7, 0.5)
    drawn = curve(drift, (8,), weights(100, np.random.default_rng(0), 400))[1:, 0]
    assert np.std(drawn) == pytest.approx(0.05, rel=0.15)


def test_no_episode_has_no_drift():
    with pytest.raises(ValueError, match='expected'):
        Drift(np.zeros((0, 5)), 7, 0.5)
