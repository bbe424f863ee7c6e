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

"""Requests with a number that is not finite are refused before anything of them is begun."""

from action_msgs.msg import GoalStatus
from il_ros.contract.episode_spec import POLICY
from il_ros.nodes.simulator import SimulatorNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_to_message, spec_to_message
from il_ros.ros.refusals import refusals_of
from il_ros_interfaces.action import CollectEpisodes
from il_ros_interfaces.msg import Contract, Drive
from il_ros_interfaces.srv import ResetTask, SetDriver
import pytest
from recording_stage import Stage
from seam import episode
from test_collector import done, Hall
from test_coordinator import CONTRACT, Hall as Coordinated
from test_supervisor import Arm

NAN, INFINITE = float('nan'), float('inf')
GATED = {'driver': POLICY, 'gate': 'novelty'}


@pytest.mark.parametrize('field', ['threshold', 'target_rate', 'release_threshold'])
def test_a_plan_with_a_number_that_is_not_finite_is_not_armed(bench, field):
    made = Arm(bench)
    spec = spec_to_message(episode(**GATED))
    setattr(spec.plan, field, NAN)
    refused = bench.call(SetDriver, 'set_driver', SetDriver.Request(spec=spec))
    assert refused.error_code == SetDriver.Response.BAD_PLAN
    assert refused.error_msg.endswith(f'plan.{field} is nan; expected a finite number')
    assert made.supervisor._arbiter is None


@pytest.mark.parametrize('value', [NAN, INFINITE])
def test_a_threshold_to_start_from_that_is_not_finite_is_not_armed(bench, value):
    made = Arm(bench)
    refused = bench.call(SetDriver, 'set_driver', SetDriver.Request(
        spec=spec_to_message(episode(**GATED)), gate_threshold=value))
    assert refused.error_code == SetDriver.Response.BAD_PLAN
    assert refused.error_msg.startswith(f'gate_threshold is {value}; expected a finite number')
    assert made.supervisor._arbiter is None


def test_a_reset_with_a_number_that_is_not_finite_is_refused_and_counted(bench):
    simulator = bench.add(SimulatorNode)
    spec = spec_to_message(episode(**GATED))
    spec.plan.threshold = NAN
    refused = bench.call(ResetTask, 'reset_task', ResetTask.Request(spec=spec))
    assert refused.error_code == ResetTask.Response.BAD_SPEC
    assert refused.error_msg == 'spec.plan.threshold is nan; expected a finite number'
    assert refusals_of(simulator).count == 1


@pytest.mark.parametrize('spoil, field', [
    (lambda goal: setattr(goal, 'gate_threshold', NAN), 'gate_threshold'),
    (lambda goal: setattr(goal.episodes[1].plan, 'threshold', NAN), 'plan.threshold'),
    (lambda goal: setattr(goal.episodes[1].plan, 'takeover_level', 1.0), 'plan.takeover_level')])
def test_a_goal_whose_last_episode_cannot_be_run_is_refused_before_the_first(
        slow_bench, spoil, field):
    hall = Hall(slow_bench)
    specs = [episode(1), episode(2, **GATED)]
    hall.receipts = {spec.episode_id: done(spec) for spec in specs}
    goal = CollectEpisodes.Goal(
        episodes=[spec_to_message(spec) for spec in specs], gate_threshold=-1.0)
    spoil(goal)
    status, result = slow_bench.outcome(slow_bench.send(hall.client, goal))
    assert (status, result.error_code) == (
        GoalStatus.STATUS_ABORTED, CollectEpisodes.Result.BAD_GOAL)
    assert result.error_msg.startswith(f'{field} is ')
    assert hall.asked == []


def test_a_threshold_that_is_not_finite_at_the_end_is_not_noted_in_the_receipt(bench, tmp_path):
    stage = Stage(bench, tmp_path)
    drives = bench.talk(Drive, 'drive', qos.LATCHED)
    stage.open()
    drives.publish(Drive(episode_id=episode().episode_id, threshold=NAN))
    stage.play(3)
    receipt = stage.receipt()
    assert (receipt.error_code, receipt.gate_threshold) == (0, -1.0)


def test_a_contract_with_a_number_that_is_not_finite_does_not_end_the_coordinator(
        slow_bench, tmp_path):
    hall = Coordinated(slow_bench, tmp_path, call_deadline_s=0.5)
    wrong = contract_to_message(CONTRACT)
    wrong.rate = NAN
    slow_bench.talk(Contract, 'contract', qos.LATCHED).publish(wrong)
    status, result = hall.run(task='moon')
    assert status == GoalStatus.STATUS_ABORTED
    assert "'moon'" in result.error_msg
