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

"""A policy runs on the contract that it was trained on, and on no other."""

import dataclasses

from il_ros.errors import ContractMismatchError
from il_ros.learning import checkpoint
import pytest


def test_a_policy_fits_the_contract_that_it_was_trained_on(policy, contract):
    checkpoint.check(policy, contract)
    checkpoint.check(policy, dataclasses.replace(contract, name='renamed'))


def _feature(contract, at, **changes):
    features = list(contract.features)
    features[at] = dataclasses.replace(features[at], **changes)
    return dataclasses.replace(contract, features=tuple(features))


def _action(contract, at, **changes):
    actions = list(contract.actions)
    actions[at] = dataclasses.replace(actions[at], **changes)
    return dataclasses.replace(contract, actions=tuple(actions))


@pytest.mark.parametrize('change, expected, found', [
    (lambda c: dataclasses.replace(c, rate=50.0), '20 Hz', '50 Hz'),
    (lambda c: dataclasses.replace(c, features=c.features[:3]), 'expected 9', 'found 7'),
    (lambda c: dataclasses.replace(c, action_space=1), 'expected 0', 'found 1'),
    (lambda c: dataclasses.replace(c, action_frame_id='tool'), 'expected base', 'found tool'),
    (lambda c: dataclasses.replace(c, actions=c.actions[:2]), 'gripper_opening [0, 0.08] m', ''),
    (lambda c: dataclasses.replace(c, actions=c.actions[1::-1] + c.actions[2:]),
     'expected linear_x [-0.5, 0.5] m/s, linear_y', 'found linear_y [-0.25, 0.5] m/s, linear_x'),
    (lambda c: _action(c, 0, upper=1.0), 'linear_x [-0.5, 0.5]', 'linear_x [-0.5, 1]'),
    (lambda c: _action(c, 0, unit='mm/s'), '0.5] m/s', '0.5] mm/s'),
    (lambda c: _feature(c, 1, name='flange'), 'tool_position: expected (x y z)', 'found none'),
    (lambda c: _feature(c, 1, elements=('z', 'y', 'x')), '(x y z)', '(z y x)'),
    (lambda c: _feature(c, 1, unit='mm'), "'m'", "'mm'"),
    (lambda c: _feature(c, 2, frame_id='camera'), "frame 'base'", "frame 'camera'"),
    (lambda c: _feature(c, 2, privileged=True), 'expected', 'privileged')])
def test_a_policy_of_another_contract_is_refused_with_expected_and_found(
        policy, contract, change, expected, found):
    with pytest.raises(ContractMismatchError) as refusal:
        checkpoint.check(policy, change(contract))
    assert expected in str(refusal.value)
    assert found in str(refusal.value)
    assert refusal.value.code == 611
