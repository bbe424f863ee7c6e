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

"""Which ports a process listens at (drill C6)."""

import contextlib
import os
from pathlib import Path
import re
import signal
import socket
import subprocess
import sys

from il_ros.ros.environment import keep_to_this_machine, PROFILE, RANGE
import pytest

DEADLINE_S = 60.0
FIRST_EPHEMERAL = int(Path('/proc/sys/net/ipv4/ip_local_port_range').read_text().split()[0])
"""From here on the system gives ports to sockets that ask for none: those that only send."""

SEGMENT = re.compile(r'/dev/shm/fastrtps_[0-9a-f]{16}')

OTHER = """\
import rclpy
from std_msgs.msg import String

rclpy.init()
node = rclpy.create_node('plain')
writer = node.create_publisher(String, 'there', 1)
answers = []
node.create_subscription(String, 'back', answers.append, 1)
while not answers:
    writer.publish(String(data='from the plain node'))
    rclpy.spin_once(node, timeout_sec=0.1)
print(answers[0].data, flush=True)
"""
"""A node of somebody else's, which knows nothing of our profile."""


@pytest.fixture
def nothing_set(monkeypatch, tmp_path):
    """Unset what decides on the profile, and stay in an empty folder."""
    for name in (RANGE, PROFILE, 'ROS_STATIC_PEERS', 'ROS_DISCOVERY_SERVER'):
        monkeypatch.setenv(name, '')  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


OURS = """\
import json, sys
from il_ros.ros.runtime import Runtime
from rclpy.node import Node
from std_msgs.msg import String

with Runtime([], executor='single') as runtime:
    node = runtime.add(lambda context: Node('ours', context=context))
    writer = node.create_publisher(String, 'back', 1)
    node.create_subscription(
        String, 'there', lambda heard: writer.publish(String(data=f'{heard.data}, back')), 1)
    print('ready', flush=True)
    runtime.spin()
"""


def sockets(pid: int, kind: str) -> list[tuple[str, int]]:
    """Return address and port of the sockets of a process, by ``/proc/net/KIND``."""
    links = [os.readlink(descriptor) for descriptor in Path(f'/proc/{pid}/fd').iterdir()]
    theirs = {link[8:-1] for link in links if link.startswith('socket:[')}
    found = []
    for line in Path('/proc/net', kind).read_text().splitlines()[1:]:
        words = line.split()
        if words[9] in theirs:
            address, _, port = words[1].partition(':')
            found.append((socket.inet_ntoa(bytes.fromhex(address)[::-1])
                          if len(address) == 8 else address, int(port, 16)))
    return found


@contextlib.contextmanager
def running(code: str, **environment: str):
    """Run a node of an own process; yield it with its output as a pipe."""
    with subprocess.Popen([sys.executable, '-c', code], env={**os.environ, **environment},
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(DEADLINE_S)


@pytest.mark.parametrize('transports', ['DEFAULT', 'UDPv4'])
def test_only_loopback_is_listened_at_and_a_node_without_the_profile_talks_with_us(
        nothing_set, transports):
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    with running(OURS) as ours:
        assert ours.stdout.readline() == 'ready\n'
        listening = [one for one in sockets(ours.pid, 'udp') if one[1] < FIRST_EPHEMERAL]
        assert len(listening) >= 2 and {address for address, _ in listening} == {'127.0.0.1'}
        assert not [one for kind in ('tcp', 'tcp6', 'udp6') for one in sockets(ours.pid, kind)]
        # Large messages still go by shared memory, by one segment and not by one a profile.
        assert len(set(SEGMENT.findall(Path(f'/proc/{ours.pid}/maps').read_text()))) == 1
        with running(OTHER, **{RANGE: 'LOCALHOST', 'FASTDDS_BUILTIN_TRANSPORTS': transports}
                     ) as other:
            assert other.stdout.readline() == 'from the plain node, back\n'
        ours.send_signal(signal.SIGINT)
        assert ours.wait(DEADLINE_S) == 0


def test_the_profile_is_named_where_the_range_is_this_machine(nothing_set):
    keep_to_this_machine()
    assert Path(os.environ[PROFILE]).name == 'localhost.xml'
    assert '<address>127.0.0.1</address>' in Path(os.environ[PROFILE]).read_text()


@pytest.mark.parametrize('name, value', [
    (RANGE, 'SUBNET'), (RANGE, 'OFF'), (RANGE, 'SYSTEM_DEFAULT'),
    ('ROS_STATIC_PEERS', '10.0.0.2'), ('ROS_DISCOVERY_SERVER', '10.0.0.2:11811')])
def test_others_that_are_to_be_found_are_not_shut_out(nothing_set, name, value):
    keep_to_this_machine()
    nothing_set.setenv(name, value)
    keep_to_this_machine()
    assert PROFILE not in os.environ


def test_a_profile_of_the_users_stays(nothing_set):
    Path('DEFAULT_FASTRTPS_PROFILES.xml').touch()
    keep_to_this_machine()
    assert PROFILE not in os.environ
    nothing_set.setenv(PROFILE, 'mine.xml')
    keep_to_this_machine()
    assert os.environ[PROFILE] == 'mine.xml'
