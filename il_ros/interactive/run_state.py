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

"""State of a run: its goal and the outcome of each finished stage, kept in ``run.json``."""

import dataclasses
import json
from pathlib import Path
from typing import TypeVar

from il_ros.errors import ImitationError
from il_ros.files.atomic import write_atomically
from il_ros.files.regular import read_text
from il_ros.interactive import outcomes
from il_ros.interactive.goal import Goal, GoalError
from il_ros.interactive.outcomes import Chosen, Outcome, Trained
from il_ros.interactive.stage import Stage, stage_name
from il_ros.interactive.strategies import make_strategy
from il_ros.interactive.strategy import Strategy

FILE_NAME = 'run.json'
VERSION = 1

_Kind = TypeVar('_Kind', bound=Outcome)


class RunExistsError(ImitationError):
    """A run of that name exists, and ``resume`` was not asked for."""

    code = 802


class RunDiffersError(ImitationError):
    """The run that is to be resumed has another goal; the sentence names what differs."""

    code = 803


class RunFileError(ImitationError):
    """A ``run.json`` that cannot be read."""

    code = 803


@dataclasses.dataclass(frozen=True)
class Fault:
    """What went wrong in a run, and what was done about it."""

    time_s: float
    """Since 1970, by the time of day."""
    stage: str
    """That was under way."""
    what: str
    done: str


@dataclasses.dataclass(frozen=True)
class RunState:
    """
    A run and its finished stages.

    :param goal: what was asked for
    :param settings: of the strategy, as they were when the run began
    :param finished: what each finished stage brought, by the stage's name, in order
    :param faults: in order
    """

    goal: Goal
    settings: dict = dataclasses.field(default_factory=dict)
    finished: dict[str, Outcome] = dataclasses.field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @property
    def strategy(self) -> Strategy:
        """Return the strategy with the settings that the run began with."""
        return make_strategy(self.goal.strategy, self.settings)

    def find(self, kind: type[_Kind], stage: str) -> _Kind | None:
        """
        Return the outcome of a stage; None: it is not finished.

        :param kind: of the outcome, e.g. ``Trained``
        :param stage: its name (``stage_name``)
        """
        outcome = self.finished.get(stage)
        return outcome if isinstance(outcome, kind) else None

    def outcome(self, kind: type[_Kind], stage: str) -> _Kind:
        """
        Return the outcome of a finished stage, as ``find`` does.

        :raises KeyError: if the stage is not finished
        """
        outcome = self.find(kind, stage)
        if outcome is None:
            raise KeyError(stage)
        return outcome

    def all_of(self, kind: type[_Kind]) -> list[_Kind]:
        """Return the outcomes of a kind of all finished stages, in order."""
        return [outcome for outcome in self.finished.values() if isinstance(outcome, kind)]

    def loaded_round(self, round_: int) -> int:
        """Return the round whose policy is loaded when this one is over."""
        chosen = self.find(Chosen, stage_name('choose', round_))
        return round_ if chosen is None else chosen.loaded

    def learner(self, round_: int) -> Trained | None:
        """Return the policy that a round >= 1 collects with; None: it is not trained yet."""
        return self.find(Trained, stage_name('train', self.loaded_round(round_ - 1)))

    def has(self, stage: Stage) -> bool:
        """Return whether a stage is finished."""
        return stage.name in self.finished

    def after(self, stage: Stage, outcome: Outcome) -> 'RunState':
        """Return the state with one more stage finished."""
        if self.has(stage):
            raise ValueError(f'stage {stage.name} is finished already')
        return dataclasses.replace(self, finished={**self.finished, stage.name: outcome})

    def with_fault(self, fault: Fault) -> 'RunState':
        """Return the state with one more fault."""
        return dataclasses.replace(self, faults=(*self.faults, fault))

    def to_json(self) -> str:
        """Return the text of ``run.json``."""
        stages = [{'stage': name, **outcomes.to_json(outcome)}
                  for name, outcome in self.finished.items()]
        return json.dumps({'version': VERSION, 'goal': dataclasses.asdict(self.goal),
                           'settings': self.settings, 'finished': stages,
                           'faults': [dataclasses.asdict(fault) for fault in self.faults]},
                          indent=1) + '\n'

    @classmethod
    def from_json(cls, text: str) -> 'RunState':
        """
        Return the state that ``to_json`` wrote.

        :raises RunFileError: if the text is none
        """
        try:
            fields = json.loads(text)
            if fields['version'] != VERSION:
                raise RunFileError(f'version is {fields["version"]}; expected {VERSION}')
            finished = {}
            for entry in fields['finished']:
                name = entry.pop('stage')
                finished[name] = outcomes.from_json(entry)
            faults = tuple(Fault(**fault) for fault in fields.get('faults', ()))
            return cls(Goal(**fields['goal']), fields['settings'], finished, faults)
        except (KeyError, TypeError, ValueError, AttributeError, GoalError) as error:
            raise RunFileError(f'not the state of a run: {error!r}') from error


def seconds(state: RunState) -> float:
    """Return the wall time of the finished stages, s."""
    return sum(outcome.seconds for outcome in state.finished.values())


def save(folder: Path, state: RunState):
    """
    Write ``run.json`` so that a crash leaves the old one or the new one, whole.

    :raises EpisodeWriteError: naming the file
    """
    write_atomically(Path(folder) / FILE_NAME, state.to_json().encode())


def load(folder: Path) -> RunState:
    """
    Read ``run.json``.

    :raises RunFileError: naming the file, if it is absent or damaged
    """
    path = Path(folder) / FILE_NAME
    try:
        return RunState.from_json(read_text(path))
    except OSError as error:
        raise RunFileError(f'{path} cannot be read: {error}') from error
    except RunFileError as error:
        raise RunFileError(f'{path}: {error}') from error


def begin(folder: Path, goal: Goal, settings: dict, resume: bool = False) -> RunState:
    """
    Start a run or resume it; ``run.json`` is written before it returns.

    :param folder: the run's, ``runs/<name>``; made if it is absent
    :param settings: of the strategy
    :param resume: go on with an existing run of the same goal, whose name is that of its folder
        now; where there is none, start it
    :raises RunExistsError: if the folder holds a run and ``resume`` is false
    :raises RunDiffersError: if the goal or the settings differ from the run's
    :raises StrategyError: if the strategy or a setting is unknown
    """
    folder = Path(folder)
    state = RunState(goal, dict(settings))
    make_strategy(goal.strategy, state.settings)
    if (folder / FILE_NAME).exists():
        if not resume:
            raise RunExistsError(f'run {goal.run} exists in {folder}; choose another name, or '
                                 'resume it')
        there = load(folder)
        found = _under_its_name(there, goal.run)
        _refuse_difference(goal, settings, found)
        if found != there:
            save(folder, found)
        return found
    if (folder / 'episodes').exists():
        raise RunExistsError(f'{folder} holds episodes but no {FILE_NAME}; choose another name')
    folder.mkdir(parents=True, exist_ok=True)
    save(folder, state)
    return state


def refuse_old_name(folder: Path):
    """
    Refuse to begin a run under the name that a run beside it had before its folder was renamed.

    :param folder: of a run that is to be resumed
    :raises RunExistsError: naming the folder that has the run now
    """
    if (folder / FILE_NAME).exists():
        return
    for path in sorted(folder.parent.glob(f'*/{FILE_NAME}')):
        try:
            old = load(path.parent).goal.run
        except RunFileError:
            continue
        if old == folder.name:
            raise RunExistsError(f'there is no run {folder.name!r} to resume; {path.parent} had '
                                 'this name when it began: resume it under its new name, or '
                                 'begin a new run without --resume')


def _under_its_name(found: RunState, run: str) -> RunState:
    """Return the state of a run whose folder was renamed or copied since: the folder counts."""
    return dataclasses.replace(found, goal=dataclasses.replace(found.goal, run=run))


def _refuse_difference(goal: Goal, settings: dict, found: RunState):
    """Refuse another goal or other settings, with all that differs in one sentence."""
    pairs = [(field.name, getattr(goal, field.name), getattr(found.goal, field.name))
             for field in dataclasses.fields(Goal)]
    differing = [f'{name} {stands!r}, but {asked!r} was asked for'
                 for name, asked, stands in (*pairs, ('settings', settings, found.settings))
                 if asked != stands]
    if differing:
        raise RunDiffersError(f'run {goal.run} has {"; ".join(differing)}: resume it with its own '
                              'goal and settings')
