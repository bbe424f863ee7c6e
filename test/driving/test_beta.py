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

"""Beta schedules against the formulas of the paper."""

from il_ros.driving.mixing import BetaError, Exponential, Indicator, Linear, make_beta
import pytest


@pytest.mark.parametrize('beta', [Indicator(), Exponential(0.3), Linear(4)])
def test_the_expert_alone_demonstrates(beta):
    assert beta(0) == 1.0


def test_the_indicator_leaves_the_first_rollout_to_the_policy():
    assert [Indicator()(round_) for round_ in (1, 2, 9)] == [0.0, 0.0, 0.0]


def test_the_exponential_schedule_multiplies_by_p_a_round():
    assert [Exponential(0.5)(round_) for round_ in (1, 2, 3)] == [0.5, 0.25, 0.125]


def test_the_linear_schedule_reaches_zero_and_stays_there():
    assert [Linear(4)(round_) for round_ in (1, 2, 4, 7)] == [0.75, 0.5, 0.0, 0.0]


@pytest.mark.parametrize('settings, beta', [
    ({}, Indicator()), ({'schedule': 'exponential', 'p': 0.2}, Exponential(0.2)),
    ({'schedule': 'linear', 'rounds': 3}, Linear(3))])
def test_a_schedule_is_made_from_its_settings(settings, beta):
    assert make_beta(settings) == beta


@pytest.mark.parametrize('settings, words', [
    ({'schedule': 'cosine'}, "'cosine'; expected one of"),
    ({'schedule': 'linear', 'p': 0.1}, "beta has the unknown key 'p'; known are rounds"),
    ({'schedule': 'exponential', 'p': 1.5}, r'beta.p is 1.5; expected .* at least 0, below 1'),
    ({'schedule': 'exponential', 'p': '0.5'}, "beta.p is '0.5'; expected a number"),
    ({'schedule': 'linear', 'rounds': 0}, 'beta.rounds is 0; expected .* of at least 1'),
    ({'schedule': ['linear']}, 'expected one of indicator, exponential, linear'),
    ('linear', 'expected a mapping')])
def test_a_wrong_setting_is_named(settings, words):
    with pytest.raises(BetaError, match=words):
        make_beta(settings)


def test_schedules_without_settings_have_the_documented_ones():
    assert make_beta({'schedule': 'exponential'})(1) == 0.5
    assert make_beta({'schedule': 'linear'})(1) == pytest.approx(0.8)


@pytest.mark.parametrize('beta', [Indicator(), Exponential(0.3), Linear(4)])
def test_before_the_first_round_the_expert_drives(beta):
    assert beta(-1) == 1.0
