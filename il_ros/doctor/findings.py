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

"""Findings: what a check says, how bad it is, and what to do."""

from collections.abc import Callable, Iterable
import enum
import threading
from typing import NamedTuple

from il_ros.errors import ImitationError
from il_ros.output import sentence_of

DEADLINE_S = 15.0
"""Of one check; the longest, the look at the graph, takes four seconds."""


class Level(enum.StrEnum):
    """How bad it is: FAIL keeps il_ros from working, WARN may."""

    OK = 'OK'
    WARN = 'WARN'
    FAIL = 'FAIL'


class Finding(NamedTuple):
    """One sentence of one check; beyond OK it says what to do."""

    level: Level
    text: str


def ok(text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Level.OK, text)


def warn(text: str) -> Finding:
    """Return a finding that may be meant so."""
    return Finding(Level.WARN, text)


def fail(text: str) -> Finding:
    """Return a finding that has to be mended."""
    return Finding(Level.FAIL, text)


def findings_of(check: Callable[[], Iterable[Finding]], deadline_s: float = DEADLINE_S
                ) -> list[Finding]:
    """Run a check; one that cannot be carried out, or hangs, is a finding itself."""
    found: list[Finding] = []
    # A daemon: should it hang, in a mount for example, the process ends in spite of it.
    thread = threading.Thread(target=_run, args=(check, found), daemon=True)
    thread.start()
    thread.join(deadline_s)
    if thread.is_alive():
        return [fail(f'this check does not end within {deadline_s:g} s; look for a disk, a mount '
                     'or a network that hangs')]
    return found


def _run(check: Callable[[], Iterable[Finding]], found: list[Finding]):
    try:
        found.extend(check())
    except (ImitationError, OSError) as error:
        found.append(fail(sentence_of(error)))
    except ModuleNotFoundError as error:
        found.append(fail(f'{error.name} is not installed or not built; run make setup, or '
                          'source your ROS 2 workspace'))
    # A machine that is out of order may break a check in any way; the others still count.
    except Exception as error:
        found.append(fail(f'this check itself failed ({type(error).__name__}: {error}); please '
                          'report it'))
