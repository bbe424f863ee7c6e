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

"""No message of any topic ends a node, or moves the arm in a way that it must not."""

import collections
import dataclasses
import random
import time

from diagnostic_msgs.msg import DiagnosticArray
from hostile import CONTENTS, empty, foreign, KINDS, long, not_finite, usual
from il_ros.contract.episode_spec import ABORTED, EXPERT, POLICY, RUNNING
from il_ros.episodes.receipts import Receipt
from il_ros.nodes.expert import ExpertNode
from il_ros.nodes.observer import ObserverNode
from il_ros.nodes.policy import PolicyNode
from il_ros.nodes.recorder import RecorderNode
from il_ros.nodes.simulator import SimulatorNode
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.nodes.teleop import TeleopNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import receipt_from_message, spec_to_message
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.msg import RecordedEpisode
from il_ros_interfaces.srv import Discard, EndEpisode, LabelObservations, LoadPolicy, OpenEpisode
from il_ros_interfaces.srv import ResetTask, SetDriver
import numpy as np
import pytest
from rcl_interfaces.msg import Log
import rclpy
from seam import Bench, episode, RUN
from shipped_arms import PANDA
from test_policy_node import save

CONTRACT = find_contract('reach')[0]
NODES = ('supervisor', 'observer', 'policy', 'expert', 'teleop', 'recorder')
PLANS = ({'driver': POLICY, 'beta': 0.5}, {'driver': POLICY, 'gate': 'human'},
         {'driver': EXPERT})
ROUNDS = {'events': 4, 'single': 1}
"""Times that each content is sent, by executor."""

LASTING = 100_000
"""Steps of an episode that hostile messages come into."""

PROFILES = {'contract': qos.LATCHED, 'drive': qos.LATCHED, 'episode': qos.STATUS}
REQUESTS = {
    'set_driver': (SetDriver, lambda spec: SetDriver.Request(
        spec=spec_to_message(spec), gate_threshold=-1.0)),
    'open_episode': (OpenEpisode, lambda spec: OpenEpisode.Request(spec=spec_to_message(spec))),
    'discard': (Discard, lambda _: Discard.Request(episode_id='no-such', last_step=3)),
    'load_policy': (LoadPolicy, lambda _: LoadPolicy.Request(path='checkpoint', sha256='ab')),
    'label_observations': (LabelObservations, lambda spec: LabelObservations.Request(
        contract=usual('contract', CONTRACT, '', 0, 0), task='reach', observations=[
            usual('observation', CONTRACT, spec.episode_id, 0, 10**9)]))}


HARMLESS = {('label_observations', empty)}
"""What may be granted: it asks about nothing."""


class Siege:
    """A graph in lockstep, and somebody who sends its nodes what nobody should."""

    def __init__(self, bench: Bench, folder):
        self.bench, self.chance, self.sent = bench, random.Random(1), 0
        self.rounds = ROUNDS[bench.kind]
        self.runs = folder / 'runs'
        save(folder / 'policy', 1)
        self.said = bench.listen(Log, '/rosout', qos.RECORD)
        self.reports = collections.defaultdict(dict)
        bench.probe.create_subscription(
            DiagnosticArray, '/diagnostics', self._keep_report, qos.STREAM)
        self.recorded = bench.listen(RecordedEpisode, 'recorded', qos.RECEIPTS)
        self.supervisor = bench.add(SupervisorNode, autostart=False, silence_s=0.3)
        self.recorder = bench.add(RecorderNode, autostart=False, runs=str(self.runs),
                                  write_behind=False, finish_s=0.2)
        policy = bench.add(PolicyNode, autostart=False, checkpoint=str(folder / 'policy'))
        self.managed = (self.supervisor, self.recorder, policy)
        self.expert = bench.add(ExpertNode, task='reach')
        self.teleop = bench.add(TeleopNode, mode='lockstep', scripted=True)
        self.simulator = None
        self.spec = episode(1, LASTING)
        self.commands = []
        [send] = self.supervisor._commands._sends
        self.supervisor._commands._sends = [lambda message: (
            self.commands.append(
                (self.supervisor._arbiter.episode_id, np.array(message.position))),
            send(message))]
        self.publishers = {
            topic: self._sender(topic).create_publisher(
                kind, topic, PROFILES.get(topic, qos.STREAM))
            for topic, kind in KINDS.items()}
        self.heard = collections.Counter()
        for topic, kind in KINDS.items():
            bench.probe.create_subscription(
                kind, topic, lambda _, topic=topic: self.heard.update([topic]), qos.STREAM,
                raw=True)

    def _sender(self, topic: str):
        """Return the node that sends a topic: a second driver has the first one's name."""
        name, _, kind = topic.rpartition('/')
        if kind != 'action':
            return self.bench.probe
        return self.bench.keep(rclpy.create_node(name, context=self.bench.context))

    def _keep_report(self, report: DiagnosticArray):
        for status in report.status:
            self.reports[status.name.removeprefix('il_ros: ')].update(
                (value.key, value.value) for value in status.values)

    def start(self):
        """Add observer and simulator, and wait until they are heard."""
        self.observer = self.bench.add(ObserverNode, contract='reach')
        self.simulator = self.bench.add(SimulatorNode, task='reach', contract='reach')
        assert self.bench.until(lambda: self.supervisor._contract == CONTRACT)

    def attack(self):
        """Send every topic's message, spoilt in these ways."""
        for content in CONTENTS * self.rounds:
            self._send(content)

    def attack_episodes(self):
        """Do the same, each time in the midst of an episode that has just begun."""
        for number, content in enumerate(CONTENTS * self.rounds):
            self.begin(10 + number, **PLANS[number % len(PLANS)])
            self._send(content)

    def _send(self, content):
        before = self.heard.copy()
        for topic, publisher in self.publishers.items():
            publisher.publish(content(self._usual(topic), self.chance))
            self.sent += 1
        assert self.bench.until(lambda: all(
            self.heard[topic] > before[topic] for topic in KINDS))

    def ask(self):
        """Call every service with every request that is spoilt; each must be refused."""
        for name, (kind, request) in REQUESTS.items():
            for content in (empty, long, not_finite, foreign):
                response = self.bench.call(kind, name, content(request(self.spec), self.chance))
                assert len(response.error_msg) <= 300
                assert response.error_code or (name, content) in HARMLESS, (name, content)

    def _usual(self, topic: str):
        arbiter = self.supervisor._arbiter
        step, stamp_ns = (arbiter.step, arbiter.stamp_ns) if arbiter else (0, 10**9)
        return usual(topic, CONTRACT, self.spec.episode_id, max(step, 0), max(stamp_ns, 0))

    def begin(self, number: int, horizon: int = LASTING, run: str = RUN, **plan):
        """Open, arm and reset an episode, as soon as the nodes are ready for it."""
        self.clear()
        self.spec = dataclasses.replace(episode(number, horizon, **plan), run=run)
        for kind, name in ((OpenEpisode, 'open_episode'), (SetDriver, 'set_driver'),
                           (ResetTask, 'reset_task')):
            deadline = time.monotonic() + 5.0
            while True:
                response = self.bench.call(
                    kind, name, kind.Request(spec=spec_to_message(self.spec)))
                if not response.error_code:
                    break
                assert time.monotonic() < deadline, response.error_msg
        assert self.bench.until(lambda: self.supervisor._arbiter.step > 0)

    def clear(self):
        """End the episode that runs, and wait until nothing of it is open."""
        if self.simulator.session.status.phase == RUNNING:
            self.bench.call(EndEpisode, 'end_episode', EndEpisode.Request(
                episode_id=self.simulator.session.status.episode_id, end=ABORTED))
        assert self.bench.until(lambda: (
            self.recorder._recording is None or not self.recorder._recording.begun)
            and not self.recorder._saver.saving)

    def run(self, number: int, run: str) -> Receipt:
        """Run a good episode to its receipt."""
        self.recorded.clear()
        self.begin(number, 30, run, driver=POLICY, beta=0.5)
        assert self.bench.until(lambda: self.recorded)
        return receipt_from_message(self.recorded[-1])


@pytest.fixture
def siege(bench, tmp_path) -> Siege:
    """Return a graph whose managed nodes are not configured."""
    return Siege(bench, tmp_path)


def test_no_message_in_any_phase_ends_a_node_or_moves_the_arm_unsafely(siege):
    siege.attack()
    siege.ask()
    for node in siege.managed:
        node.trigger_configure()
    siege.attack()
    siege.ask()
    for node in siege.managed:
        node.trigger_activate()
    siege.start()
    good = siege.run(1, 'before')
    siege.attack()
    siege.ask()
    siege.attack_episodes()
    siege.clear()
    siege.attack()
    siege.ask()
    assert siege.sent >= 500 * siege.rounds
    again = siege.run(1, 'after')
    assert (again.steps, again.flags) == (30, 0)
    assert again.content_sha256 == good.content_sha256
    assert_safe(siege.commands)
    assert_said(siege)


def assert_safe(commands):
    """Assert that every target is finite, inside the limits, and no faster than a joint may."""
    longest = PANDA.velocity / CONTRACT.rate + 1e-9
    for (id_before, before), (id_now, now) in zip([('', None), *commands], commands):
        assert now.shape == PANDA.home.shape and np.isfinite(now).all()
        assert (PANDA.lower <= now).all() and (now <= PANDA.upper).all()
        assert id_now != id_before or (np.abs(now - before) <= longest).all()


def assert_said(siege: Siege):
    """Assert that each node says what it refuses, each reason once, and on /diagnostics."""
    lines = [(line.name, line.msg) for line in siege.said if ' refused: ' in line.msg]
    assert siege.bench.until(lambda: all(
        int(siege.reports[node].get('refused_messages', 0)) for node in NODES))
    for node in NODES:
        assert any(key.startswith('refused.') for key in siege.reports[node]), node
        of_node = [line for name, line in lines if name == node]
        assert of_node, node
        # What the supervisor says of joints and actions is limited by time instead.
        assert len(set(of_node)) == len(of_node) or node == 'supervisor', node
