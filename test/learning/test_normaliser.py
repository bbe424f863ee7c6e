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

"""Scaling of inputs and actions."""

from il_ros.errors import LearningError, NoDataError, NotFiniteError
from il_ros.learning.normaliser import FLOORS, Normaliser
import numpy as np
import pytest


def test_columns_get_zero_mean_and_unit_variance():
    data = np.random.default_rng(0).normal([1.0, -3.0], [0.5, 2.0], (2000, 2)).astype(np.float32)
    scaled = Normaliser.fit(data, ['m', 'rad']).apply(data)
    np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0), 1.0, atol=1e-5)


@pytest.mark.parametrize('unit', FLOORS)
def test_a_nearly_constant_column_is_not_blown_up(unit):
    data = np.array([[0.3], [0.3 + 1e-6]], np.float32)
    normaliser = Normaliser.fit(data, [unit])
    assert normaliser.sd[0] == np.float32(FLOORS[unit])
    assert np.abs(normaliser.apply(data)).max() < 1e-3


def test_undo_undoes():
    data = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    normaliser = Normaliser.fit(data, ['m', 'm'])
    back = normaliser.undo(normaliser.apply(data))
    np.testing.assert_allclose(back, data, atol=1e-6)
    assert back.dtype == np.float32


def test_the_mean_of_many_large_values_is_exact():
    data = np.full((1_000_000, 1), 1000.1, np.float32)
    assert Normaliser.fit(data, ['m']).mean[0] == np.float32(1000.1)


@pytest.mark.parametrize('make, error', [
    (lambda: Normaliser.fit(np.zeros((0, 1)), ['m']), NoDataError),
    (lambda: Normaliser.fit(np.zeros((2, 1)), ['furlong']), LearningError),
    (lambda: Normaliser.fit(np.array([[np.nan]]), ['m']), NotFiniteError),
    (lambda: Normaliser(np.zeros(2, 'f4'), np.ones(3, 'f4')), LearningError),
    (lambda: Normaliser(np.zeros(2, 'f4'), np.zeros(2, 'f4')), LearningError)])
def test_what_cannot_scale_is_refused(make, error):
    with pytest.raises(error):
        make()
