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

"""The files of a run's contract and robot: kept beside its episodes where they are the user's."""

from collections.abc import Iterable
import dataclasses
from pathlib import Path

from il_ros.contract.contract import Contract, ContractError
from il_ros.episodes.episode import Episode
from il_ros.errors import RobotError
from il_ros.files.atomic import write_atomically
from il_ros.robots.robot_file import is_robot_file, standalone
from il_ros.tasks.contracts import find_contract, is_file, ON, robot_name

FOLDER = 'contract'
"""Folder of a run that has the file, under its own name: a contract is called after its file."""


def keep_contract(run: Path, asked: str):
    """
    Copy a contract file and its robot's file into the run that was recorded with them.

    :param run: the run's folder
    :param asked: as ``find_contract`` takes it: what is no file is composed anew; '': the task's
        own
    :raises ContractError: if a file cannot be read any more
    :raises EpisodeWriteError: naming the copy
    """
    robot = robot_name(asked) if asked else ''
    try:
        files = {Path(asked).name: Path(asked).read_bytes()} if is_file(asked) else {}
        if is_robot_file(robot):
            files[Path(robot).name] = standalone(robot)
    except (OSError, RobotError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise ContractError(f'{asked} cannot be kept with the run: {reason}') from error
    for name, content in files.items():
        (run / FOLDER).mkdir(parents=True, exist_ok=True)
        write_atomically(run / FOLDER / name, content)


def keep_contracts_of(runs: Iterable[Path], output: Path):
    """
    Copy the contract files of runs into a run that is made of them; all have one contract.

    :param output: the new run's folder
    """
    for file in (file for run in runs for file in kept_in(run)):
        if not (output / FOLDER / file.name).exists():
            (output / FOLDER).mkdir(parents=True, exist_ok=True)
            write_atomically(output / FOLDER / file.name, file.read_bytes())


def kept_in(run: Path) -> list[Path]:
    """Return the files of contracts and robots that lie in a run."""
    own = run / FOLDER
    return sorted(own.iterdir()) if own.is_dir() else []


def contract_file_of(run: Path, contract: Contract, task: str,
                     rate_hz: float | None = None) -> str | None:
    """
    Return what ``--contract`` has to be for a run's contract.

    :param rate_hz: of the graph that is to use it, which goes before the file's; None: the file's
    :returns: '': nothing, for it is the task's own; None: no file has this contract
    """
    kept, own = list(map(str, kept_in(run))), contract.name.partition(ON)[0]
    for name in (task, *kept, *(f'{own}{ON}{file}' for file in kept), contract.name):
        try:
            found, _ = find_contract(name)
        except (ContractError, RobotError):
            continue
        if rate_hz is not None:
            found = dataclasses.replace(found, rate=rate_hz)
        if found.id == contract.id:
            return '' if name == task else name
    return None


def needed_contract(run: Path, episode: Episode) -> str:
    """
    Return the contract by which an episode can be repeated, as ``--contract`` has it.

    :param run: folder of the episode's run, which has the file where it is one of the user's own
    :returns: a file, or a name
    :raises ContractError: if no file has the episode's contract
    """
    contract = episode.contract
    file = contract_file_of(run, contract, episode.spec.task, contract.rate)
    if file is None:
        raise ContractError(
            f'{episode.spec.episode_id} was recorded with the contract {contract.name} '
            f'({contract.id:016x}), of which there is no file; put it into {run / FOLDER}')
    return file or episode.spec.task
