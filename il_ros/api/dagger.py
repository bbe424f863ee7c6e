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

"""DAgger as one call: a run from demonstrations to report, in this process or over ROS."""

from collections.abc import Callable, Mapping
import dataclasses
import importlib.util
import json
from pathlib import Path
import tempfile
from typing import Any

from il_ros import hints, plugins
from il_ros.api.runs import Run, RUNS
from il_ros.contract.episode_spec import TELEOP
from il_ros.driving.driving import required_drivers
from il_ros.errors import ImitationError
from il_ros.files.folders import require_writable
from il_ros.interactive import run_state
from il_ros.interactive.goal import FIXED, Goal, GoalError
from il_ros.learning.config import TrainConfig
from il_ros.loop.run import Progress, silent
from il_ros.loop.run_settings import check_goal, keep_settings
from il_ros.runs.kept_contract import keep_contract

PROCESS, GRAPH = 'process', 'graph'


def dagger(task: str, strategy: str = 'corrections', rounds: int = 6, episodes_per_round: int = 10,
           demonstrations: int = 10, run: Path | str | None = None, seed: int = 0, *,
           config: TrainConfig | Path | str | None = None, contract: str | None = None,
           options: Mapping[str, Any] | None = None, horizon: int = 0, continuing: bool = False,
           evaluation_episodes: int = 100, final_evaluation_episodes: int = 200,
           evaluate: str = FIXED, baseline: bool = True, keep_better: bool = False,
           resume: bool = False, over: str = PROCESS, workers: int = 1,
           progress: Callable[[Progress], None] | None = None) -> Run:
    """
    Run DAgger: demonstrate, clone, then roll out, label, aggregate and retrain, round by round.

    >>> import il_ros
    >>> few = il_ros.TrainConfig(inputs=('goal_position - tool_position',), steps=200)
    >>> run = il_ros.dagger('reach', rounds=1, episodes_per_round=1, demonstrations=2, config=few,
    ...                     final_evaluation_episodes=2, baseline=False)
    >>> [row[0] for row in run.table().rows]
    ['expert', 'BC, 2 demonstrations', 'corrections, round 1']

    :param task: e.g. ``'push'``
    :param strategy: ``corrections``, ``dagger``, ``gated``, ``novelty``, ...
    :param run: folder, like that of ``il_ros dagger``, or name under ``runs``; None: temporary
    :param seed: of the run: its episodes, and the initial weights of every fit
    :param config: training settings, or a YAML file with the strategy's, too; None: our own
    :param contract: a file, or a task's name, with _image for images; None: the task's own
    :param options: of the task's episodes
    :param horizon: steps after which an episode is truncated; 0: the task's own
    :param continuing: give a new goal after each success
    :param evaluation_episodes: of the rounds between; 0: they are not evaluated
    :param final_evaluation_episodes: of the expert, BC, the last round and the baseline
    :param evaluate: of the rounds between: ``'fixed'``, or ``'sequential'`` (until it is sure)
    :param baseline: also train BC with the same number of labels
    :param keep_better: keep a policy loaded where the next one succeeds in fewer episodes
    :param resume: resume the existing run with the same settings, if there is one
    :param over: ``'process'``, or ``'graph'`` (through ROS); the run is the same, bit for bit
    :param workers: processes that run episodes; the run is the same for any number
    :param progress: called at most twice a second and at each new stage
    :raises ImitationError: with what is wrong or what failed
    """
    plugins.trust(task, strategy, contract or '')
    carry_out = _way(over, workers)
    folder, temporary = _folder_of(run)
    goal = _configured(folder, config, resume, Goal(
        folder.name, task, strategy, rounds=rounds, seed=seed, horizon=horizon, baseline=baseline,
        demonstrations=demonstrations, episodes_per_round=episodes_per_round, evaluate=evaluate,
        options=_as_json(options), evaluation_episodes=evaluation_episodes, continuing=continuing,
        final_evaluation_episodes=final_evaluation_episodes, keep_better=keep_better))
    carry_out(goal, folder, contract or '', resume, workers, progress or silent)
    return Run(folder, temporary)


def _way(over: str, workers: int) -> Callable:
    """
    Return the function that carries out a run.

    :raises GoalError: if there is no such way
    """
    if workers < 1:
        raise GoalError(f'workers is {workers}; expected at least 1')
    ways = {PROCESS: _in_process, GRAPH: _over_graph}
    if over not in ways:
        raise GoalError(f'over is {over!r}; expected {PROCESS!r} or {GRAPH!r}')
    return ways[over]


def _folder_of(run: Path | str | None) -> tuple[Path, tempfile.TemporaryDirectory | None]:
    """Return the folder of a run; where none is named, a temporary one and what removes it."""
    if run is None:
        temporary = tempfile.TemporaryDirectory(prefix='il_ros-')
        return Path(temporary.name, 'run'), temporary
    path = Path(run)
    return (RUNS / path if isinstance(run, str) and len(path.parts) == 1 else path), None


def _as_json(options: Mapping[str, Any] | None) -> str:
    return json.dumps(options, sort_keys=True, separators=(',', ':')) if options else ''


def _configured(folder: Path, config: TrainConfig | Path | str | None, resume: bool,
                goal: Goal) -> Goal:
    """
    Return the goal with the file of its settings, once nothing is wrong with it.

    :raises ImitationError: with what is wrong
    """
    if not resume and (folder / run_state.FILE_NAME).exists():
        raise run_state.RunExistsError(f'run {goal.run} exists in {folder}; choose another name, '
                                       'or resume it')
    require_writable(folder, GoalError)
    if isinstance(config, TrainConfig):
        config = keep_settings(folder, goal.strategy, config)
    if config is not None:
        goal = dataclasses.replace(goal, config=str(Path(config).absolute()))
    strategy, _ = check_goal(goal, resume, run=folder)
    plans = (strategy.plan(0, goal.seed), *([strategy.plan(1, goal.seed)] if goal.rounds else []))
    if any(TELEOP in required_drivers(plan) for plan in plans):
        raise GoalError(f'strategy {goal.strategy} needs a person, who drives through ROS: run '
                        f'{hints.teach(goal.task, goal.strategy, folder)}')
    return goal


def _in_process(goal: Goal, folder: Path, contract: str, resume: bool, workers: int,
                progress: Callable[[Progress], None]):
    # Loaded now: whoever runs over ROS needs no physics here.
    from il_ros.loop.local.backend import carry_out
    carry_out(goal, folder, contract, resume, workers, progress)


def _over_graph(goal: Goal, folder: Path, contract: str, resume: bool, workers: int,
                progress: Callable[[Progress], None]):
    missing = [name for name in ('rclpy', 'il_ros_interfaces')
               if importlib.util.find_spec(name) is None]
    if missing:
        raise ImitationError(f"over is 'graph', which needs {missing[0]}; source ROS 2 and the "
                             "workspace with il_ros_interfaces, or use over='process'")
    from il_ros.graph.client import carry_out, Client
    from il_ros.graph.graph import build
    from il_ros.graph.graph_options import GraphOptions
    from il_ros.ros.dagger.messages import progress_of, request_of
    options = GraphOptions(goal.task, str(folder.parent), contract=contract,
                           options=goal.options, workers=workers)

    async def command(client: Client):
        keep_contract(folder, contract)
        await client.dagger(request_of(goal, resume), lambda said: progress(progress_of(said)))
    if not carry_out(command, lambda runtime: build(runtime, options)):
        raise KeyboardInterrupt
