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

"""The graph in real time with an arm behind a controller, through each of the adapters."""

import dataclasses

from geometry_msgs.msg import PoseStamped
from il_ros.contract.episode_spec import ABORTED, SUCCESS
from il_ros.errors import ControllerError, RobotError
from il_ros.nodes.expert import ExpertNode
from il_ros.nodes.observer import ObserverNode
from il_ros.nodes.recorder import RecorderNode
from il_ros.nodes.simulator import SimulatorNode
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.robots.controllers import CONTROLLERS
from il_ros.ros import qos
from il_ros_interfaces.msg import EpisodeStatus, Executed, Observation, RecordedEpisode
import numpy as np
import pytest
from seam import Bench, episode, Graph, reset
from shipped_arms import PANDA
from std_msgs.msg import Float64, Float64MultiArray
from std_srvs.srv import Trigger

ATTEMPTS = 4


class Behind(Graph):
    """The hot nodes in real time around an arm behind a controller."""

    def __init__(self, bench, runs, task: str, controller: str, joints: str = '',
                 observed: str = '', **supervisor):
        self.bench, self.runs, self.task = bench, runs, task
        self.observations = bench.listen(Observation, 'observation', qos.RECORD)
        self.executed = bench.listen(Executed, 'executed', qos.RECORD)
        self.statuses = bench.listen(EpisodeStatus, 'episode', qos.RECORD_STATUS)
        self.recorded = bench.listen(RecordedEpisode, 'recorded', qos.RECEIPTS)
        self.supervisor = bench.add(
            SupervisorNode, mode='realtime', command=controller, **supervisor)
        bench.add(ExpertNode, task=task, mode='realtime')
        bench.add(RecorderNode, runs=str(runs))
        bench.add(ObserverNode, contract=task, pairing='as_of', command=observed or controller)
        self.simulator = bench.add(
            SimulatorNode, task=task, mode='realtime', controller=controller,
            controller_joints=joints)
        assert bench.until(lambda: self.observations), 'the graph does not start'


@pytest.fixture
def one_bench():
    """Yield a bench on the executor of hot nodes."""
    with Bench('events') as made:
        yield made


def succeed(bench, runs, task: str, controller: str, **options):
    """Run an episode to its success; one that a busy machine aborted is repeated."""
    graph = Behind(bench, runs, task, controller, **options)
    for number in range(1, ATTEMPTS + 1):
        spec = dataclasses.replace(episode(number, horizon=0, task=task), continuing=False)
        receipt = graph.run(spec)
        if receipt.end != ABORTED:
            break
    assert receipt.cause == SUCCESS, receipt.error_msg
    assert graph.simulator.refused_commands == 0


@pytest.mark.parametrize('controller', ['joint_trajectory', 'twist'])
def test_the_arm_reaches_its_goal_behind_a_controller(one_bench, tmp_path, controller):
    succeed(one_bench, tmp_path, 'reach', controller)


@pytest.mark.drill
@pytest.mark.parametrize('controller', CONTROLLERS)
def test_an_episode_of_push_succeeds_through_every_adapter(one_bench, tmp_path, controller):
    succeed(one_bench, tmp_path, 'push', controller)


@pytest.mark.drill
@pytest.mark.parametrize('controller', ['joint_trajectory', 'pose'])
def test_the_gripper_is_moved_by_a_message_of_its_own(one_bench, tmp_path, controller):
    joints = '' if controller == 'pose' else ','.join(PANDA.joint_names[PANDA.arm])
    succeed(one_bench, tmp_path, 'pick_place', controller, joints=joints, gripper='commands')


def test_the_width_for_the_grippers_action_is_said_when_it_changes(one_bench, tmp_path):
    graph = Behind(one_bench, tmp_path, 'pick_place', 'forward_position',
                   joints=','.join(PANDA.joint_names[PANDA.arm]), gripper='action')
    heard = one_bench.listen(Float64, 'gripper_width', qos.LATCHED)
    graph.begin(episode(horizon=6, task='pick_place'))
    assert one_bench.until(lambda: graph.simulator.session.status.step > 3)
    assert [message.data for message in heard] == pytest.approx([PANDA.open_width])


def test_velocities_end_with_the_emergency_stop(one_bench, tmp_path):
    graph = Behind(one_bench, tmp_path, 'reach', 'forward_velocity')
    heard = one_bench.listen(Float64MultiArray, 'forward_velocity_controller/commands')
    graph.begin(episode(horizon=200))
    assert one_bench.until(lambda: heard and any(heard[-1].data))
    one_bench.call(Trigger, 'estop', Trigger.Request())
    assert one_bench.until(lambda: not any(heard[-1].data))
    held, session = len(heard), graph.simulator.session
    step = session.status.step
    assert one_bench.until(lambda: session.status.step > step + 2)
    before, step = session.state.joint_position, session.status.step
    assert one_bench.until(lambda: session.status.step > step + 4)
    assert not any(any(message.data) for message in heard[held:])
    np.testing.assert_allclose(session.state.joint_position, before, atol=2e-3)


def test_velocities_end_with_the_episode_and_with_the_observations(one_bench, tmp_path):
    graph = Behind(one_bench, tmp_path, 'reach', 'forward_velocity')
    heard = one_bench.listen(Float64MultiArray, 'forward_velocity_controller/commands')
    graph.run(episode(horizon=4))
    assert one_bench.until(lambda: heard and not any(heard[-1].data))
    graph.begin(episode(2, horizon=200))
    assert one_bench.until(lambda: any(heard[-1].data))
    graph.simulator.destroy_publisher(graph.simulator._outputs[-1][0])
    graph.simulator._outputs.pop()
    assert one_bench.until(lambda: not any(heard[-1].data))


def test_a_message_that_the_controller_ignores_is_counted_and_named(one_bench):
    simulator = one_bench.add(
        SimulatorNode, task='reach', mode='realtime', controller='forward_position')
    assert reset(one_bench, episode(horizon=1000)).error_code == 0
    commands = one_bench.talk(Float64MultiArray, 'forward_position_controller/commands')
    commands.publish(Float64MultiArray(data=[0.0] * 3))
    assert one_bench.until(lambda: simulator.refused_commands == 1)
    assert '3 positions; expected 9' in simulator.problem


def test_an_episode_whose_commands_are_all_ignored_ends(one_bench):
    simulator = one_bench.add(SimulatorNode, task='reach', mode='realtime', silence_s=0.4,
                              controller='forward_position')
    assert reset(one_bench, episode(horizon=1000)).error_code == 0
    commands = one_bench.talk(Float64MultiArray, 'forward_position_controller/commands')
    assert one_bench.until(lambda: commands.publish(Float64MultiArray(data=[0.0]))
                           or simulator.session.status.end == ABORTED)
    assert simulator.refused_commands > 1


def test_a_second_publisher_of_the_command_is_named_before_an_episode(one_bench, tmp_path):
    graph = Behind(one_bench, tmp_path, 'reach', 'pose')
    one_bench.probe.create_publisher(PoseStamped, 'target_pose', 1)
    assert one_bench.until(lambda: graph.supervisor.count_publishers('target_pose') == 2)
    assert one_bench.until(lambda: 'probe writes target_pose' in graph.arm(episode()).error_msg)


def test_a_pose_is_ignored_while_two_publish_it(one_bench):
    simulator = one_bench.add(SimulatorNode, task='reach', mode='realtime', controller='pose')
    assert reset(one_bench, episode(horizon=1000)).error_code == 0
    poses = one_bench.talk(PoseStamped, 'target_pose')
    second = one_bench.talk(PoseStamped, 'target_pose')
    poses.publish(PoseStamped())
    assert one_bench.until(lambda: simulator.refused_commands == 1)
    assert '2 nodes publish target_pose' in simulator.problem
    one_bench.probe.destroy_publisher(second)


@pytest.mark.parametrize('node, parameters, sentence', [
    (SupervisorNode, {'command': 'twist'}, 'command is twist; lockstep takes joint_state alone'),
    (SimulatorNode, {'task': 'reach', 'controller': 'pose'}, 'controller is pose; lockstep takes'),
    (SupervisorNode, {'gripper': 'commands'}, 'commands all joints'),
    (SupervisorNode, {'command': 'forward_position', 'mode': 'realtime',
                      'command_joints': 'panda_joint1, wheel'}, 'each once')])
def test_parameters_that_contradict_each_other_are_refused(
        one_bench, node, parameters, sentence):
    with pytest.raises((ControllerError, RobotError), match=sentence):
        one_bench.add(node, **parameters)


def test_a_task_that_grasps_is_refused_where_no_message_moves_the_fingers(one_bench, tmp_path):
    graph = Behind(one_bench, tmp_path, 'pick_place', 'pose')
    refused = graph.arm(episode(task='pick_place'))
    assert refused.error_code and 'set gripper to commands or action' in refused.error_msg


def test_a_contract_for_another_command_is_refused(one_bench, tmp_path):
    graph = Behind(one_bench, tmp_path, 'reach', 'pose', observed='twist')
    assert one_bench.until(lambda: 'is for command twist, the supervisor for pose' in
                           graph.arm(episode()).error_msg)


def test_the_order_of_the_joints_is_that_of_the_parameter(one_bench, tmp_path):
    order = ','.join(PANDA.joint_names[6::-1])
    supervisor = one_bench.add(
        SupervisorNode, mode='realtime', command='forward_position', command_joints=order)
    assert supervisor._commands._joints == PANDA.joint_names[6::-1]
