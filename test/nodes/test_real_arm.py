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

"""A real arm, played by a script, and a person at a gamepad: what one presses, and what happens."""

from fake_arm import FakeArm
from gamepad import DEAD_MAN, DISCARD, FAILURE, Gamepad, REDO, START, SUCCESS
from il_ros.contract.episode_spec import DrivePlan, episode_id, EpisodeSpec, FAULT, HOLD, OPERATOR
from il_ros.contract.episode_spec import POLICY, RUNNING, TELEOP, TERMINATED, TRUNCATED
from il_ros.episodes.reader import read_episode
from il_ros.interactive.strategy import person_plan
from il_ros.nodes.collector import CollectorNode
from il_ros.nodes.observer import ObserverNode
from il_ros.nodes.operator_task import OperatorTaskNode
from il_ros.nodes.recorder import RecorderNode
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.nodes.teleop import TeleopNode
from il_ros.robots.way_home import is_home
from il_ros.ros import qos
from il_ros.ros.conversion.messages import receipt_from_message, spec_to_message
from il_ros_interfaces.action import CollectEpisodes
from il_ros_interfaces.msg import EpisodeStatus, Observation, RecordedEpisode
from il_ros_interfaces.srv import ResetTask
import numpy as np
import pytest
from rclpy.action import ActionClient
from seam import Script
from shipped_arms import PANDA
from std_srvs.srv import Trigger

CONTRACT = """\
rate: 20.0
frame_id: panda_link0
action_space: tool_velocity
actions:
  - {name: linear_x, unit: m/s, lower: -0.3, upper: 0.3}
  - {name: linear_y, unit: m/s, lower: -0.3, upper: 0.3}
  - {name: linear_z, unit: m/s, lower: -0.3, upper: 0.3}
features:
  - {name: joint_position, topic: joint_states, field: position, unit: rad, joints: [%s]}
  - {name: tool_position, topic: tool_pose, field: position, unit: m}
""" % ', '.join(PANDA.joint_names[PANDA.arm])


class Cell:
    """One real arm with its nodes, and a person."""

    def __init__(self, bench, folder, start=PANDA.home):
        contract = folder / 'cups.yaml'
        contract.write_text(CONTRACT)
        self.bench, self.runs = bench, folder
        self.recorded = bench.listen(RecordedEpisode, 'recorded', qos.RECEIPTS)
        self.observations = bench.listen(Observation, 'observation', qos.RECORD)
        self.statuses = bench.listen(EpisodeStatus, 'episode', qos.RECORD_STATUS)
        self.arm = FakeArm(bench.probe, PANDA, start)
        self.pad = Gamepad(bench.probe)
        bench.add(OperatorTaskNode, task='cups', contract=str(contract), horizon=400)
        bench.add(ObserverNode, contract=str(contract), pairing='as_of', beat='episode',
                  tool_pose_from='joints')
        self.supervisor = bench.add(SupervisorNode, mode='realtime', go_home=True, home_speed=1.0)
        bench.add(RecorderNode, runs=str(folder))
        bench.add(TeleopNode)
        bench.add(CollectorNode, always_start=True, operator_start=True)
        self.collect = ActionClient(bench.probe, CollectEpisodes, 'collect_episodes')
        assert bench.until(lambda: self.observations and self.collect.server_is_ready())

    def ask(self, *specs: EpisodeSpec):
        """Ask for episodes; a person has to start each."""
        return self.bench.send(self.collect, CollectEpisodes.Goal(
            episodes=[spec_to_message(spec) for spec in specs], gate_threshold=-1.0))

    def begin(self, spec: EpisodeSpec):
        """Press start until an episode runs."""
        def running():
            return self.statuses and self.statuses[-1].phase == RUNNING and (
                self.statuses[-1].episode_id == spec.episode_id)
        for _ in range(100):
            self.pad.press(START, self.bench.until)
            if self.bench.until(running, 0.3):
                return
        raise AssertionError(f'{spec.episode_id} does not begin')

    def drive(self, steps: int = 6, **sticks):
        """Hold the dead-man's button, push the sticks, and let go after some steps."""
        first = self.statuses[-1].step
        self.pad.push(**sticks)
        self.pad.hold(DEAD_MAN)
        assert self.bench.until(lambda: self.statuses[-1].step >= first + steps)
        self.pad.push()
        self.pad.hold(DEAD_MAN, False)

    def receipt(self, number: int):
        """Wait for a receipt, by its place."""
        assert self.bench.until(lambda: len(self.recorded) > number), 'no receipt'
        return receipt_from_message(self.recorded[number])

    def trigger(self, name: str):
        """Call a service without content."""
        return self.bench.call(Trigger, name, Trigger.Request())


def spec(seed: int, horizon: int = 0, plan: DrivePlan | None = None) -> EpisodeSpec:
    """Return the specification of a demonstration, a person's if no plan is given."""
    return EpisodeSpec(
        episode_id('demonstration', 0, seed), 'hand', 'cups', seed=seed, horizon=horizon,
        plan=plan or person_plan(0))


@pytest.fixture
def cell(slow_bench, tmp_path) -> Cell:
    """Return a cell whose arm stands at home."""
    return Cell(slow_bench, tmp_path)


def test_a_person_records_a_success_a_failure_and_a_discarded_attempt(cell):
    specs = [spec(seed) for seed in range(3)]
    handle = cell.ask(*specs)
    for number, (one, button) in enumerate(zip(specs, (SUCCESS, FAILURE, DISCARD))):
        cell.begin(one)
        cell.drive(x=0.6, z=0.6)
        assert not is_home(PANDA, cell.arm.q) or number
        cell.pad.press(button, cell.bench.until)
        receipt = cell.receipt(number)
        assert (receipt.end, receipt.cause) == (TERMINATED, OPERATOR)
        assert receipt.success == (button == SUCCESS)
    status, result = cell.bench.outcome(handle)
    assert (result.error_code, len(result.episodes)) == (0, 3)
