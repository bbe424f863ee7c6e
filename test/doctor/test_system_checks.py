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

"""What is wrong with a machine, from facts; and the facts of made-up machines."""

import fcntl
from pathlib import Path
import threading

from il_ros.doctor import system_checks as checks
from il_ros.doctor import system_facts
from il_ros.doctor.findings import findings_of, Level, ok
from il_ros.doctor.system_facts import Folder, SharedMemory, Socket
from il_ros.errors import ImitationError
import pytest

OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
MIB = 1 << 20
VERSIONS = {'rclpy': '7.1.6', 'numpy': '2.4', 'pybullet': '3.2.7', 'torch': '2.13'}
ROOM = 8192 * MIB
RUNS = Path('r')


def without(name: str) -> dict[str, str]:
    """Return the versions of a machine that lacks one."""
    return {key: value for key, value in VERSIONS.items() if key != name}


@pytest.mark.parametrize('found, words', [
    (checks.interfaces(''), 'is built'),
    (checks.versions(VERSIONS, '3.11'), 'Python 3.11, rclpy 7.1.6, numpy 2.4'),
    (checks.middleware(''), 'rmw_fastrtps_cpp'),
    (checks.discovery('LOCALHOST', 'listens here', False), 'listens here'),
    (checks.discovery('SUBNET', 'listens there', True), 'listens there'),
    (checks.security('', ''), 'SROS 2 is off'), (checks.security('true', 'Enforce'), 'enforced'),
    (checks.ports([Socket('127.0.0.1', 7660, 'a (1)'), Socket('0.0.0.0', 9, 'b (2)')], 1),
     '1 ports of domain 1 are open, none beyond'),
    (checks.ports([Socket('0.0.0.0', 7900, 'a (1)')], 1), '0 ports of domain 1'),
    (checks.shared_memory(SharedMemory(3, (), 0, ROOM)), '3 participants, no leftovers'),
    (checks.clock(1.8e9), 'is set'), (checks.cores(2), '2 cores'),
    (checks.graphics([]), 'none is needed'), (checks.graphics(['H200']), 'H200'),
    (checks.runs(Folder(RUNS, '', ROOM)), 'r can be written to, 8,192 MiB free')])
def test_what_is_in_order_is_said_once(found, words):
    finding, = found
    assert finding.level == OK and words in finding.text


@pytest.mark.parametrize('found, level, words', [
    (checks.interfaces('No module named x'), FAIL, '(No module named x); run make setup'),
    (checks.versions(without('rclpy'), ''), FAIL, 'rclpy is not installed; run make setup'),
    (checks.versions(without('pybullet'), ''), FAIL, 'pybullet is not installed'),
    (checks.versions(without('torch'), ''), WARN, 'torch is not installed; run make setup'),
    (checks.versions({**VERSIONS, 'rclpy': '9.0'}, ''), WARN, 'source Jazzy'),
    (checks.middleware('rmw_cyclonedds_cpp'), WARN, 'unset RMW_IMPLEMENTATION'),
    (checks.discovery('SUBNET', '', False), WARN, 'anybody there can command the arm; set ROS_A'),
    (checks.discovery('SYSTEM_DEFAULT', '', False), WARN, 'security is off'),
    (checks.security('true', ''), WARN, 'set ROS_SECURITY_STRATEGY=Enforce'),
    (checks.security('', 'Enforce'), WARN, 'set ROS_SECURITY_ENABLE=true'),
    (checks.ports([Socket('0.0.0.0', 7899, 'a (1)')], 1), WARN, '0.0.0.0:7899 of a (1); start'),
    (checks.ports([Socket('10.0.0.9', 7650, '')], 1), WARN, '10.0.0.9:7650 of another user'),
    (checks.shared_memory(SharedMemory(3, ('x', 'x_el'), MIB, ROOM)), WARN, 'left 2 files (1 MiB'),
    (checks.shared_memory(SharedMemory(0, (), 0, MIB)), WARN, '--shm-size'),
    (checks.clock(0.0), WARN, 'timedatectl'), (checks.cores(1), WARN, 'give it two'),
    (checks.runs(Folder(RUNS, 'Permission denied', ROOM)), FAIL, 'change its permissions'),
    (checks.runs(Folder(RUNS, '', MIB)), FAIL, 'begins no episode; free some space'),
    (checks.runs(Folder(RUNS, '', 500 * MIB)), WARN, 'little for recordings')])
def test_what_is_out_of_order_is_said_with_what_to_do(found, level, words):
    first = next(iter(found))
    assert first.level == level and words in first.text


def test_a_folder_that_cannot_be_written_to_is_known_also_before_it_is_made(tmp_path):
    assert not system_facts.folder(tmp_path / 'new' / 'runs').problem
    (tmp_path / 'file').touch()
    assert system_facts.folder(tmp_path / 'file').problem == 'Not a directory'


def test_what_dead_participants_left_is_told_from_what_living_ones_have(tmp_path):
    for name in ('fastrtps_00aa', 'fastrtps_00bb'):
        (tmp_path / name).write_bytes(b'x' * 8192)
        (tmp_path / f'{name}_el').touch()
    (tmp_path / 'fastrtps_port7410_el').touch()
    with open(tmp_path / 'fastrtps_00aa_el') as lives:
        fcntl.flock(lives, fcntl.LOCK_EX)
        found = system_facts.shared_memory(tmp_path)
    assert found.participants == 2
    assert found.dead == ('fastrtps_00bb_el', 'fastrtps_00bb') and found.dead_bytes >= 8192


def test_ports_are_read_with_the_process_that_has_them(tmp_path):
    (tmp_path / 'net').mkdir()
    (tmp_path / 'net' / 'udp').write_text(
        'sl local_address rem_address st tx:rx tr:tm retr uid timeout inode\n'
        '1: 0100007F:1D05 00000000:0000 07 0:0 00:0 0 0 0 77 2\n'
        '2: 00000000:1D06 00000000:0000 07 0:0 00:0 0 0 0 78 2\n')
    (tmp_path / '12' / 'fd').mkdir(parents=True)
    (tmp_path / '12' / 'comm').write_text('observer\n')
    (tmp_path / '12' / 'fd' / '3').symlink_to('socket:[77]')
    assert system_facts.udp_sockets(tmp_path) == [
        Socket('127.0.0.1', 7429, 'observer (12)'), Socket('0.0.0.0', 7430, '')]


def test_a_card_is_known_by_its_driver(tmp_path):
    assert system_facts.graphics_cards(tmp_path) == []
    card = tmp_path / 'driver' / 'nvidia' / 'gpus' / '0000:01:00.0'
    card.mkdir(parents=True)
    (card / 'information').write_text('Model: \t\t NVIDIA H200\nIRQ: 42\n')
    assert system_facts.graphics_cards(tmp_path) == ['NVIDIA H200']


def test_the_versions_here_are_those_that_are_installed():
    assert system_facts.versions()['numpy'][0].isdigit()


@pytest.mark.parametrize('error, sentence', [
    (ImitationError('the sentence'), 'the sentence'),
    (PermissionError(13, 'Permission denied', '/x'), '/x: Permission denied'),
    (ModuleNotFoundError('No', name='rclpy'), 'rclpy is not installed or not built; run make'),
    (ValueError('odd'), 'this check itself failed (ValueError: odd); please report it')])
def test_a_check_that_fails_is_a_finding(error, sentence):
    def check():
        yield ok('first')
        raise error
    first, second = findings_of(check)
    assert first == ok('first') and second.level == FAIL and sentence in second.text


def test_a_check_that_hangs_is_a_finding():
    release = threading.Event()

    def check():
        release.wait(10.0)
        return ()
    finding, = findings_of(check, deadline_s=0.05)
    release.set()
    assert finding.level == FAIL and 'does not end within 0.05 s' in finding.text
