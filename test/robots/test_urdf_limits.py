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

"""Limits of a robot beside those of a URDF."""

from il_ros.errors import RobotError
from il_ros.robots.model import find_robot
from il_ros.robots.urdf_limits import limit_findings
import pytest

URDF = """<robot name="two">
  <joint name="lift" type="prismatic"><limit lower="0" upper="0.5" velocity="0.2"/></joint>
  <joint name="turn" type="continuous"><limit lower="-1" upper="1" velocity="2"/></joint>
  <joint name="free" type="revolute"/>
</robot>"""
INSIDE = {'names': ('lift', 'turn'), 'lower': (0.0, -9.0), 'upper': (0.5, 9.0),
          'velocity': (0.2, 2.0)}


def test_limits_inside_those_of_the_urdf_are_no_finding():
    assert limit_findings(**INSIDE, urdf=URDF) == []
    assert limit_findings(('free',), (-99.0,), (99.0,), (99.0,), URDF) == []


@pytest.mark.parametrize('field, values, sentence', [
    ('lower', (-0.1, -9.0), 'the lower limit of lift is -0.1, beyond 0 of the URDF'),
    ('upper', (0.6, 9.0), 'the upper limit of lift is 0.6, beyond 0.5 of the URDF'),
    ('velocity', (0.2, 2.5), 'the speed of turn is 2.5, beyond 2 of the URDF'),
    ('names', ('lift', 'wrist'), 'wrist is no joint of the URDF')])
def test_a_wider_limit_is_said_with_both_values(field, values, sentence):
    assert limit_findings(**{**INSIDE, field: values}, urdf=URDF) == [sentence]


@pytest.mark.parametrize('text', ['', 'no XML', URDF.replace('"0.5"', '"far"')])
def test_a_text_that_is_no_urdf_is_refused(text):
    with pytest.raises(RobotError, match='the text is no URDF: '):
        limit_findings(**INSIDE, urdf=text)


def test_the_robots_of_this_package_keep_inside_their_urdf():
    robot = find_robot('panda')
    with open(robot.urdf) as file:
        assert not limit_findings(robot.joint_names, robot.lower, robot.upper, robot.velocity,
                                  file.read())
