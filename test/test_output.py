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

"""Output to a full device or a closed pipe: one sentence, an exit code, never a traceback."""

import errno
import io
import os
from pathlib import Path
import subprocess
import sys

from il_ros.cli.parser import main
from il_ros.output import CLOSED, Output, OutputError
import pytest

DEADLINE_S = 60.0
FULL = Path('/dev/full')
RUN = ('-c', 'import sys; from il_ros.cli.parser import main; sys.exit(main())')

needs_full = pytest.mark.skipif(not FULL.exists(), reason='needs /dev/full: make test on Linux')


class Failing(io.StringIO):
    """A stream that the operating system refuses."""

    def __init__(self, number: int):
        super().__init__()
        self.number = number

    def write(self, text: str):
        raise OSError(self.number, os.strerror(self.number))


def il_ros(*words: str, stdout, **environment: str) -> tuple[int, list[str]]:
    """Run the command in a process of its own; return its code and the lines of its error."""
    done = subprocess.run(
        [sys.executable, *RUN, *words], stdout=stdout, stderr=subprocess.PIPE, text=True,
        timeout=DEADLINE_S, env={**os.environ, **environment})
    return done.returncode, done.stderr.splitlines()


@needs_full
@pytest.mark.parametrize('unbuffered', ['', '1'])
def test_a_full_device_is_said_in_one_sentence(unbuffered):
    with FULL.open('w') as full:
        code, said = il_ros('--help', stdout=full, PYTHONUNBUFFERED=unbuffered)
    assert code == 1
    sentence, = said
    assert sentence.startswith('il_ros: standard output cannot be written (No space left')


@pytest.mark.parametrize('unbuffered', ['', '1'])
def test_a_closed_pipe_is_quiet(unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert il_ros('--help', stdout=writer, PYTHONUNBUFFERED=unbuffered) == (CLOSED, [])
    finally:
        os.close(writer)


@pytest.mark.system
@needs_full
def test_a_command_with_a_graph_keeps_what_it_made_and_says_the_same(tmp_path):
    result = tmp_path / 'result.json'
    with FULL.open('w') as full:
        code, said = il_ros(
            'evaluate', '--task', 'reach', '--policy', 'expert', '--episodes', '1', '--horizon',
            '5', '--runs', str(tmp_path), '--json', str(result), stdout=full)
    assert code == 1
    assert [line for line in said if line.startswith('il_ros: ')] == said[-1:]
    assert 'standard output cannot be written' in said[-1]
    assert not any('Traceback' in line for line in said)
    assert result.exists()


def test_a_file_that_cannot_be_written_is_named(capsys, monkeypatch):
    from il_ros.cli import dataset_verbs

    def full(_words):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), '/a/file')
    monkeypatch.setattr(dataset_verbs, 'dataset', full)
    assert main(['dataset', 'info', 'r']) == 1
    assert capsys.readouterr().err == 'il_ros: /a/file: No space left on device\n'


def test_an_error_in_a_domain_of_its_own_is_passed_on(monkeypatch):
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    from il_ros.graph.client import own_domain
    monkeypatch.delenv('ROS_DOMAIN_ID', raising=False)
    with pytest.raises(OSError, match='of ours'):
        with own_domain():
            raise OSError('of ours')
    assert 'ROS_DOMAIN_ID' not in os.environ


def test_an_output_fails_once_and_drops_the_rest():
    output = Output(Failing(errno.ENOSPC))
    with pytest.raises(OutputError, match='No space left on device') as refused:
        output.write('a')
    assert not refused.value.is_closed
    output.write('b')
    output.flush()
    assert output.failure is refused.value


def test_a_progress_bar_that_nobody_sees_ends_no_command():
    Output(Failing(errno.ENOSPC), quiet=True).write('a')


def test_standard_streams_that_are_closed_take_no_descriptor_of_a_file(tmp_path):
    place = tmp_path / 'file'
    code = (f'from il_ros.output import standard_output\nwith standard_output():\n'
            f'    print("lost")\n    file = open({str(place)!r}, "w")\n'
            '    assert file.fileno() > 2')
    done = subprocess.run(
        ['sh', '-c', 'exec "$0" -c "$1" >&- 2>&- <&-', sys.executable, code],
        timeout=DEADLINE_S)
    assert done.returncode == 0
