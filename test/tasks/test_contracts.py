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

"""Contracts by name: composed from task and robot, the same that recordings have always had."""

from il_ros.contract.contract import ContractError
from il_ros.contract.contract_file import load_contract
from il_ros.tasks.contracts import contract_text, find_contract
import pytest

GOLDEN = {
    'reach': '13438242082504142436',
    'push': '9653186776723479392',
    'pick_place': '16191714521809726111',
    'stack': '14288791939426961088',
    'insert': '6438026141329615350',
    'tower': '11849372993975749015',
    'reach_image': '3836304062527472222',
    'push_image': '12893356577353712846'}
"""Identities that recordings and checkpoints bear."""


@pytest.mark.parametrize('name', GOLDEN)
def test_recordings_keep_the_contract_that_they_were_made_with(name, tmp_path):
    contract, sources = find_contract(name)
    assert (contract.name, str(contract.id)) == (name, GOLDEN[name])
    file = tmp_path / f'{name}.yaml'
    file.write_text(contract_text(name))
    assert load_contract(file) == (contract, sources) == find_contract(str(file))


def test_every_task_has_a_contract_by_images_in_which_only_the_robot_is_told():
    contract, _ = find_contract('stack_image')
    assert [feature.name for feature in contract.features if not feature.privileged] == [
        'camera', 'joint_position', 'joint_velocity', 'gripper_opening', 'tool_position',
        'tool_orientation']
    assert {feature.name for feature in contract.features if feature.privileged} == {
        'object_position', 'object_orientation', 'base_position', 'base_orientation'}


@pytest.mark.parametrize('name', ['moon', 'moon_image'])
def test_what_is_no_contract_is_answered_by_the_tasks_that_there_are(name):
    with pytest.raises(ContractError,
                       match=f"no contract '{name}': there is no task '{name}'; there are reach"):
        find_contract(name)
    with pytest.raises(ContractError, match='my/own.yaml: cannot be read'):
        find_contract('my/own.yaml')
