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

"""A person at a gamepad in real time: takes over, corrects, lets go, and judges the episode."""

import time

from gamepad import CORRECTION, DEAD_MAN, DISCARD, FAILURE, Gamepad, REDO, START, SUCCESS
from il_ros.contract.episode_spec import ABORTED, HOLD, LABEL_EXPERT_DRIVEN, OPERATOR, POLICY
from il_ros.contract.episode_spec import RUNNING, TELEOP, TERMINATED
from il_ros.episodes.discards import discarded
from il_ros.episodes.labels import labels_of
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import DISCARDED, DROPS
from il_ros.nodes.collector import CollectorNode
from il_ros.nodes.teleop import TeleopNode
from il_ros.ros.conversion.messages import NS, spec_to_message, to_ns
from il_ros.ros.parameters import ParameterError
from il_ros.teleop.joystick import RECONNECTED_S
from il_ros.teleop.mapping import MappingError
from il_ros.teleop.terminal import TerminalError
from il_ros_interfaces.action import CollectEpisodes
from il_ros_interfaces.msg import Executed
import numpy as np
import pytest
from rclpy.action import ActionClient
from seam import Bench, episode, Script, towards
from test_realtime import OnTime, PERIOD_S

ACCELERATION = 2.0
MOST = ACCELERATION * PERIOD_S * 1.001
SAFE_S = 0.02


class AtTheGamepad(OnTime):
    """The realtime graph, a scripted policy, and a gamepad."""

    def __init__(self, bench, runs, **teleop):
        super().__init__(bench, runs)
        self.teleop = bench.add(TeleopNode, **teleop)
        self.pad = Gamepad(bench.probe)
        Script(bench, POLICY, towards(x=0.2, y=0.1))
        assert bench.until(lambda: self.teleop._device._heard_s > 0.0)

    def after(self, steps: int):
        """Go on until so many more steps were executed."""
        count = len(self.executed) + steps
        assert self.bench.until(lambda: len(self.executed) >= count), 'the episode stands still'

    def until_step(self, step: int):
        """Go on until a step was executed."""
        assert self.bench.until(lambda: self.executed and self.executed[-1].step >= step)

    def later_than(self, stamp_ns: int) -> list[Executed]:
        """Return what was executed for states later than a time."""
        return [message for message in self.executed if to_ns(message.header.stamp) > stamp_ns]

    def press(self, button: int):
        """Press a button of the gamepad."""
        self.pad.press(button, self.bench.until)


@pytest.fixture
def graph(tmp_path):
    """Yield the graph with its gamepad."""
    with Bench('events') as bench:
        yield AtTheGamepad(bench, tmp_path)


def watched(number: int = 1, horizon: int = 40):
    """Return an episode in which a person looks on."""
    return episode(number, horizon, driver=POLICY, gate='human', labels=LABEL_EXPERT_DRIVEN)


def by_hand(number: int = 1, horizon: int = 200):
    """Return an episode that a person drives alone."""
    return episode(number, horizon, driver=TELEOP, labels=LABEL_EXPERT_DRIVEN)


def sent_velocities(executed) -> np.ndarray:
    """Return what was sent, shape ``(T, 3)``."""
    return np.array([message.values for message in executed], float)


def test_half_a_second_of_correction_is_ten_labels_and_no_jump_at_either_end(graph):
    graph.begin(watched())
    graph.pad.push(x=-1.0)
    graph.until_step(9)
    graph.pad.hold(DEAD_MAN)
    graph.until_step(19)
    graph.pad.hold(DEAD_MAN, False)
    receipt = graph.finish(watched())
    recorded = read_episode(graph.path(receipt))
    assert np.flatnonzero(labels_of(recorded).valid).tolist() == list(range(10, 20))
    assert (recorded.stamps_ns[20] - recorded.stamps_ns[10]) / 1e9 >= 0.9 * 0.5
    assert recorded.driver.tolist() == [POLICY] * 10 + [TELEOP] * 10 + [POLICY] * 20
    np.testing.assert_allclose(
        labels_of(recorded).actions[10:20], [[-0.25, 0.0, 0.0]] * 10, atol=1e-6)
    assert (receipt.labels, receipt.takeovers, receipt.steps) == (10, 1, 40)

    executed = [e for e in graph.executed if e.episode_id == watched().episode_id]
    for message in executed:
        person, = (a for a in message.candidates if a.source == TELEOP)
        assert person.engaged == (message.driver == TELEOP) == bool(len(person.values))
        assert person.header.stamp == message.header.stamp
    blended = [message.step for message in executed if message.limits & Executed.BLENDED]
    assert blended == [10, 11, 12, 13, 20, 21, 22, 23]
    changes = np.linalg.norm(np.diff(sent_velocities(executed), axis=0), axis=1)
    assert changes.max() <= MOST


def test_a_lone_person_who_lets_go_is_held_for_within_a_period_and_goes_on_without_a_jump(graph):
    graph.begin(by_hand())
    graph.pad.push(y=1.0)
    graph.pad.hold(DEAD_MAN)
    graph.until_step(12)
    graph.pad.hold(DEAD_MAN, False)
    let_go_ns = time.time_ns()
    graph.after(3)
    assert {message.driver for message in graph.later_than(let_go_ns)} == {HOLD}
    held = next(message for message in graph.executed if message.driver == HOLD)
    assert held.limits & Executed.REFUSED_MISSING and not any(held.values)
    graph.after(3)
    assert all(message.command.position == held.command.position
               for message in graph.executed[-3:])
    graph.pad.hold(DEAD_MAN)
    graph.after(4)
    graph.press(SUCCESS)
    receipt = graph.finish(by_hand())
    assert (receipt.end, receipt.cause, receipt.success) == (TERMINATED, OPERATOR, True)
    driving = [message for message in graph.executed if message.step > held.step]
    changes = np.linalg.norm(np.diff(sent_velocities(driving), axis=0), axis=1)
    assert changes.max() <= MOST


def test_a_gamepad_that_is_unplugged_has_let_go_after_its_timeout(graph):
    graph.begin(by_hand())
    graph.pad.push(y=1.0)
    graph.pad.hold(DEAD_MAN)
    graph.until_step(6)
    assert graph.executed[-1].driver == TELEOP
    graph.pad.plugged = False
    gone_ns = time.time_ns()
    assert graph.bench.until(lambda: graph.executed[-1].driver == HOLD)
    graph.after(2)
    assert {message.driver for message in graph.later_than(gone_ns)} == {TELEOP, HOLD}
    late_ns = gone_ns + round(NS * (0.25 + SAFE_S))
    assert {message.driver for message in graph.later_than(late_ns)} == {HOLD}
    assert graph.bench.until(lambda: time.time_ns() - gone_ns > RECONNECTED_S * NS)
    graph.pad.plugged = True
    graph.after(4)
    assert {message.driver for message in graph.executed[-3:]} == {HOLD}
    graph.pad.hold(DEAD_MAN, False)
    graph.after(1)
    graph.pad.hold(DEAD_MAN)
    assert graph.bench.until(lambda: graph.executed[-1].driver == TELEOP)


def test_a_correction_alone_is_taken_back_and_the_episode_keeps_its_outcome(graph):
    graph.begin(watched(horizon=200))
    graph.pad.push(y=-1.0)
    for first in (3, 11):
        graph.until_step(first)
        graph.pad.hold(DEAD_MAN)
        graph.until_step(first + 4)
        graph.pad.hold(DEAD_MAN, False)
        graph.after(1)
    graph.press(CORRECTION)
    graph.after(2)
    graph.press(FAILURE)
    receipt = graph.finish(watched(horizon=200))
    assert (receipt.flags, receipt.end, receipt.success) == (0, TERMINATED, False)
    recorded = read_episode(graph.path(receipt))
    driven = np.flatnonzero(recorded.driver == TELEOP)
    # About steps 4 to 7 and 12 to 15; on a busy machine the gamepad may come a step late.
    first, second = np.split(driven, np.flatnonzero(np.diff(driven) > 1) + 1)
    assert len(first) in range(3, 6) and len(second) in range(3, 6)
    assert discarded(graph.path(receipt)) == ((second[0], second[-1]),)
    labels = labels_of(recorded, discarded=discarded(graph.path(receipt)))
    assert np.flatnonzero(labels.valid).tolist() == first.tolist()


def test_a_whole_attempt_is_discarded_and_says_so_in_its_receipt(graph):
    graph.begin(watched(horizon=200))
    graph.until_step(2)
    graph.press(DISCARD)
    receipt = graph.finish(watched(horizon=200))
    # A test that is held up may miss a state, and that is said, too.
    assert receipt.flags & ~DROPS == DISCARDED
    assert (receipt.end, receipt.cause) == (TERMINATED, OPERATOR)


def test_a_person_starts_the_episode_and_has_it_run_again(tmp_path):
    with Bench('single') as bench:
        graph = AtTheGamepad(bench, tmp_path)
        bench.add(CollectorNode, operator_start=True)
        client = ActionClient(bench.probe, CollectEpisodes, 'collect_episodes')
        assert bench.until(client.server_is_ready)
        assert bench.until(lambda: bench.probe.count_subscribers('recorded') >= 1)
        sent = client.send_goal_async(CollectEpisodes.Goal(
            episodes=[spec_to_message(by_hand())], gate_threshold=-1.0))
        assert bench.until(sent.done)
        result = sent.result().get_result_async()

        def attempt(verdict: int):
            graph.executed.clear()
            before = time.monotonic()
            assert bench.until(lambda: time.monotonic() - before > 0.3)
            assert graph.statuses[-1].phase != RUNNING
            graph.press(START)
            graph.until_step(2)
            graph.press(verdict)
        attempt(REDO)
        assert bench.until(lambda: graph.recorded)
        assert (graph.recorded[0].end, graph.recorded[0].cause) == (ABORTED, OPERATOR)
        attempt(SUCCESS)
        assert bench.until(result.done)
        discarded_attempts, receipt = result.result().result.episodes
        assert discarded_attempts.end == ABORTED, 'its costs are told too'
        assert (receipt.flags, receipt.end) == (0, TERMINATED)
        assert receipt.success and receipt.spec.episode_id == by_hand().episode_id


def test_a_person_is_refused_in_lockstep_and_a_script_is_not(slow_bench):
    with pytest.raises(ParameterError, match='teleop.mode is lockstep'):
        slow_bench.add(TeleopNode, mode='lockstep')
    slow_bench.add(TeleopNode, mode='lockstep', scripted=True)


def test_a_keyboard_without_a_terminal_is_refused_with_a_sentence(slow_bench):
    with pytest.raises(TerminalError, match='/dev/null is no terminal .* start it in a terminal'):
        slow_bench.add(TeleopNode, device='keyboard', terminal='/dev/null')
    with pytest.raises(MappingError, match='mapping xbox'):
        slow_bench.add(TeleopNode, device='keyboard', mapping='xbox')


def test_a_gamepad_that_lacks_a_button_is_named_and_drives_nothing(graph):
    graph.pad.buttons = [0] * 3
    graph.pad.say()
    assert graph.bench.until(lambda: graph.teleop.report()[1])
    assert graph.bench.until(lambda: 'wants button' in graph.teleop.report()[1])
    assert 'this gamepad has 3' in graph.teleop.report()[1]
