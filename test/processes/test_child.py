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

"""Child processes: what they inherit, how they end with their parent, and what is said of it."""

import os
import signal
import subprocess
import sys

from il_ros.processes.child import end, exit_message, start
import pytest


def python(code: str) -> tuple[str, str, str]:
    """Return the command that runs some code."""
    return sys.executable, '-c', code


def test_a_child_has_one_thread_its_own_session_and_finds_the_modules_of_its_parent(
        tmp_path, monkeypatch):
    (tmp_path / 'of_the_user.py').write_text('')
    monkeypatch.syspath_prepend(tmp_path)
    code = ('import of_the_user, os; '
            'print(os.environ["OMP_NUM_THREADS"], os.getsid(0), os.getpid())')
    child = start(python(code), stdout=subprocess.PIPE, text=True)
    threads, session, pid = child.communicate(timeout=30)[0].split()
    assert threads == '1' and session == pid == str(child.pid)


@pytest.mark.parametrize('how, stopped', [(signal.SIGINT, False), (signal.SIGKILL, True)])
def test_a_child_gets_its_signal_when_its_parent_is_killed(wait_until, how, stopped):
    code = ('import signal\nfrom il_ros.processes.child import start\n'
            f'print(start(("/bin/sleep", "60"), {int(how)}).pid, flush=True)\nsignal.pause()\n')
    parent = start(python(code), stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    name = f'/proc/{child}/comm'
    assert wait_until(None, lambda: open(name).read().strip() == 'sleep', 30.0)
    if stopped:
        os.kill(child, signal.SIGSTOP)
    parent.kill()
    parent.communicate()
    # The orphan comes to this process, which finds out how it ended.
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == how


def test_a_command_whose_parent_is_gone_is_not_started(capfd):
    watch = (sys.executable, '-m', 'il_ros.processes.child', '1', '9', '/bin/sleep', '60')
    assert subprocess.run(watch, timeout=30).returncode == 1
    assert 'process 1, is gone' in capfd.readouterr().err


def test_who_does_not_end_in_time_is_killed():
    code = 'import signal; signal.signal(2, signal.SIG_IGN); print(flush=True); signal.pause()'
    children = [start(python(code), stdout=subprocess.PIPE), start(('/bin/sleep', '60'))]
    children[0].stdout.readline()
    end(children, 0.5)
    assert [child.returncode for child in children] == [-signal.SIGKILL, -signal.SIGINT]
    children[0].stdout.close()


@pytest.mark.parametrize('code, output, said', [
    (-9, (), 'it was killed by SIGKILL'),
    (7, (' ', ''), 'it ended with exit code 7'),
    (1, ('one', 'two ', ''), 'it ended with exit code 1; last output: two'),
    (1, ('il_ros: no such task', 'more'), 'it ended with exit code 1; last output: no such task')])
def test_the_exit_message_has_the_error_or_the_last_line(code, output, said):
    assert exit_message('it', code, output) == said


def test_an_exit_message_takes_the_last_error_and_zero_is_no_signal():
    lines = ('il_ros: first', 'il_ros: second', 'a line behind')
    assert exit_message('it', 2, lines) == 'it ended with exit code 2; last output: second'
    assert exit_message('it', 0, ('one', 'two')) == 'it ended with exit code 0; last output: two'
    assert exit_message('it', -1, ()) == 'it was killed by SIGHUP'


class Ending:
    """A process that ends some seconds after its signal, on a clock of its own."""

    now = 0.0

    def __init__(self, after_s: float):
        self.after_s, self.got = after_s, []

    def send_signal(self, how: int):
        self.got.append(how)

    def wait(self, timeout: float | None = None):
        if timeout is not None and Ending.now + timeout < self.after_s:
            Ending.now += timeout
            raise subprocess.TimeoutExpired('it', timeout)
        Ending.now = max(Ending.now, self.after_s)

    def kill(self):
        self.got.append(signal.SIGKILL)
        self.after_s = Ending.now


@pytest.mark.parametrize('after_s, got', [
    ((1.0, 2.0), ([2], [2])), ((1.0, 9.0), ([2], [2, 9])),
    ((9.0, 4.9), ([2, 9], [2])), ((9.0, 5.05), ([2, 9], [2])), ((9.0, 5.2), ([2, 9], [2, 9]))])
def test_all_share_one_deadline_and_each_has_a_tenth_of_a_second(monkeypatch, after_s, got):
    Ending.now = 0.0
    monkeypatch.setattr('il_ros.processes.child.time.monotonic', lambda: Ending.now)
    processes = [Ending(after) for after in after_s]
    end(processes, 5.0)
    assert tuple(process.got for process in processes) == got
    assert Ending.now <= 5.11


def test_who_ends_by_itself_gets_the_signal_that_was_asked_for():
    process = Ending(0.0)
    end([process], 1.0, how=0)
    assert process.got == [0]


def test_what_is_added_to_the_environment_counts_more_than_what_a_child_inherits(monkeypatch):
    monkeypatch.setenv('OF_MINE', 'inherited')
    code = 'import os; print(os.environ["OMP_NUM_THREADS"], os.environ["OF_MINE"])'
    for environment, said in (({'OMP_NUM_THREADS': '3', 'OF_MINE': 'added'}, '3 added'),
                              ({}, '1 inherited')):
        child = start(python(code), environment=environment, stdout=subprocess.PIPE, text=True)
        assert child.communicate(timeout=30)[0].strip() == said
