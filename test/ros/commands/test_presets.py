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

"""The presets of arms: parameters that the nodes have, and the warning that they are untried."""

from pathlib import Path

from il_ros.nodes.gripper import GripperParameters
from il_ros.nodes.observer import ObserverParameters
from il_ros.ros.supervision.parameters import SupervisorParameters
import pytest
import yaml

PRESETS = sorted((Path(__file__).resolve().parent.parent.parent.parent / 'config' / 'arms').glob(
    '*.yaml'))
KINDS = {'supervisor': SupervisorParameters, 'gripper': GripperParameters,
         'observer': ObserverParameters}


@pytest.mark.parametrize('path', PRESETS, ids=lambda path: path.stem)
def test_a_preset_has_parameters_that_there_are_and_says_that_it_was_not_tried(path):
    text = path.read_text()
    assert 'NOT TRIED ON HARDWARE' in text.splitlines()[0]
    for node, values in yaml.safe_load(text).items():
        kind = KINDS[node.removeprefix('/**/')]
        given = kind(**values['ros__parameters'])
        for name, field in kind.__dataclass_fields__.items():
            value, allowed = getattr(given, name), field.metadata.get('allowed')
            assert not allowed or value in allowed
            assert type(value) is type(field.default), name


def test_there_are_presets_of_four_arms():
    assert [path.stem for path in PRESETS] == ['franka', 'kinova', 'ur', 'xarm']


def test_the_preset_of_ur_speaks_to_the_controller_that_its_driver_starts():
    [path] = [path for path in PRESETS if path.stem == 'ur']
    given = yaml.safe_load(path.read_text())['/**/supervisor']['ros__parameters']
    assert given['command_topic'] == 'scaled_joint_trajectory_controller/joint_trajectory'
