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

"""Every subscription goes through one place, which refuses what cannot be used, and says so."""

import ast
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray
import il_ros
from il_ros.episodes.wire.decoder import MOST_FIELDS
from il_ros.errors import BadMessageError
from il_ros.ros import diagnostics, qos
from il_ros.ros.listening import listen
from il_ros.ros.refusals import MOST_SENTENCES, Refusals, refusals_of
from il_ros.ros.serving import serve
from il_ros_interfaces.msg import Drive
from il_ros_interfaces.srv import LoadPolicy, SetDriver
import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import JointState

NODES = Path(il_ros.__file__).parent / 'nodes'
MAKERS = {
    'create_subscription': {
        'listening.py',
        'streams.py',  # kept as they are; no callback ever gets them
        'estop.py'},  # a Bool: whatever its byte is, it is true or false
    'create_service': {
        'serving.py',
        'collector.py', 'estop.py', 'operator_task.py',  # Trigger: a request without content
        'simulator.py'}}  # the arm's side


@pytest.mark.parametrize('maker', MAKERS)
def test_subscriptions_and_services_are_created_in_one_place_alone(maker):
    found = {path.name for path in NODES.glob('*.py')
             for node in ast.walk(ast.parse(path.read_text()))
             if isinstance(node, ast.Attribute) and node.attr == maker}
    assert found <= MAKERS[maker]


GOOD = serialize_message(Drive(episode_id='hello', required=[1]))
BAD = {
    'cut short': (GOOD[:20], 'ends inside episode_id'),
    'empty': (b'', 'no Drive'),
    'one byte': (GOOD[:1], 'no Drive'),
    'not text': (GOOD.replace(b'hello', b'he\xfflo'), 'episode_id is not UTF-8'),
    'another encoding': (b'\7\7' + GOOD[2:], 'no Drive'),
    'huge length': (GOOD.replace(b'\6\0\0\0hello', b'\xff\xff\xff\x7fhello'), 'ends inside'),
}


@pytest.mark.parametrize('raw, reason', BAD.values(), ids=BAD)
def test_bytes_that_are_no_message_are_refused_once_said_counted_and_the_node_goes_on(
        bench, raw, reason):
    node, heard = bench.probe, []
    listen(node, Drive, 'drive', heard.append, qos.STREAM)
    reports = bench.listen(DiagnosticArray, '/diagnostics')
    told = diagnostics.Diagnostics(node, lambda: (diagnostics.OK, 'well', {}))
    publisher = bench.talk(Drive, 'drive')
    for message in (raw, raw, GOOD):
        publisher.publish(message)
    assert bench.until(lambda: heard)
    assert [message.episode_id for message in heard] == ['hello']
    assert refusals_of(node).count == 2
    assert len(refusals_of(node)._said) == 1
    told.publish()
    assert bench.until(lambda: any(report.status[0].level == diagnostics.WARN
                                   for report in reports))
    values = {value.key: value.value for value in reports[-1].status[0].values}
    assert values['refused_messages'] == '2'
    assert reason in values['refused.drive']


def test_what_a_callback_refuses_is_said_with_its_topic(bench):
    def on_drive(message: Drive):
        raise BadMessageError(f'episode_id is {message.episode_id!r}')
    listen(bench.probe, Drive, 'drive', on_drive, qos.STREAM)
    bench.talk(Drive, 'drive').publish(Drive(episode_id='other'))
    refusals = refusals_of(bench.probe)
    assert bench.until(lambda: refusals.count)
    assert refusals.newest == {'drive': "episode_id is 'other'"}


def test_a_message_of_too_many_fields_is_refused_before_it_is_built(bench):
    listen(bench.probe, JointState, 'joint_states', lambda _: None, qos.STREAM)
    bench.talk(JointState, 'joint_states').publish(JointState(name=[''] * MOST_FIELDS))
    refusals = refusals_of(bench.probe)
    assert bench.until(lambda: refusals.count)
    assert 'name is too long' in refusals.newest['joint_states']


class Log:
    """A node that only keeps what it logs."""

    def __init__(self):
        self.said = []

    def get_logger(self):
        """Return the log."""
        return self

    def error(self, sentence: str):
        """Keep a sentence."""
        self.said.append(sentence)


def test_a_reason_is_said_once_whatever_its_numbers_and_nonsense_does_not_fill_the_log():
    log = Log()
    refusals = Refusals(log)
    for number in range(1000):
        refusals.add('observation', f'values has {number} entries; expected 17')
    assert log.said == ['observation refused: values has 0 entries; expected 17']
    for number in range(1000):
        refusals.add('observation', f'frame_id is {chr(0x4e00 + number) * 1000}')
    assert len(log.said) == MOST_SENTENCES + 1
    assert log.said[-1].endswith('on /diagnostics only')
    assert max(map(len, log.said)) < 400
    assert refusals.count == 2000


REQUESTS = {
    'not finite': (SetDriver.Request(gate_threshold=float('nan')), 'gate_threshold is nan'),
    'long': (LoadPolicy.Request(path='x' * 100_000), 'path has 100000 characters'),
}


@pytest.mark.parametrize('request_, reason', REQUESTS.values(), ids=REQUESTS)
def test_a_request_that_makes_no_sense_is_answered_with_its_field(bench, request_, reason):
    kind = SetDriver if isinstance(request_, SetDriver.Request) else LoadPolicy
    serve(bench.probe, kind, 'ask', lambda *_: pytest.fail('was asked'), 300)
    response = bench.call(kind, 'ask', request_)
    assert response.error_code == 300
    assert response.error_msg.startswith(reason)
    assert refusals_of(bench.probe).count == 1


def test_numbers_deep_in_a_request_are_named_by_their_path(bench):
    request = SetDriver.Request()
    request.spec.plan.noise_covariance = [1.0, float('inf')]
    serve(bench.probe, SetDriver, 'ask', lambda *_: pytest.fail('was asked'), 300)
    assert 'spec.plan.noise_covariance' in bench.call(SetDriver, 'ask', request).error_msg
