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

"""The ``il_ros`` command in processes of its own, on runs that take seconds."""

import os
from pathlib import Path
import signal
import subprocess
import sys

TRAINING = """
strategy: {}
training:
  inputs: INPUTS
  hidden: [32]
  steps: 80
  warmup_steps: 5
"""
INPUTS = {
    'reach': "['goal_position - tool_position']",
    'push': "['goal_position.xy - object_position.xy', 'object_position.xy - tool_position.xy']"}
SMALL = ('--demonstrations', '2', '--rounds', '1', '--episodes-per-round', '2',
         '--evaluation-episodes', '2', '--final-evaluation-episodes', '3', '--horizon', '40')
DEADLINE_S = 150.0


def config_for(task: str, folder: Path) -> Path:
    """Write a configuration that trains in a moment, and return its path."""
    path = folder / f'{task}.yaml'
    path.write_text(TRAINING.replace('INPUTS', INPUTS[task]))
    return path


def dagger_words(task: str, folder: Path, run: str, *words: str) -> list[str]:
    """Return the command line of a small run."""
    return ['dagger', '--task', task, '--run', run, '--runs', str(folder / 'runs'), '--config',
            str(config_for(task, folder)), *SMALL, *words]


def start(words: list[str], **options) -> subprocess.Popen:
    """Start ``il_ros`` with these words."""
    return subprocess.Popen(
        [sys.executable, '-m', 'il_ros.cli', *words], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True, **options)


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    """Return exit code, standard output and standard error of a process."""
    try:
        out, err = process.communicate(timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f'it does not end:\n{out}\n{err}') from None
    return process.returncode, out, err


def il_ros(*words: str, **options) -> tuple[int, str, str]:
    """Run ``il_ros`` and return exit code, standard output and standard error."""
    return finish(start(list(words), **options))
