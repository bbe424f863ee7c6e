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

"""Plan of a study: tasks, methods, seeds and budgets, kept in ``plan.json`` to resume it."""

import argparse
import dataclasses
import json
from pathlib import Path
import re
import shlex
from typing import Sequence

from il_ros import hints, plugins
from il_ros.contract.episode_spec import Name
from il_ros.driving.driving import HUMAN
from il_ros.errors import ImitationError
from il_ros.experiments.rollouts import check_seeds
from il_ros.files.atomic import write_atomically
from il_ros.interactive.goal import BLOCKS, EVALUATION_SEEDS, Goal, VALIDATION_SEEDS
from il_ros.interactive.strategies import load_strategy, settings_path
from il_ros.interactive.strategy import Strategy, UnknownStrategyError
from il_ros.settings import check
from il_ros.tasks.contracts import contract_name, find_contract
from il_ros.tasks.registry import make_task

PLAN = 'plan.json'
VALIDATION_FIRST = VALIDATION_SEEDS + 5_000
"""First seed of a study that chooses: apart from the held-out demonstrations of any run."""

CLONES = 'bc'
"""Stands for behavioural cloning in the names of runs; no method has this name."""

SEEDS = 10
"""Training seeds of a study by default: enough for intervals over them."""

QUICK = {'tasks': 1, 'methods': 2, 'seeds': 2, 'rounds': 4, 'episodes': 60, 'stretch': 2}
"""Largest numbers with ``--quick``."""


class StudyError(ImitationError):
    """A study that cannot be run as requested."""


@dataclasses.dataclass(frozen=True)
class Method:
    """A method of collecting labels: a strategy with its settings, and its name in plots."""

    name: str
    strategy: str
    config: str = ''
    """File with the keys ``strategy`` and ``training``; '': the package's own."""

    @classmethod
    def read(cls, text: str, config: str) -> 'Method':
        """
        Read ``STRATEGY`` or ``NAME=STRATEGY:CONFIG``; a strategy may be a ``module:Object``.

        :param config: where the text has none
        :raises StudyError: if it is neither
        """
        name, is_named, rest = text.partition('=')
        first, _, last = rest.partition(':')
        if not is_named:
            # Only what a folder may be called: of module:Object the object's name.
            name = re.sub('[^a-z0-9_]', '_', text.rpartition(':')[2].lower()) \
                if ':' in text else text
            method = cls(name, text, config)
        elif first in plugins.table('strategies'):
            method = cls(name, first, last)
        elif rest.count(':') > 1:
            method = cls(name, *rest.rsplit(':', 1))
        else:
            method = cls(name, rest, config if last else '')
        if is_named and not last:
            raise StudyError(f'--strategies has {text!r}; expected a strategy, or '
                             'NAME=STRATEGY:CONFIG.yaml')
        if not re.fullmatch(r'[a-z0-9][a-z0-9_]{0,31}', method.name) or method.name == CLONES:
            raise StudyError(f'--strategies has the name {method.name!r}; expected '
                             f'[a-z0-9][a-z0-9_]*, at most 32 characters, not {CLONES!r}')
        if method.strategy == HUMAN:
            raise StudyError(f'--strategies has {HUMAN!r}; a study runs unattended, expected a '
                             'strategy whose expert is a program')
        return method

    def option(self, config: str) -> str:
        """Return the text that ``read`` reads."""
        if self == Method.read(self.strategy, config):
            return self.strategy
        return ':'.join(filter(None, (f'{self.name}={self.strategy}', self.config)))

    def load(self) -> Strategy:
        """
        Return the strategy with its settings.

        :raises StudyError: if there is none
        :raises StrategyError: if a setting is wrong
        """
        try:
            path = Path(self.config) if self.config else settings_path(self.strategy)
        except UnknownStrategyError as error:
            raise StudyError(f'--strategies has {self.strategy!r}; there is no such '
                             'strategy') from error
        return load_strategy(self.strategy, path)


@dataclasses.dataclass(frozen=True)
class Plan:
    """Everything that a study's results depend on."""

    run: str
    tasks: tuple[str, ...]
    methods: tuple[Method, ...]
    named: str
    """The method that the conclusions are about."""
    seeds: tuple[int, ...]
    demonstrations: int
    rounds: int
    episodes_per_round: int
    episodes: int
    """Of each evaluation."""
    first_seed: int
    """Of each evaluation."""
    stretch: int
    """BC is given up to this many times the labels of the largest budget."""
    config: str = ''
    """File with the key training, for BC; '': the package's own."""
    horizon: int = 0
    options: str = ''
    robot: str = ''
    action_space: str = ''

    def __post_init__(self):
        check('--run', self.run, Name, StudyError)
        for option, values in (('--tasks', self.tasks), ('--seeds', self.seeds),
                               ('--strategies', [method.name for method in self.methods])):
            if len(set(values)) < len(values):
                raise StudyError(f'{option} has the same twice: {", ".join(map(str, values))}')
        if self.named not in [method.name for method in self.methods]:
            raise StudyError(f'--primary is {self.named!r}; expected one of --strategies')
        if len({seed % BLOCKS for seed in self.seeds}) < len(self.seeds):
            raise StudyError(f'--seeds has two that differ by a multiple of {BLOCKS}; they would '
                             'draw the same episodes')
        check_seeds(self.first_seed, self.episodes)

    @property
    def on_validation(self) -> bool:
        """Whether the episodes are validation episodes, by which settings may be chosen."""
        return self.first_seed < EVALUATION_SEEDS

    def check(self):
        """
        Check tasks, strategies and goals, before anything is run.

        :raises ImitationError: naming what is wrong
        """
        for task in self.tasks:
            make_task(task)
            find_contract(self.contract(task) or task)
            for method in self.methods:
                method.load()
                for seed in self.seeds:
                    self.goal(task, method, seed)

    def goal(self, task: str, method: Method, seed: int) -> Goal:
        """Return the goal of one run, which leaves its evaluations to the study."""
        return Goal(
            run_name(task, method.name, seed), task, method.strategy,
            str(Path(method.config).absolute()) if method.config else '',
            demonstrations=self.demonstrations, rounds=self.rounds,
            episodes_per_round=self.episodes_per_round, horizon=self.horizon,
            options=self.options, evaluation_episodes=0, final_evaluation_episodes=0,
            baseline=False, seed=seed)

    def contract(self, task: str) -> str:
        """Return the name of a task's contract; '': the task's own."""
        return contract_name(task, self.robot, self.action_space) if (
            self.robot or self.action_space) else ''

    def kind_of_episodes(self) -> list[str]:
        """Return the words of a command line that say what the episodes are like."""
        given = ('--options', self.options), ('--robot', self.robot), (
            '--action-space', self.action_space)
        return [word for option, value in given if value for word in (option, value)]

    def evaluation_seeds(self) -> range:
        """Return the seeds of the held-out episodes, the same for all policies."""
        return range(self.first_seed, self.first_seed + self.episodes)

    def command(self, runs: Path = hints.RUNS) -> str:
        """
        Return the command line of this study.

        :param runs: folder of the runs, where the study is written
        """
        words = ['il_ros', 'study', '--tasks', *self.tasks, '--strategies',
                 *(method.option(self.config) for method in self.methods),
                 '--primary', self.named, '--seeds', *map(str, self.seeds),
                 '--demonstrations', str(self.demonstrations), '--rounds', str(self.rounds),
                 '--episodes-per-round', str(self.episodes_per_round),
                 '--episodes', str(self.episodes), '--first-seed', str(self.first_seed),
                 '--bc-label-factor', str(self.stretch), '--run', self.run]
        words += ['--runs', str(runs)] if Path(runs) != hints.RUNS else []
        words += ['--validation'] if self.on_validation else []
        words += ['--config', self.config] if self.config else []
        words += ['--horizon', str(self.horizon)] if self.horizon else []
        words += self.kind_of_episodes()
        return shlex.join(words)


def run_name(task: str, method: str, seed: int) -> str:
    """Return the name of a run of the study, without signs that run names may not have."""
    return f'{re.sub("[^a-z0-9_-]", "_", task.lower())}-{method}-{seed}'


def plan_of(args: argparse.Namespace) -> Plan:
    """
    Return the plan that a command line describes; ``--quick`` shortens it.

    :raises StudyError: naming the option that is wrong
    """
    config = args.config or ''
    methods = [Method.read(text, config) for text in args.strategies]
    plugins.trust(*(method.strategy for method in methods))
    limit = QUICK if args.quick else {}

    def cut(name: str, values: Sequence) -> tuple:
        return tuple(values[:limit.get(name)])

    def least(name: str, value: int) -> int:
        return min(value, limit.get(name, value))

    kept = cut('methods', methods)
    first = args.first_seed or (VALIDATION_FIRST if args.validation else EVALUATION_SEEDS)
    if args.validation != (first < EVALUATION_SEEDS):
        raise StudyError(f'--first-seed is {first}; expected one from {VALIDATION_SEEDS} to '
                         f'{EVALUATION_SEEDS - 1} with --validation, and from there up without')
    plan = Plan(
        args.run, cut('tasks', args.tasks), kept, args.primary or kept[0].name,
        cut('seeds', args.seeds or kept_seeds(Path(args.runs) / args.run) or range(SEEDS)),
        args.demonstrations, least('rounds', args.rounds),
        args.episodes_per_round, least('episodes', args.episodes), first,
        least('stretch', args.bc_label_factor), config, args.horizon, args.options,
        args.robot, args.action_space)
    plan.check()
    return plan


def kept_seeds(folder: Path) -> tuple[int, ...]:
    """Return the training seeds of the study in a folder; none: there is no study."""
    try:
        return tuple(json.loads((folder / PLAN).read_text())['plan']['seeds'])
    except (OSError, ValueError, KeyError, TypeError):
        return ()  # ``begin`` says what is wrong with it


def begin(folder: Path, plan: Plan, commit: str) -> tuple[str, ...]:
    """
    Start a study or resume it, and return the commits that it was run with.

    :raises StudyError: if the folder holds another study, or something else
    """
    commits: tuple[str, ...] = ()
    wanted = json.loads(json.dumps(dataclasses.asdict(plan)))
    wanted['ways'] = wanted.pop('methods')  # the name in the file
    path = folder / PLAN
    if path.exists():
        try:
            found = json.loads(path.read_text())
            commits, there = tuple(found['commits']), found['plan']
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StudyError(f'{path} cannot be read: {error!r}') from error
        different = [name for name in wanted if there.get(name, '') != wanted[name]]
        if different:
            both = ', '.join(f'{name} {there.get(name)} (given: {wanted[name]})'
                             for name in different)
            raise StudyError(f'{folder} holds a study with {both}; resume it with its own '
                             'options, or choose another --run')
    elif folder.exists() and any(folder.iterdir()):
        raise StudyError(f'{folder} holds something else; give --run another name')
    folder.mkdir(parents=True, exist_ok=True)
    if commit not in commits:
        commits = (*commits, commit)
    write_atomically(path, (json.dumps({'plan': wanted, 'commits': commits}, indent=1)
                            + '\n').encode())
    return commits
