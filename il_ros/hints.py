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

"""
Command lines that messages tell people to type next; each has all that it needs to work.

A message ends with its command line, so that it can be copied to the end of the line.
"""

from pathlib import Path
import shlex

RUNS = Path('runs')
"""Where the commands look for runs if they are not told."""


def record(task: str, run: Path) -> str:
    """Return the command line that records demonstrations into a run's folder."""
    return _line('record', '--task', task, *_named(run))


def train(run: Path) -> str:
    """Return the command line that trains on what a run's folder holds."""
    return _line('train', *_named(run))


def evaluate(task: str, policy: Path, runs: Path, *words: str) -> str:
    """
    Return the command line that judges a policy.

    :param runs: folder of the runs, where the episodes go
    :param words: what the policy needs beside that: its contract, the options of its episodes
    """
    return _line('evaluate', '--task', task, '--policy', str(policy), *_under(runs), *words)


def teach(task: str, strategy: str, run: Path) -> str:
    """Return the command line of a run in which a person drives."""
    return _line('dagger', '--task', task, '--strategy', strategy, *_named(run), '--teleop', 'joy')


def repair(run: Path) -> str:
    """Return the command line that repairs a run's folder."""
    return _line('dataset', 'repair', str(run))


def split(run: Path, *how: str) -> str:
    """Return the command line that draws the filter keys of a run's folder."""
    return _line('dataset', 'split', str(run), *how)


def relabel(run: Path) -> str:
    """Return the command line that asks for the labels of a run's folder."""
    return _line('dataset', 'relabel', str(run))


def plot(run: Path) -> str:
    """Return the command line that draws a run's folder, with the names of its episodes."""
    return _line('dataset', 'plot', str(run))


def _named(run: Path) -> tuple[str, ...]:
    return '--run', run.name, *_under(run.parent)


def _under(runs: Path) -> tuple[str, ...]:
    return () if Path(runs) == RUNS else ('--runs', str(runs))


def _line(*words: str) -> str:
    return shlex.join(('il_ros', *words))
