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

"""What a run leaves for people and programs: ``summary.json`` and ``report.html``."""

from collections.abc import Callable
from pathlib import Path

from il_ros.contract.episode_spec import episode_id, EVALUATION
from il_ros.episodes.episode import Episode
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import Receipt
from il_ros.errors import EpisodeFileError, ImitationError
from il_ros.evaluation.summary import summarise, summary_json
from il_ros.files.atomic import write_atomically
from il_ros.interactive.run_state import RunState
from il_ros.reports.reading import conditions_of
from il_ros.reports.run_report import curves_of, Filmstrip, report_html
from il_ros.runs.shard import receipts_in

FRAMES = 10
SUMMARY = 'summary.json'


def write_results(folder: Path, state: RunState, replay: bool, wall_s: Callable[[], float],
                  check: Callable[[], None] = lambda: None) -> dict:
    """
    Write ``summary.json`` and ``report.html`` of a finished run, and return the summary.

    :param replay: take pictures by replaying episodes in the simulator
    :param wall_s: of the whole run so far, s
    :param check: called before each part; what it raises ends the work
    """
    check()
    evaluated = _evaluations(folder)
    # Any episode tells the rate and the horizon that they all have.
    episode = read_episode(next(receipts_in(folder / 'episodes'))[0])
    summary = summarise(state, episode.horizon, episode.contract.rate, wall_s())
    write_atomically(folder / SUMMARY, summary_json(summary).encode())
    conditions = list(conditions_of(state))
    check()
    try:
        filmstrips = _filmstrips(state, evaluated) if replay else []
    except ImitationError as error:
        filmstrips = []
        conditions.append(f'No pictures: {error}.')
    check()
    page = report_html(summary, curves_of(state), filmstrips, conditions)
    write_atomically(folder / 'report.html', page.encode())
    return summary


def _evaluations(folder: Path) -> dict:
    return {receipt.spec.episode_id: (path, receipt)
            for path, receipt in receipts_in(folder / 'episodes')
            if receipt.spec.purpose == EVALUATION}


def _filmstrips(state: RunState, evaluated: dict) -> list[Filmstrip]:
    goal = state.goal
    strips: list[Filmstrip] = []
    seeds = goal.evaluation_seeds(True)
    if not seeds:
        return strips
    failed = next((seed for seed in seeds
                   if not _of(evaluated, 0, seed)[1].success), seeds[0])
    for round_, who in ((0, 'Behavioural cloning'),
                        (goal.rounds, f'{goal.strategy}, round {goal.rounds}')):
        path, receipt = _of(evaluated, round_, failed)
        outcome = 'succeeds' if receipt.success else 'fails'
        strips.append(_filmstrip(
            read_episode(path), f'{who} {outcome}',
            f'Held-out episode with seed {failed}, {receipt.steps} steps, replayed from the '
            'recorded commands.'))
    return strips[:1] if goal.rounds == 0 else strips


def _of(evaluated: dict, round_: int, seed: int) -> tuple[Path, Receipt]:
    name = episode_id(EVALUATION, round_, seed)
    if name not in evaluated:
        raise EpisodeFileError(f'{name} is missing')
    return evaluated[name]


def _filmstrip(episode: Episode, title: str, caption: str) -> Filmstrip:
    # The simulator is wanted for pictures alone: a coordinator beside a real arm never loads it.
    from il_ros.sim.replay import replay_frames
    every = max(1, -(-episode.steps // (FRAMES - 1)))
    steps = (*range(0, episode.steps, every), episode.steps)
    return Filmstrip(title, caption, replay_frames(episode, every), steps)
