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

LARGEST_DOMAIN = 232
"""Beyond it the UDP ports of a domain end."""

WITHOUT_FILES = '--disable-external-lib-logs'
"""ROS argument of a process that writes no log file."""


class EnvironmentVariableError(ImitationError):
    """A variable that keeps ROS from starting; the sentence says what to set."""


def check_environment(args: Sequence[str] | None = None):
    """
    Make sure that a ROS context can be made here.

    :param args: the arguments that it gets; None: those of the process
    :raises EnvironmentVariableError: naming the variable
    """
    _check_domain(os.environ.get('ROS_DOMAIN_ID', ''))
    if WITHOUT_FILES not in (sys.argv if args is None else args):
        _check_log_folder()


def _check_domain(text: str):
    try:
        right = not text or 0 <= int(text) <= LARGEST_DOMAIN
    except ValueError:
        right = False
    if not right:
        raise EnvironmentVariableError(
            f'ROS_DOMAIN_ID is {text!r}; expected an integer from 0 to {LARGEST_DOMAIN}: set it '
            'to one, or unset it')


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
