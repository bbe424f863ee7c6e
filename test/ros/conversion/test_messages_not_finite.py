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

"""Numbers that are not finite are refused where they come in, with the name of their field."""

from il_ros.contract.contract import ContractError
from il_ros.contract.episode_spec import EpisodeSpec, SpecError
from il_ros.episodes.receipts import Receipt
from il_ros.ros.conversion.labels import BadAnswerError, read_response
from il_ros.ros.conversion.messages import contract_from_message, contract_to_message
from il_ros.ros.conversion.messages import receipt_from_message, receipt_to_message
from il_ros.ros.conversion.messages import spec_from_message, spec_to_message
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.msg import DrivePlan
from il_ros_interfaces.srv import LabelObservations
import pytest

NOT_FINITE = [float('nan'), float('inf'), float('-inf')]
SPEC = EpisodeSpec(episode_id='rollout-r01-004000', run='demo', task='push')
CONTRACT, _ = find_contract('push')
FLOATS = [name for name, kind in DrivePlan.get_fields_and_field_types().items()
          if kind == 'float']


@pytest.mark.parametrize('value', NOT_FINITE)
@pytest.mark.parametrize('field', FLOATS)
def test_each_float_of_a_plan_is_refused_by_field(field, value):
    message = spec_to_message(SPEC)
    setattr(message.plan, field, value)
    with pytest.raises(SpecError, match=rf'plan\.{field} is (nan|inf|-inf); expected a finite'):
        spec_from_message(message)


@pytest.mark.parametrize('value', NOT_FINITE)
def test_a_covariance_is_refused_by_its_field(value):
    message = spec_to_message(SPEC)
    message.plan.noise_covariance = [1.0, value]
    with pytest.raises(SpecError, match=r'plan\.noise_covariance .* expected finite numbers'):
        spec_from_message(message)


@pytest.mark.parametrize('value', NOT_FINITE)
def test_each_float_of_a_contract_is_refused_by_field(value):
    message = contract_to_message(CONTRACT)
    message.rate = value
    with pytest.raises(ContractError, match='rate is (nan|inf|-inf); expected a finite'):
        contract_from_message(message)
    for field in ('lower', 'upper'):
        message = contract_to_message(CONTRACT)
        setattr(message.actions[1], field, value)
        with pytest.raises(ContractError, match=f'linear_y: {field} is (nan|inf|-inf)'):
            contract_from_message(message)


@pytest.mark.parametrize('value', NOT_FINITE)
def test_a_receipt_is_refused_by_field(value):
    message = receipt_to_message(Receipt(SPEC))
    message.gate_threshold = value
    with pytest.raises(SpecError, match='gate_threshold is (nan|inf|-inf)'):
        receipt_from_message(message)


@pytest.mark.parametrize('value', [*NOT_FINITE, -1.0])
def test_a_labelling_service_says_a_finite_time_that_is_not_negative(value):
    with pytest.raises(BadAnswerError, match='took (nan|inf|-inf|-1.0) s; expected a finite'):
        read_response(LabelObservations.Request(), LabelObservations.Response(seconds=value),
                      CONTRACT)
