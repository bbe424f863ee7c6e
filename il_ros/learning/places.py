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

"""Find a policy: by the folder of a checkpoint, or by the folder or name of a run."""

from pathlib import Path
import re

from il_ros import hints
from il_ros.errors import NoCheckpointError
from il_ros.learning.checkpoint import DOCUMENT
from il_ros.learning.references import CHECKPOINTS

_EPISODES = 'episodes'
_TRAINED = 'bc'
"""What ``il_ros train`` makes of a run."""

_BASELINE = 'baseline'
"""Of a finished run: BC with as many labels, to compare with; never what the run came to."""


def find_policy(runs: Path, text: str) -> Path:
    """
    Return the folder of the checkpoint that a text means.

    :param runs: folder of the runs
    :param text: a checkpoint's folder, a run's folder, or the name of a run; of a run: the
        newest checkpoint
    :raises NoCheckpointError: if it is none of these, or the run has no checkpoint yet
    """
    path = Path(text)
    if (path / DOCUMENT).exists():
        return path
    for folder in (Path(runs) / text, path):
        if is_run(folder):
            return newest_checkpoint(folder)
    if path.is_dir():
        return path  # whoever reads it says what is missing
    raise NoCheckpointError(f'there is no policy {text!r}; expected the folder of a checkpoint, '
                            f'or a run: its folder, or its name under {runs}')


def is_run(folder: Path) -> bool:
    """Tell whether a folder is one of a run."""
    return (folder / CHECKPOINTS).is_dir() or (folder / _EPISODES).is_dir()


def newest_checkpoint(run: Path) -> Path:
    """
    Return the checkpoint of a run's last round, else that of ``il_ros train``, else the newest.

    :param run: its folder
    :raises NoCheckpointError: if there is none
    """
    found = [path for path in (run / CHECKPOINTS).glob('[!.]*') if (path / DOCUMENT).exists()]
    rounds = {int(number[1]): path for path in found
              if (number := re.fullmatch(r'round_(\d+)', path.name))}
    if rounds:
        return rounds[max(rounds)]
    trained = run / CHECKPOINTS / _TRAINED
    others = [path for path in found if path.name != _BASELINE]
    if trained in others or trained.is_dir():
        return trained
    if not others:
        raise NoCheckpointError(f'{run / CHECKPOINTS} has no checkpoint; train one: '
                                f'{hints.train(run)}')
    return max(others, key=lambda path: (path / DOCUMENT).stat().st_mtime_ns)
