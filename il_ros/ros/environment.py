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

"""The environment variables of ROS, checked before rclpy fails on them with a traceback."""

from collections.abc import Sequence
import os
from pathlib import Path
import pwd
import sys
import tempfile

from il_ros.errors import ImitationError
from il_ros.files.share import share_path

LARGEST_DOMAIN = 232
"""Beyond it the UDP ports of a domain end."""

WITHOUT_FILES = '--disable-external-lib-logs'
"""ROS argument of a process that writes no log file."""


RANGE = 'ROS_AUTOMATIC_DISCOVERY_RANGE'
LOCALHOST = 'LOCALHOST'
REACHES = {
    LOCALHOST: f'on this machine alone; {RANGE}=SUBNET opens it',
    'SUBNET': f'on the whole subnet, where anybody can call its services; {RANGE}={LOCALHOST} '
              'keeps it to this machine',
    'SYSTEM_DEFAULT': f'as far as the middleware is set to; {RANGE}={LOCALHOST} keeps it to this '
                      'machine',
    'OFF': f'to no other process; {RANGE}={LOCALHOST} lets those of this machine find it'}
"""Values of ``RANGE``, and how far a process listens."""

PROFILE = 'FASTRTPS_DEFAULT_PROFILES_FILE'
"""Names the profile that Fast DDS reads before the first participant of a process."""

_PROFILE_HERE = 'DEFAULT_FASTRTPS_PROFILES.xml'
"""A profile in the current folder, which Fast DDS reads as well."""

SECURITY = {'ROS_SECURITY_ENABLE': ('true', 'false'),
            'ROS_SECURITY_STRATEGY': ('Enforce', 'Permissive')}
"""The values that ROS knows; it takes any other one for the second."""


class EnvironmentVariableError(ImitationError):
    """A variable that keeps ROS from starting; the sentence says what to set."""


def check_environment(args: Sequence[str] | None = None):
    """
    Make sure that a ROS context can be made here.

    :param args: the arguments that it gets; None: those of the process
    :raises EnvironmentVariableError: naming the variable
    """
    domain()
    if discovery_range() not in REACHES:
        raise EnvironmentVariableError(
            f'{RANGE} is {discovery_range()!r}; expected one of {", ".join(REACHES)}: set it to '
            'one, or unset it')
    _check_security()
    if WITHOUT_FILES not in (sys.argv if args is None else args):
        _check_log_folder()


def keep_to_this_machine():
    """Keep discovery on this machine unless the user has set a wider range."""
    if not os.environ.get(RANGE):
        os.environ[RANGE] = LOCALHOST
    _bind_to_this_machine()


def _bind_to_this_machine():
    """Have Fast DDS listen on 127.0.0.1 alone, where nobody else is to be found."""
    ours = str(share_path('config', 'fastdds', 'localhost.xml'))
    if os.environ.get(PROFILE, ours) != ours or Path(_PROFILE_HERE).exists():
        return  # the user's own
    others = any(map(os.environ.get, ('ROS_STATIC_PEERS', 'ROS_DISCOVERY_SERVER')))
    if discovery_range() == LOCALHOST and not others:
        os.environ[PROFILE] = ours
    else:
        os.environ.pop(PROFILE, None)  # inherited


def reach() -> str:
    """Return one sentence on how far this process listens, and what changes it."""
    peers = os.environ.get('ROS_STATIC_PEERS', '')
    if os.environ.get('ROS_LOCALHOST_ONLY') == '1':
        return 'listens on this machine alone; ROS_LOCALHOST_ONLY=1 says so'
    also = f', and to ROS_STATIC_PEERS={peers}' if peers and discovery_range() != 'OFF' else ''
    where, _, change = REACHES[discovery_range()].partition(';')
    return f'listens {where}{also};{change}'


def discovery_range() -> str:
    """Return how far processes of ours are found, one of ``REACHES``."""
    return os.environ.get(RANGE) or LOCALHOST


def domain() -> int:
    """
    Return the ROS domain that the environment names.

    :raises EnvironmentVariableError: if it is none
    """
    text = os.environ.get('ROS_DOMAIN_ID') or '0'
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= LARGEST_DOMAIN:
        raise EnvironmentVariableError(
            f'ROS_DOMAIN_ID is {text!r}; expected an integer from 0 to {LARGEST_DOMAIN}: set it '
            'to one, or unset it')
    return number


def _check_security():
    for name, known in SECURITY.items():
        value = os.environ.get(name, '')
        if value not in ('', *known):
            raise EnvironmentVariableError(
                f'{name} is {value!r}, which ROS takes for {known[1]}; set it to {known[0]} or '
                f'{known[1]}, or unset it')
    if enforces_security():
        keystore = os.environ.get('ROS_SECURITY_KEYSTORE', '')
        if not keystore or not (Path(keystore) / 'enclaves').is_dir():
            raise EnvironmentVariableError(
                f'security is enforced, but ROS_SECURITY_KEYSTORE is {keystore!r}; set it to the '
                'folder that ros2 security create_keystore made')


def enforces_security() -> bool:
    """Tell whether a process without keys is kept from starting."""
    return all(os.environ.get(name) == known[0] for name, known in SECURITY.items())


def ros_home() -> Path | None:
    """Return where ROS keeps the files of a user; None: the environment names no place."""
    if os.environ.get('ROS_HOME'):
        return Path(os.environ['ROS_HOME']).expanduser()
    return Path(os.environ['HOME']) / '.ros' if os.environ.get('HOME') else None


def user_home() -> Path:
    """
    Return ``ros_home()``, or where it would be by the system's list of users.

    :raises KeyError: if the user is not in that list
    """
    return ros_home() or Path(pwd.getpwuid(os.getuid()).pw_dir) / '.ros'


def _check_log_folder():
    given, home = os.environ.get('ROS_LOG_DIR'), ros_home()
    if given:
        folder = Path(given).expanduser()
    elif home is not None:
        folder = home / 'log'
    else:
        raise EnvironmentVariableError(
            'ROS has no folder for its log files, for HOME is not set; set HOME, or ROS_LOG_DIR '
            'to a folder that can be written to')
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise EnvironmentVariableError(
            f'{folder}, the folder of the ROS log files, cannot be written to ({error.strerror}); '
            'set ROS_LOG_DIR to a folder that can') from error
