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

"""Where an arm offers no ``tool_pose``: the pose comes from its joints, by forward kinematics."""

from il_ros.contract.episode_spec import EXPERT
from il_ros.episodes.reader import read_episode
from il_ros.errors import ImitationError
from il_ros.nodes.observer import ObserverNode
from il_ros.tasks.contracts import contract_text
import numpy as np
import pytest
from seam import Bench, episode, Graph
from sensor_msgs.msg import JointState
from shipped_arms import PANDA


def contract_file(folder, frame: str = PANDA.base_frame):
    """Return the path of reach's contract with the tool's pose from the joints."""
    path = folder / 'reach.yaml'
    path.write_text(contract_text('reach').replace(
        'topic: tool_pose,', 'topic: tool_pose, source: joint_states,').replace(
        f'frame_id: {PANDA.base_frame}', f'frame_id: {frame}'))
    return str(path)


@pytest.mark.parametrize('by_file', [False, True])
def test_an_episode_with_computed_poses_is_the_one_with_those_of_the_arm(tmp_path, by_file):
    rows, contents, contracts = [], [], []
    observers = ({}, {} if by_file else {'tool_pose_from': 'joints'})
    names = ('reach', contract_file(tmp_path) if by_file else 'reach')
    for number, (observer, name) in enumerate(zip(observers, names)):
        with Bench('events') as bench:
            graph = Graph(bench, tmp_path / str(number), contract=name, observer=observer)
            topics = graph.observer._extract.topics
            receipt = graph.run(episode(3, 30, 'reach', EXPERT))
            recorded = read_episode(graph.path(receipt))
        assert ('tool_pose' in topics) is (number == 0)
        rows.append(recorded.contract.values(recorded.observations, 'tool_position'))
        contents.append(receipt.content_sha256)
        contracts.append(recorded.contract.id)
    assert np.abs(rows[0] - rows[1]).max() < 1e-6, 'm'
    assert np.ptp(rows[0], axis=0).max() > 0.05, 'the tool hardly moved'
    assert contents[0] == contents[1], 'the same kinematics give the same bits'
    assert contracts[0] == contracts[1], 'a policy fits both'


def test_joints_come_in_any_order_and_nan_is_named(bench, kinematics):
    observer = bench.add(ObserverNode, contract='reach', tool_pose_from='joints')
    read = observer._extract._readers[3][1]
    joints = dict(zip(PANDA.joint_names, PANDA.home))
    shuffled = JointState(name=list(joints)[::-1], position=list(joints.values())[::-1])
    np.testing.assert_array_equal(read(shuffled), kinematics.forward(PANDA.home)[0])
    shuffled.position[-1] = float('nan')
    with pytest.raises(ImitationError, match=r'position of panda_joint1 is not finite'):
        read(shuffled)


def test_poses_of_another_frame_than_the_kinematics_are_refused(tmp_path):
    with Bench('single') as bench, pytest.raises(ImitationError, match=(
            "tool_position is in frame 'world'; the kinematics are in 'panda_link0'")):
        bench.add(ObserverNode, contract=contract_file(tmp_path, 'world'))


def test_a_pose_that_is_computed_is_not_listened_to(bench):
    bench.add(ObserverNode, contract='reach', tool_pose_from='joints')
    assert bench.until(lambda: bench.probe.count_subscribers('joint_states') == 1)
    assert bench.probe.count_subscribers('tool_pose') == 0
