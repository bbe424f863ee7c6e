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

"""What a run is asked for, checked before anything is done, and the settings that it keeps."""

import dataclasses
import json
from pathlib import Path

from il_ros.files.atomic import write_atomically
from il_ros.files.regular import read_bytes
from il_ros.interactive import run_state
from il_ros.interactive.goal import Goal
from il_ros.interactive.strategies import load_strategy, settings_path
from il_ros.interactive.strategy import Strategy
from il_ros.learning.config import NoTrainingError, TrainConfig, training_path
from il_ros.loop.failures import BAD_GOAL, RunError
from il_ros.plugins import PluginError
import yaml


SETTINGS = 'settings.yaml'
"""File of a run with settings that were given as an object."""

TRAINING = 'training.yaml'
"""File of a run with the training's settings that it began with."""


def check_goal(goal: Goal, resume: bool = False, contract: str = '',
               run: Path | None = None) -> tuple[Strategy, Path]:
    """
    Return the strategy and the training's file of a run.

    :param resume: it may be there already
    :param contract: name of the graph's, which may have a training of its own
    :param run: folder of the run: one that is resumed has its settings, if their file is gone
    :raises ImitationError: with what is wrong, before anything is done
    """
    if resume and run is not None:
        run_state.refuse_old_name(run)
    if resume and run is not None and _has_settings(run, goal):
        strategy, training_file = run_state.load(run).strategy, run / TRAINING
    else:
        strategy_file, training_file = config_files(goal, contract)
        strategy = load_strategy(goal.strategy, strategy_file)
    training_of(training_file, {**strategy.learner, **strategy.augmentation})
    return strategy, training_file


def _has_settings(run: Path, goal: Goal) -> bool:
    """Tell whether a run has the settings of its goal, and the file that gave them is gone."""
    return bool(goal.config) and not Path(goal.config).exists() and (
        (run / TRAINING).exists() and run_state.load(run).goal.config == goal.config)


def config_files(goal: Goal, contract: str = '') -> tuple[Path | None, Path]:
    """
    Return the files with the settings of the strategy and of the training.

    :param contract: name of the graph's
    :returns: of the strategy None if it has no file
    :raises StrategyError: if there is no such strategy
    :raises RunError: if there is no such file, task or training
    """
    if goal.config:
        if not Path(goal.config).is_file():
            raise RunError(BAD_GOAL, f'config is {goal.config!r}; there is no such file')
        return Path(goal.config), Path(goal.config)
    strategy_file = settings_path(goal.strategy)
    try:
        return strategy_file, training_path(contract, goal.task)
    except PluginError as error:
        raise RunError(BAD_GOAL, str(error)) from error
    except NoTrainingError as error:
        raise RunError(BAD_GOAL, f'{error}; give a file of your own (config)') from error


def keep_training(folder: Path, training_file: Path, strategy: Strategy) -> dict[bool, Path]:
    """
    Copy the training's settings into the run, and return the copies that all its fits use.

    :returns: by whether the strategy's augmentation is in them: not for BC and the baseline
    :raises RunDiffersError: if the run began with other settings
    """
    plain = read_bytes(training_file)
    if strategy.learner:
        plain = _as_yaml(training_of(training_file, strategy.learner))
    kept = {False: _keep(folder / TRAINING, plain, training_file)}
    kept[True] = kept[False]
    if strategy.augmentation:
        augmented = training_of(training_file, {**strategy.learner, **strategy.augmentation})
        kept[True] = _keep(folder / 'augmented.yaml', _as_yaml(augmented), training_file)
    return kept


def _as_yaml(config: TrainConfig) -> bytes:
    fields = json.loads(json.dumps(dataclasses.asdict(config)))
    return yaml.safe_dump(fields, sort_keys=False).encode()


def _keep(copy: Path, wanted: bytes, given: Path | str) -> Path:
    if not copy.exists():
        write_atomically(copy, wanted)
    elif read_bytes(copy) != wanted:
        raise run_state.RunDiffersError(
            f'{given} is not what the run began with, which is {copy}; resume it with '
            'its own')
    return copy


def keep_settings(folder: Path, strategy: str, training: TrainConfig) -> Path:
    """
    Write the settings of a run that were given as an object, and return the file.

    :param folder: of the run; made if it is absent
    :raises StrategyError: if there is no such strategy
    :raises RunDiffersError: if the run has others
    """
    settings = load_strategy(strategy, settings_path(strategy)).settings
    document = json.loads(json.dumps(
        {'strategy': settings, 'training': dataclasses.asdict(training)}))
    folder.mkdir(parents=True, exist_ok=True)
    wanted = yaml.safe_dump(document, sort_keys=False).encode()
    if not (folder / run_state.FILE_NAME).exists():
        write_atomically(folder / SETTINGS, wanted)
        return folder / SETTINGS
    return _keep(folder / SETTINGS, wanted, 'config')


def training_of(training_file: Path, overrides: dict) -> TrainConfig:
    """
    Return the training's settings with those that the strategy needs.

    :raises TrainConfigError: naming the key that is wrong
    """
    config = dataclasses.asdict(TrainConfig.load(training_file))
    return TrainConfig.from_dict({**config, **overrides})
