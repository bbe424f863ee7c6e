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

"""The same hostile messages to nodes that are processes of their own: each lives, and says why."""

import contextlib
import random
import signal
import subprocess
import sys

from diagnostic_msgs.msg import DiagnosticArray
from hostile import CONTENTS, KINDS, usual
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_to_message
from il_ros.tasks.contracts import find_contract
import pytest
from seam import Bench

pytestmark = pytest.mark.system

CONTRACT = find_contract('reach')[0]
PARAMETERS = {
    'supervisor': {}, 'observer': {'contract': 'reach'}, 'policy': {},
    'expert': {'task': 'reach'}, 'teleop': {'mode': 'lockstep', 'scripted': 'true'},
    'recorder': {}}
LATCHED = ('contract', 'drive')
START_S, LEAVE_S = 40.0, 20.0


@contextlib.contextmanager
def processes(runs, executor: str):
    """Yield the nodes' processes by name; they are killed in the end if they still run."""
    started = {}
    try:
        for node, given in PARAMETERS.items():
            given = {**given, 'executor': executor}
            if node == 'recorder':
                given['runs'] = runs
            words = [word for pair in given.items() for word in ('-p', ':='.join(map(str, pair)))]
            started[node] = subprocess.Popen(
                [sys.executable, '-c', f'import sys; from il_ros.graph import executables; '
                                       f'sys.exit(executables.{node}())', '--ros-args', *words],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        yield started
    finally:
        for process in started.values():
            process.kill()
            process.communicate()


@pytest.mark.parametrize('executor', [
    'events', pytest.param('single', marks=pytest.mark.drill)])
def test_a_node_in_a_process_of_its_own_lives_through_every_message(tmp_path, executor):
    refused = {}

    def on_diagnostics(report: DiagnosticArray):
        for status in report.status:
            values = {value.key: value.value for value in status.values}
            refused[status.name.removeprefix('il_ros: ')] = int(values.get('refused_messages', 0))

    with Bench('events') as bench, processes(tmp_path, executor) as started:
        bench.probe.create_subscription(
            DiagnosticArray, '/diagnostics', on_diagnostics, qos.STREAM)
        assert bench.until(lambda: set(refused) == set(PARAMETERS), START_S)
        # Only now: a node would be refused while another publishes what it alone may.
        publishers = {topic: bench.probe.create_publisher(
            kind, topic, qos.LATCHED if topic in LATCHED else qos.STATUS if topic == 'episode'
            else qos.STREAM) for topic, kind in KINDS.items()}
        publishers['contract'].publish(contract_to_message(CONTRACT))
        chance = random.Random(1)
        for content in CONTENTS:
            for topic, publisher in publishers.items():
                publisher.publish(content(usual(topic, CONTRACT, 'e', 0, 10**9), chance))
            bench.until(lambda: False, timeout_s=0.05)
        assert bench.until(lambda: all(refused.values())), refused
        for node, process in started.items():
            assert process.poll() is None, f'{node} has ended'
            process.send_signal(signal.SIGINT)
        for node, process in started.items():
            _, said = process.communicate(timeout=LEAVE_S)
            assert process.returncode == 0 and 'Traceback' not in said, (node, said)
