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

"""Pure types survive the way through their messages, bit for bit, and bad ones are refused."""

import dataclasses

from hypothesis import given, settings, strategies as st
from il_ros.contract import episode_spec as names
from il_ros.contract.contract import ContractError
from il_ros.contract.episode_spec import DrivePlan, EpisodeSpec, GATES, PURPOSES, SpecError
from il_ros.episodes.receipts import Receipt
from il_ros.ros.conversion.messages import contract_from_message, contract_to_message, float32s
from il_ros.ros.conversion.messages import receipt_from_message, receipt_to_message
from il_ros.ros.conversion.messages import spec_from_message, spec_to_message, to_ns, to_stamp
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.msg import Executed
import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message

numbers = st.integers(0, 2 ** 32 - 1)
shares = st.floats(0.0, 0.96875, width=32)
plans = st.builds(
    DrivePlan, driver=st.integers(1, 3), beta=shares, gate=st.sampled_from(GATES),
    threshold=shares, smoothing=shares, takeover_level=shares, release_threshold=shares,
    release_patience=numbers, hold_min=numbers, hold_max=numbers, target_rate=shares,
    noise_covariance=st.lists(shares, max_size=4).map(tuple), labels=st.integers(0, 2),
    seed=numbers)
specs = st.builds(
    EpisodeSpec, episode_id=st.from_regex(r'[a-z0-9][a-z0-9_-]{0,63}', fullmatch=True),
    run=st.just('demo'), task=st.text(st.characters(min_codepoint=33, max_codepoint=126)),
    purpose=st.sampled_from(PURPOSES), round=numbers, seed=numbers, horizon=numbers,
    continuing=st.booleans(), options=st.sampled_from(['', '{"bumps":2}']), plan=plans)


def over_the_wire(message):
    """Return what a reader gets."""
    return deserialize_message(serialize_message(message), type(message))


@settings(max_examples=60, deadline=None)
@given(specs)
def test_a_specification_is_the_same_after_its_way_over_the_wire(spec):
    assert spec_from_message(over_the_wire(spec_to_message(spec))) == spec


@settings(max_examples=30, deadline=None)
@given(specs, numbers, st.booleans(), shares)
def test_a_receipt_is_the_same_after_its_way_over_the_wire(spec, count, success, threshold):
    receipt = Receipt(
        spec, 'episodes/main/x.mcap', 'ab', 'cd', 2, count, count, 1, 2, success, count, count,
        count, count, count, count, threshold, 503, 'a reason')
    assert receipt_from_message(over_the_wire(receipt_to_message(receipt))) == receipt


@pytest.mark.parametrize('task', ['reach', 'push', 'pick_place'])
def test_a_contract_and_its_id_are_the_same_after_their_way_over_the_wire(task):
    contract, _ = find_contract(task)
    message = over_the_wire(contract_to_message(contract))
    assert contract_from_message(message) == contract
    assert message.id == contract_from_message(message).id == contract.id


@pytest.mark.parametrize('field, value', [
    ('run', '../../etc'), ('run', ''), ('episode_id', 'a/b'), ('episode_id', 'x' * 65),
    ('episode_id', 'Ä'), ('purpose', 'fun')])
def test_a_bad_specification_is_refused_by_field(field, value):
    message = spec_to_message(EpisodeSpec('a', 'demo', 'push'))
    setattr(message, field, value)
    with pytest.raises(SpecError, match=f'{field} is '):
        spec_from_message(message)


@pytest.mark.parametrize('field, value', [
    ('driver', 0), ('beta', 1.5), ('beta', float('nan')), ('gate', 'luck'), ('smoothing', 1.0),
    ('labels', 9)])
def test_a_bad_plan_is_refused_by_field(field, value):
    message = spec_to_message(EpisodeSpec('a', 'demo', 'push'))
    setattr(message.plan, field, value)
    with pytest.raises(SpecError, match=f'plan.{field} is '):
        spec_from_message(message)


def test_a_contract_that_contradicts_itself_is_refused():
    contract, _ = find_contract('push')
    message = contract_to_message(contract)
    message.features[2].start += 1
    with pytest.raises(ContractError, match='starts at'):
        contract_from_message(message)
    message = contract_to_message(contract)
    message.rate = 0.0
    with pytest.raises(ContractError, match='rate is 0.0; expected a finite number above 0'):
        contract_from_message(message)


@given(st.integers(-2 ** 31 * 10 ** 9, (2 ** 31) * 10 ** 9 - 1))
def test_a_stamp_is_exact_to_the_nanosecond(nanoseconds):
    stamp = to_stamp(nanoseconds)
    assert to_ns(stamp) == nanoseconds
    assert 0 <= stamp.nanosec < 10 ** 9


def test_values_are_rounded_to_float32_once_and_in_order():
    values = np.array([0.1, -1e-9, 3e38], np.float64)
    assert np.frombuffer(float32s(values), np.float32).tolist() == (
        values.astype(np.float32).tolist())


def test_every_field_of_a_specification_travels():
    spec = EpisodeSpec(
        'b', 'other', 'reach', 'validation', 7, 8, 9, True, '{}',
        DrivePlan(2, 0.5, 'discrepancy', 0.25, 0.5, 0.75, 0.125, 4, 5, 6, 0.0, (1.0,), 1, 11))
    for whole, default in ((spec, EpisodeSpec('a', 'demo', 'push')), (spec.plan, DrivePlan())):
        for field in dataclasses.fields(whole):
            if field.name != 'target_rate':
                assert getattr(whole, field.name) != getattr(default, field.name), field.name
    assert spec_from_message(spec_to_message(spec)) == spec


def test_the_numbers_of_a_plan_are_those_that_a_message_carries():
    plan = DrivePlan(beta=2 / 3, noise_covariance=(1 / 3,))
    assert (plan.smoothing, plan.release_threshold, plan.beta) == (0.7, 0.3, 0.6666667)
    spec = EpisodeSpec('a', 'demo', 'push', plan=plan)
    assert spec_from_message(over_the_wire(spec_to_message(spec))) == spec


@pytest.mark.parametrize('name', [
    'CLAMPED_POSITION', 'CLAMPED_VELOCITY', 'CLAMPED_WORKSPACE', 'REFUSED_NOT_FINITE',
    'REFUSED_MISSING', 'STOPPED', 'NO_SOLUTION', 'BLENDED'])
def test_the_bits_of_the_limits_are_those_of_the_message(name):
    assert getattr(names, name) == getattr(Executed, name)
