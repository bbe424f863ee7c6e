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

"""Progress is told twice a second at most, and pictures show the same episode of two policies."""

import dataclasses
import types

from il_ros.contract.episode_spec import EpisodeSpec
from il_ros.episodes.receipts import Receipt
from il_ros.errors import EpisodeFileError
from il_ros.interactive.goal import Goal
from il_ros.interactive.outcomes import Collected
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage import BASELINE, COLLECT, LOAD, Stage, TRAIN
from il_ros.loop import results, run
import pytest

GOAL = Goal(run='r', task='push', strategy='dagger', rounds=2, demonstrations=1,
            evaluation_episodes=2, final_evaluation_episodes=3)
STATE = RunState(GOAL)


def evaluated(successes: int, episodes: int) -> Collected:
    """Return the outcome of an evaluation."""
    return Collected(episodes, successes, 9, 5, 5, 5, 0, 0, (5,), (), 1.0)


@pytest.fixture
def told(monkeypatch):
    """Return a reporter on a clock of its own, and what it told."""
    now, said = [100.0], []
    monkeypatch.setattr(run, 'time', types.SimpleNamespace(monotonic=lambda: now[0]))
    reporter = run._Reporter(lambda progress: said.append(dataclasses.replace(progress)))
    return types.SimpleNamespace(reporter=reporter, said=said, now=now)


def test_progress_is_told_at_a_new_stage_and_after_half_a_second(told):
    told.reporter.begin(STATE, Stage('collect', 'loop', 1))
    for now, progress in ((100.25, 0.1), (100.4375, 0.2), (100.5, 0.3), (100.75, 0.4),
                          (101.0, 0.5)):
        told.now[0] = now
        told.reporter.tell(progress, -1.0)
    told.reporter.begin(STATE, Stage('load', 'loop', 2))
    assert [(one.round, one.stage, one.progress) for one in told.said] == [
        (1, COLLECT, 0.0), (1, COLLECT, 0.3), (1, COLLECT, 0.5), (2, LOAD, 0.0)]


def test_a_fit_beside_a_stage_tells_its_loss_and_alone_its_progress_too(told):
    told.reporter.begin(STATE, Stage('evaluate', 'loop', 1))
    told.now[0] += 1.0
    told.reporter.tell_fit(0.7, 0.25)
    assert (told.said[-1].progress, told.said[-1].loss) == (0.0, 0.25)
    told.reporter.begin(STATE, Stage('train', 'loop', 1))
    assert told.said[-1].loss == 0.25 and told.said[-1].stage == TRAIN
    told.now[0] += 1.0
    told.reporter.tell_fit(0.8, 0.125)
    assert (told.said[-1].progress, told.said[-1].loss) == (0.8, 0.125)
    told.reporter.begin(STATE, Stage('collect', 'baseline', 2, 1))
    assert (told.said[-1].loss, told.said[-1].stage) == (-1.0, BASELINE)


def test_the_success_is_that_of_the_last_evaluation(told):
    told.reporter.begin(STATE, Stage('load', 'loop', 0))
    state = dataclasses.replace(STATE, finished={
        'r00-collect': evaluated(1, 1), 'r00-evaluate': evaluated(1, 4),
        'r01-evaluate': evaluated(3, 4), 'r02-collect': evaluated(1, 1)})
    told.reporter.begin(state, Stage('load', 'loop', 2))
    assert [one.success_rate for one in told.said] == [-1.0, 0.75]


def test_a_run_has_no_progress_before_it_begins():
    now = run.Progress()
    assert (now.round, now.stage, now.progress, now.labels, now.success_rate, now.loss) == (
        0, 0, 0.0, 0, -1.0, -1.0)


@pytest.fixture
def strips(monkeypatch):
    """Return a function from the failed (round, seed) to title and caption of the filmstrips."""
    monkeypatch.setattr(results, 'read_episode', lambda path: path)
    monkeypatch.setattr(results, '_filmstrip', lambda path, title, caption: (path, title, caption))

    def of(goal: Goal, failed=(), missing=()) -> list:
        found = {}
        for round_ in range(goal.rounds + 1):
            for seed in goal.evaluation_seeds(True):
                name = results.episode_id('evaluation', round_, seed)
                if (round_, seed) not in missing:
                    found[name] = ((round_, seed), Receipt(
                        EpisodeSpec(name, 'r', 'push'), steps=17,
                        success=(round_, seed) not in failed))
        return results._filmstrips(RunState(goal), found)
    return of


def test_the_first_episode_that_cloning_failed_is_shown_of_both_policies(strips):
    first, second, third = GOAL.evaluation_seeds(True)
    shown = strips(GOAL, failed={(0, second), (0, third), (2, first)})
    assert [(path, title) for path, title, _ in shown] == [
        ((0, second), 'Behavioural cloning fails'), ((2, second), 'dagger, round 2 succeeds')]
    assert shown[0][2] == (f'Held-out episode with seed {second}, 17 steps, replayed from the '
                           'recorded commands.')


def test_where_cloning_fails_nowhere_the_first_episode_is_shown(strips):
    first = GOAL.evaluation_seeds(True)[0]
    assert [title for _, title, _ in strips(GOAL, failed={(2, first)})] == [
        'Behavioural cloning succeeds', 'dagger, round 2 fails']


def test_without_rounds_one_strip_is_shown_and_without_evaluation_none(strips):
    assert [title for _, title, _ in strips(dataclasses.replace(GOAL, rounds=0))] == [
        'Behavioural cloning succeeds']
    assert len(strips(dataclasses.replace(GOAL, rounds=1))) == 2
    assert strips(dataclasses.replace(GOAL, evaluation_episodes=0,
                                      final_evaluation_episodes=0)) == []


def test_an_evaluation_that_is_gone_is_named(strips):
    first = GOAL.evaluation_seeds(True)[0]
    with pytest.raises(EpisodeFileError, match=f'evaluation-r02-.*{first} is missing'):
        strips(GOAL, missing={(2, first)})


@pytest.mark.parametrize('steps, every, shown', [
    (0, 1, (0,)), (1, 1, (0, 1)), (9, 1, tuple(range(10))), (10, 2, (0, 2, 4, 6, 8, 10)),
    (18, 2, tuple(range(0, 19, 2))), (19, 3, (0, 3, 6, 9, 12, 15, 18, 19))])
def test_a_filmstrip_has_ten_frames_at_most_the_last_state_among_them(
        monkeypatch, steps, every, shown):
    from il_ros.sim import replay
    asked = []
    monkeypatch.setattr(replay, 'replay_frames', lambda _, every: asked.append(every) or [])
    strip = results._filmstrip(types.SimpleNamespace(steps=steps), 'title', 'caption')
    assert asked == [every] and strip.steps == shown
    assert (strip.title, strip.caption) == ('title', 'caption')
