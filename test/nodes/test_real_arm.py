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

"""A real arm, played by a script, and a person at a gamepad: presses, and what follows."""

import subprocess
import sys
import time

from fake_arm import FakeArm
from gamepad import DEAD_MAN, DISCARD, FAILURE, Gamepad, REDO, START, SUCCESS
from il_ros.contract.episode_spec import ABORTED, DrivePlan, episode_id, EpisodeSpec, FAULT, HOLD
from il_ros.contract.episode_spec import LABEL_NONE, OPERATOR, POLICY, RUNNING, TELEOP, TERMINATED
from il_ros.contract.episode_spec import TRUNCATED
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import DISCARDED
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
import numpy as np
import pytest
from rclpy.action import ActionClient
from rclpy.parameter import Parameter
from seam import Script
from shipped_arms import PANDA
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger

PERIOD_S = 0.05
LONGEST_S = 0.15
"""After a pause like that the arm rests, and a new row of commands begins where it is."""

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

    def __init__(self, bench, folder, start=PANDA.home, command='joint_state'):
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
                  tool_pose_from='joints', command=command,
                  tolerance_s=0.5)
        self.supervisor = bench.add(SupervisorNode, mode='realtime', go_home=True, home_speed=1.0,
                                    command=command)
        self.commands: list[tuple[float, np.ndarray]] = []
        self._publish, self.supervisor._commands.publish = (
            self.supervisor._commands.publish, self._on_publish)
        bench.add(RecorderNode, runs=str(folder))
        bench.add(TeleopNode)
        bench.add(CollectorNode, always_start=True, operator_start=True)
        self.collect = ActionClient(bench.probe, CollectEpisodes, 'collect_episodes')
        assert bench.until(lambda: self.observations and self.collect.server_is_ready())

    def _on_publish(self):
        # Noted where they are sent: an arm that is busy misses all but the newest.
        message, = self.supervisor._commands._messages
        self.commands.append((time.monotonic(), np.array(
            message.data if isinstance(message, Float64MultiArray) else message.position)))
        self._publish()

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

    def drive(self, **sticks):
        """Hold the dead-man's button, push the sticks, and let go when the arm has moved."""
        before = self.arm.q
        self.pad.push(**sticks)
        self.pad.hold(DEAD_MAN)
        assert self.bench.until(lambda: np.abs(self.arm.q - before).max() > 0.08, 15.0)
        self.pad.push()
        self.pad.hold(DEAD_MAN, False)

    def receipt(self, number: int):
        """Wait for a receipt, by its place."""
        assert self.bench.until(lambda: len(self.recorded) > number, 15.0), 'no receipt'
        return receipt_from_message(self.recorded[number])

    def is_at_rest(self) -> bool:
        """Tell whether the arm stands where its home is."""
        return bool(np.abs(self.arm.q - PANDA.home)[PANDA.arm].max() < 1e-3)

    def refuse_jumps(self):
        """Fail if a row of commands broke the limits of the joints' speeds and accelerations."""
        times_s = np.array([time_s for time_s, _ in self.commands])
        targets = np.array([targets[PANDA.arm] for _, targets in self.commands])
        for row in np.split(targets, np.flatnonzero(np.diff(times_s) > LONGEST_S) + 1):
            steps = np.diff(row, axis=0)
            assert (np.abs(steps) <= PANDA.velocity[PANDA.arm] * PERIOD_S * 1.0001).all()
            changes = np.abs(np.diff(steps, axis=0)) / PERIOD_S ** 2
            assert (changes <= PANDA.acceleration[PANDA.arm] * 1.0001).all()

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
        assert is_home(PANDA, cell.arm.q)
        cell.drive(x=0.6, z=0.6)
        away = np.abs(cell.arm.q - PANDA.home).max()
        cell.pad.press(button, cell.bench.until)
        receipt = cell.receipt(number)
        assert (receipt.end, receipt.cause) == (TERMINATED, OPERATOR)
        assert receipt.success == (button == SUCCESS)
        assert away > 0.05 and cell.bench.until(lambda: cell.is_at_rest())
    _, result = cell.bench.outcome(handle)
    assert (result.error_code, len(result.episodes)) == (0, 3)
    assert [bool(one.flags & DISCARDED) for one in result.episodes] == [False, False, True]
    recorded = read_episode(cell.runs / 'hand' / result.episodes[0].path)
    assert TELEOP in recorded.driver and set(recorded.driver.tolist()) <= {HOLD, TELEOP}
    assert np.diff(recorded.stamps_ns).min() > 0.024e9, 'two states within half a period'
    cell.refuse_jumps()


@pytest.mark.drill
def test_an_attempt_that_is_done_once_more_begins_again_from_home(cell):
    handle = cell.ask(spec(0))
    for button in (REDO, SUCCESS):
        cell.begin(spec(0))
        cell.drive(z=0.6)
        cell.pad.press(button, cell.bench.until)
        assert cell.bench.until(lambda: cell.statuses[-1].phase != RUNNING)
    _, result = cell.bench.outcome(handle)
    assert [one.end for one in result.episodes] == [ABORTED, TERMINATED]


def test_a_policy_is_deployed_and_judged_by_services_and_the_time_limit(cell):
    Script(cell.bench, POLICY, lambda _: np.array([0.0, 0.0, 0.1], np.float32))
    plan = DrivePlan(driver=POLICY, labels=LABEL_NONE)
    handle = cell.ask(spec(0, plan=plan), spec(1, horizon=10, plan=plan))
    assert not cell.bench.until(lambda: cell.statuses[-1].phase == RUNNING, 0.5)
    cell.begin(spec(0, plan=plan))
    assert not cell.trigger('go_home').success
    assert cell.bench.until(lambda: cell.statuses[-1].step >= 5)
    answer = cell.trigger('episode_success')
    assert answer.success and 'a success' in answer.message
    assert cell.receipt(0).success
    assert 'no episode is running' in cell.trigger('episode_failure').message
    cell.begin(spec(1, horizon=10, plan=plan))
    receipt = cell.receipt(1)
    assert (receipt.end, receipt.success) == (TRUNCATED, False)
    assert cell.statuses[-1].step == 10
    assert cell.bench.outcome(handle)[1].error_code == 0


def test_an_arm_that_is_away_goes_home_inside_the_limits_when_the_first_episode_is_started(
        slow_bench, tmp_path):
    start = PANDA.home.copy()
    start[0] += 0.8
    cell = Cell(slow_bench, tmp_path, start)
    assert not cell.bench.until(lambda: cell.commands, 0.5), 'it moves before it is asked'
    cell.ask(spec(0))
    cell.begin(spec(0))
    assert is_home(PANDA, cell.arm.q)
    cell.refuse_jumps()


def test_an_arm_that_takes_velocities_goes_home_and_is_told_to_stand_there(slow_bench, tmp_path):
    start = PANDA.home.copy()
    start[0] += 0.6
    cell = Cell(slow_bench, tmp_path, start, 'forward_velocity')
    assert cell.trigger('go_home').success
    assert cell.bench.until(lambda: len(cell.commands) > 3)
    assert np.abs(cell.commands[2][1]).max() > 0.1
    assert cell.bench.until(
        lambda: is_home(PANDA, cell.arm.q) and not cell.arm.velocities.any(), 15.0)


def test_with_the_emergency_stop_it_does_not_go_home(cell):
    cell.ask(spec(0), spec(1))
    cell.begin(spec(0))
    cell.drive(x=0.6, z=0.6)
    cell.trigger('estop')
    cell.pad.press(SUCCESS, cell.bench.until)
    assert cell.receipt(0).success
    sent = len(cell.commands)
    assert not cell.bench.until(lambda: len(cell.commands) > sent, 0.4)
    assert 'emergency stop' in cell.trigger('go_home').message
    assert not is_home(PANDA, cell.arm.q)
    cell.trigger('estop_reset')
    cell.supervisor.set_parameters([Parameter('speed_scale', value=0.05)])
    assert cell.trigger('go_home').success
    assert cell.bench.until(lambda: len(cell.commands) > sent + 3)
    cell.trigger('estop')
    cell.bench.until(lambda: False, 0.5)
    sent = len(cell.commands)
    assert not cell.bench.until(lambda: len(cell.commands) > sent, 0.3)
    assert not is_home(PANDA, cell.arm.q)
    cell.refuse_jumps()


def test_an_arm_that_is_blocked_on_its_way_home_is_held(cell):
    start = PANDA.home.copy()
    start[0] += 1.2
    cell.arm.q = start
    assert cell.trigger('go_home').success
    assert cell.bench.until(lambda: cell.commands)
    cell.arm.blocked = True
    held = cell.bench.until(lambda: 'protective hold' in cell.supervisor.report()[1])
    assert held, cell.supervisor.report()
    assert 'on the way home' in cell.supervisor.report()[1]
    cell.bench.until(lambda: False, 0.6)
    sent = len(cell.commands)
    assert not cell.bench.until(lambda: len(cell.commands) > sent, 0.3)


@pytest.mark.drill
def test_an_arm_that_falls_silent_ends_the_episode_and_the_recorder_hears_of_it(cell):
    cell.ask(spec(0))
    cell.begin(spec(0))
    cell.drive(z=0.6)
    cell.arm.silent = True
    receipt = cell.receipt(0)
    assert (receipt.end, receipt.cause) == (ABORTED, FAULT)
    assert 'joint_states' in receipt.error_msg or 'observation' in receipt.error_msg


@pytest.mark.drill
def test_the_command_attaches_and_records_what_a_person_starts_and_judges(cell):
    process = subprocess.Popen(
        [sys.executable, '-m', 'il_ros.cli', 'record', '--attach', '--wait', '20', '--task',
         'cups', '--run', 'hand', '--runs', str(cell.runs), '--teleop', 'joy', '--episodes', '1'],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        cell.begin(EpisodeSpec(episode_id('demonstration', 0, 0), 'hand', 'cups'))
        cell.drive(z=0.6)
        cell.pad.press(SUCCESS, cell.bench.until)
        assert cell.bench.until(lambda: process.poll() is not None, 20.0)
    finally:
        process.kill()
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert '1 demonstrations' in out and '1 successful' in out
