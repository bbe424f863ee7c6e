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

"""Checks of this machine: from facts to findings."""

from collections.abc import Iterator, Mapping, Sequence

from il_ros.doctor.findings import fail, Finding, ok, warn
from il_ros.doctor.system_facts import Folder, SharedMemory, Socket

NEEDED = {'rclpy': 'run make setup, or source your ROS 2 workspace', 'numpy': 'run make setup',
          'pybullet': 'run make setup: simulation and kinematics need it'}
ROS_MAJOR = '7'
"""Of rclpy in Jazzy."""

TESTED = 'rmw_fastrtps_cpp'
WIDE = ('SUBNET', 'SYSTEM_DEFAULT')
SECURITY_PAGE = 'docs/how-to/security.md'
FIRST_DDS_PORT, PORTS_PER_DOMAIN = 7400, 250
"""The ports of a ROS domain, by the RTPS specification, section 9.6.1."""

MIB = 1 << 20
LEAST_FREE, USUAL_FREE = 64 * MIB, 1024 * MIB
"""Below the first the recorder begins no episode (``min_free_mb``)."""

LEAST_SHARED = 64 * MIB
BEFORE_RELEASE_S = 1_767_225_600
"""2026-01-01: a clock that says less is not set."""


def interfaces(error: str) -> Iterator[Finding]:
    """Check that the messages of il_ros are built."""
    if error:
        yield fail(f'il_ros_interfaces is not built or not sourced ({error}); run make setup, or '
                   'colcon build and source install/setup.bash')
    else:
        yield ok('il_ros_interfaces is built')


def versions(found: Mapping[str, str], python: str) -> Iterator[Finding]:
    """
    Check what is installed.

    :param found: versions by name; what is missing is not installed
    """
    for name, advice in NEEDED.items():
        if name not in found:
            yield fail(f'{name} is not installed; {advice}')
    if 'torch' not in found:
        yield warn('torch is not installed; run make setup to train policies')
    if found.get('rclpy', ROS_MAJOR).partition('.')[0] != ROS_MAJOR:
        yield warn(f'rclpy {found["rclpy"]} is not that of ROS 2 Jazzy; source Jazzy, with which '
                   'il_ros is tested')
    yield ok(', '.join([f'Python {python}', *(f'{name} {one}' for name, one in found.items())]))


def middleware(name: str) -> Iterator[Finding]:
    """Check which middleware is asked for; empty: ROS's own choice."""
    if name in ('', TESTED):
        yield ok(TESTED)
    else:
        yield warn(f'{name} is not tested with il_ros; unset RMW_IMPLEMENTATION, or set it to '
                   f'{TESTED}')


def discovery(range_: str, reach: str, secure: bool) -> Iterator[Finding]:
    """
    Check how far this graph can be found.

    :param range_: value of ROS_AUTOMATIC_DISCOVERY_RANGE
    :param reach: the same in words
    :param secure: security is enforced
    """
    if range_ in WIDE and not secure:
        yield warn('discovery reaches the whole subnet and security is off, so anybody there can '
                   'command the arm; set ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST, or use SROS 2 '
                   f'({SECURITY_PAGE})')
    else:
        yield ok(reach)


def ports(sockets: Sequence[Socket], domain: int) -> Iterator[Finding]:
    """Check at which addresses the ports of a domain are listened to."""
    first = FIRST_DDS_PORT + PORTS_PER_DOMAIN * domain
    own = sorted(one for one in sockets if first <= one.port < first + PORTS_PER_DOMAIN)
    beyond = [one for one in own if not one.address.startswith('127.')]
    if beyond:
        said = ', '.join(f'{one.address}:{one.port} of {one.process or "another user"}'
                         for one in beyond)
        yield warn(f'ports of domain {domain} are open beyond this machine: {said}; start these '
                   'processes with ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST and the profile '
                   'config/fastdds/localhost.xml in FASTRTPS_DEFAULT_PROFILES_FILE, or close the '
                   'ports by a firewall')
    else:
        yield ok(f'{len(own)} ports of domain {domain} are open, none beyond this machine')


def shared_memory(facts: SharedMemory) -> Iterator[Finding]:
    """Check what dead participants have left in shared memory."""
    if facts.free_bytes < LEAST_SHARED:
        yield warn(f'/dev/shm has {facts.free_bytes / MIB:.0f} MiB free, too little for Fast DDS; '
                   'enlarge it (docker run --shm-size=512m)')
    if facts.dead:
        yield warn(f'processes that were killed have left {len(facts.dead)} files '
                   f'({facts.dead_bytes / MIB:.0f} MiB) in /dev/shm; when no ROS process runs: '
                   'rm /dev/shm/*fastrtps_*')
    else:
        yield ok(f'{facts.participants} participants, no leftovers')


def clock(now_s: float) -> Iterator[Finding]:
    """Check that the time of day is set."""
    if now_s < BEFORE_RELEASE_S:
        yield warn('the clock of this machine is not set, and stamps of different machines do not '
                   'fit; run timedatectl set-ntp true')
    else:
        yield ok('the clock is set')


def cores(count: int) -> Iterator[Finding]:
    """Check the number of processors that this process may use."""
    if count < 2:
        yield warn('this process may use one core only, and training disturbs the control loop; '
                   'give it two or more (taskset, docker run --cpus)')
    else:
        yield ok(f'{count} cores')


def graphics(cards: Sequence[str]) -> Iterator[Finding]:
    """Say which graphics cards there are; nothing here needs one."""
    yield ok(', '.join(cards) or 'no NVIDIA card, and none is needed')


def runs(folder: Folder) -> Iterator[Finding]:
    """Check the folder of the runs."""
    free = f'{folder.free_bytes / MIB:,.0f} MiB free'
    if folder.problem:
        yield fail(f'{folder.path}, the folder of the runs, cannot be written to '
                   f'({folder.problem}); change its permissions, or give another --runs')
    elif folder.free_bytes < LEAST_FREE:
        yield fail(f'{folder.path} has {free}, and the recorder begins no episode; free some '
                   'space, or give another --runs')
    elif folder.free_bytes < USUAL_FREE:
        yield warn(f'{folder.path} has {free}, little for recordings; free some space')
    else:
        yield ok(f'{folder.path} can be written to, {free}')


def security(enable: str, strategy: str) -> Iterator[Finding]:
    """
    Check whether SROS 2 does what the environment asks for.

    :param enable: value of ROS_SECURITY_ENABLE
    :param strategy: value of ROS_SECURITY_STRATEGY
    """
    if enable == 'true' and strategy == 'Enforce':
        yield ok('SROS 2 is enforced')
    elif enable == 'true':
        yield warn('SROS 2 lets nodes without keys in; set ROS_SECURITY_STRATEGY=Enforce')
    elif strategy == 'Enforce':
        yield warn('ROS_SECURITY_STRATEGY=Enforce does nothing by itself; set '
                   'ROS_SECURITY_ENABLE=true, too')
    else:
        yield ok(f'SROS 2 is off ({SECURITY_PAGE})')
