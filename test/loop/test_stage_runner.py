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

"""Each stage asks the back end for what is missing, and counts what came back."""

import dataclasses
from pathlib import Path

from il_ros.dataset.dataset import load
from il_ros.episodes.receipts import CLOCK_JUMP, DISCARDED, DROPS, read_receipt, receipt_path
from il_ros.errors import ImitationError
from il_ros.interactive.goal import Goal, SEQUENTIAL
from il_ros.interactive.outcomes import Collected, Compared, Trained
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage import collect_stage, Stage
from il_ros.interactive.stage_work import episode_specs
from il_ros.loop import stages
from il_ros.loop.backend import finish, Labels
from il_ros.loop.failures import RUN_DIFFERS, RunError
from il_ros.loop.stages import StageRunner
from il_ros.runs.shard import receipts_in
import numpy as np
import pytest
import recordings
from recordings import action, executed, messages, record

EXPERT_ALONE, NOBODY = [action(1, (0.1, 0.2))], []
GOAL = Goal(run='demo', task='push', strategy='dagger', demonstrations=3, rounds=1,
            episodes_per_round=2, evaluation_episodes=2, final_evaluation_episodes=2,
            baseline=False)
TRAINED = Trained('checkpoints/round_00', 'ab' * 32, 7, 5, 0.1, 0.1, 0, 1, 1.0)


class Recorder:
    """A back end that records episodes at once, and whose expert knows every second step."""

    def __init__(self, folder: Path):
        self.folder, self.asked, self.loaded, self.collected = folder, [], [], []
        self.attempts, self.checked, self.pauses = 1, 0, 0

    async def contract(self):
        return recordings.CONTRACT

    async def carry_out(self, _stage, work):
        for _ in range(self.attempts - 1):
            await work()
        return await work()

    def check(self):
        self.checked += 1

    async def pause(self):
        self.pauses += 1

    async def beside(self, work):
        return work(self.check)

    async def load(self, path, sha256):
        self.loaded.append((path, sha256))

    async def collect(self, episodes, keep, finished):
        self.collected.append(episodes)
        for count, spec in enumerate(episodes.specs, 1):
            keep(read_receipt(receipt_path(self.record(spec))))
            finished(count)

    def record(self, spec, wire=None, **close) -> Path:
        return record(self.folder / 'episodes' / 'main', spec,
                      messages(spec, 4) if wire is None else wire, **close)

    async def label(self, episode, steps):
        self.asked.append((episode.spec.seed, steps.tolist()))
        actions = np.tile(np.float32([-0.2, 0.3]), (len(steps), 1))
        actions[0] = (0.5, 0.3)
        return Labels(actions, steps % 2 == 0, 'push 1.0', 0.25)


@pytest.fixture
def backend(tmp_path) -> Recorder:
    """Return a back end of an empty run."""
    return Recorder(tmp_path / 'demo')


@pytest.fixture
def told() -> list:
    """Return the progress that was told."""
    return []


@pytest.fixture
def runner(backend, told):
    """Return a function that makes the runner of what is on disk by now."""
    return lambda: StageRunner(
        backend, backend.folder, {False: Path('plain.yaml'), True: Path('augmented.yaml')},
        lambda progress, loss: told.append((progress, loss)))


def state(**finished) -> RunState:
    """Return a run with these stages finished."""
    return RunState(GOAL, finished={name.replace('_', '-'): done
                                    for name, done in finished.items()})


def collected(labels, flagged=()) -> Collected:
    """Return what a stage of episodes of four steps brought."""
    total = sum(labels)
    return Collected(len(labels), 1, 4 * len(labels), total, total, total, 0, 0, tuple(labels),
                     flagged, 1.0)


def test_only_what_is_not_recorded_is_run_and_all_of_it_counts(backend, runner, told):
    first, *others = episode_specs(state(), collect_stage(0))
    backend.record(first)
    found = finish(runner().execute(state(), collect_stage(0)))
    episodes, = backend.collected
    assert [*episodes.specs] == others and episodes.policy is None
    assert (episodes.stage, episodes.folder) == ('r00-collect', backend.folder)
    assert (found.episodes, found.steps, found.successes) == (3, 12, 3)
    assert told == [(pytest.approx(2 / 3), -1.0), (1.0, -1.0)]
    assert 0.0 <= found.seconds < 60.0 and backend.checked == 1 and not backend.loaded
    again = finish(runner().execute(state(), collect_stage(0)))
    assert dataclasses.replace(again, seconds=found.seconds) == found
    assert len(backend.collected) == 1


def test_an_attempt_that_broke_off_costs_and_its_episode_is_run_again(backend, runner):
    specs = episode_specs(state(), collect_stage(0))
    cut = messages(specs[0], 4)[:7]

    async def collect(episodes, keep, finished):
        for spec in episodes.specs:
            if spec == specs[0]:
                broken = read_receipt(receipt_path(backend.record(spec, cut)))
                keep(broken)
                for path in (backend.folder / 'episodes' / 'main').glob(f'{spec.episode_id}*'):
                    path.unlink()
            keep(read_receipt(receipt_path(backend.record(spec))))
    backend.collect = collect
    found = finish(runner().execute(state(), collect_stage(0)))
    assert found.episodes == 3 and found.flagged == () and found.steps > 12


def test_a_stage_that_is_repeated_knows_what_its_first_attempt_has_recorded(backend, runner):
    specs = episode_specs(state(), collect_stage(0))

    async def collect(episodes, keep, finished):
        backend.collected.append(episodes)
        for spec in episodes.specs:
            backend.record(spec)
    backend.collect, backend.attempts = collect, 2
    with pytest.raises(ImitationError, match='was not recorded'):
        finish(runner().execute(state(), collect_stage(0)))

    async def forgiving(_stage, work):
        with pytest.raises(ImitationError):
            await work()
        return await work()
    backend.carry_out = forgiving
    for path in (backend.folder / 'episodes' / 'main').iterdir():
        path.unlink()
    assert finish(runner().execute(state(), collect_stage(0))).episodes == len(specs) == 3


def test_the_policy_of_the_last_round_is_loaded_before_a_stage_that_needs_it(backend, runner):
    begun = state(r00_collect=collected([4, 4, 4]), r00_train=TRAINED)
    loaded = finish(runner().execute(begun, Stage('load', 'loop', 0)))
    assert backend.loaded == [(backend.folder.resolve() / TRAINED.path, TRAINED.sha256)]
    assert 0.0 <= loaded.seconds < 60.0
    finish(runner().execute(begun, Stage('evaluate', 'loop', 0)))
    assert backend.collected[0].policy == TRAINED and len(backend.collected[0].specs) == 2


def test_the_expert_is_asked_once_for_the_steps_that_it_did_not_answer(backend, runner, told):
    begun = state(r00_collect=collected([4, 4, 4]), r00_train=TRAINED,
                  r01_collect=collected([0, 0]))
    for spec in episode_specs(begun, collect_stage(1)):
        wire = messages(spec, 5)
        for step in (0, 2, 3):
            wire[3 * step + 2] = ('executed', executed(spec, step, candidates=NOBODY))
        backend.record(spec, wire)
    stage = Stage('label', 'loop', 1)
    found = finish(runner().execute(begun, stage))
    assert [steps for _, steps in backend.asked] == [[0, 2, 3]] * 2
    assert (found.asked, found.labels, found.expert_seconds) == (6, 4, 0.5)
    assert told == [(0.5, -1.0), (1.0, -1.0)] and backend.pauses == 2
    assert 0.0 <= found.seconds < 60.0
    again = finish(runner().execute(begun, stage))
    assert len(backend.asked) == 2 and (again.asked, again.labels) == (6, 4)


def compared(backend, runner, fails, evaluated) -> tuple[Compared, Compared, list]:
    """
    Evaluate round 1 sequentially, and once more with all of it recorded.

    :param fails: tells whether an episode fails, by its round and seed
    :param evaluated: episodes that round 0 has run
    :returns: both outcomes, and the policy and the number of episodes of each call
    """
    goal = dataclasses.replace(GOAL, rounds=2, evaluate=SEQUENTIAL, evaluation_episodes=25,
                               final_evaluation_episodes=evaluated)
    trained = dataclasses.replace(TRAINED, path='checkpoints/round_01', sha256='cd' * 32)
    begun = RunState(goal, finished={
        'r00-collect': collected([4, 4, 4]), 'r00-train': TRAINED, 'r01-train': trained,
        'r00-evaluate': collected([0] * evaluated)})
    record_one = backend.record

    def record(spec):
        wire = messages(spec, 4)
        if fails(spec.round, spec.seed - goal.evaluation_first_seed):
            wire[-2] = 'episode', recordings.status(spec, 4, 4, success=False, goals_reached=0)
        return record_one(spec, wire)
    backend.record = record
    for spec in episode_specs(begun, Stage('evaluate', 'loop', 0)):
        record(spec)
    stage = Stage('evaluate', 'loop', 1)
    found = finish(runner().execute(begun, stage))
    ran = [(one.policy, len(one.specs)) for one in backend.collected]
    again = finish(runner().execute(begun, stage))
    assert len(backend.collected) == len(ran)
    return found, dataclasses.replace(again, seconds=found.seconds), ran


def test_a_sequential_evaluation_ends_when_it_is_sure_which_policy_is_better(
        backend, runner, told):
    found, again, ran = compared(backend, runner, lambda round_, seed: not round_, 4)
    assert (found.only_this, found.both + found.neither + found.only_before) == (10, 0)
    assert (found.episodes, found.successes, found.before_episodes) == (10, 10, 6)
    assert found.steps == 4 * 16 and len(found.labels_by_episode) == 10 and again == found
    assert [(policy.path, count) for policy, count in ran] == [
        ('checkpoints/round_00', 6), ('checkpoints/round_01', 10)]
    assert [path.name for path, _ in backend.loaded[:3]] == ['round_01', 'round_00', 'round_01']
    assert told[0][0] == pytest.approx(0.2) and told[-1][0] == pytest.approx(0.4)


def test_a_sequential_evaluation_ends_undecided_after_the_episodes_of_a_fixed_one(
        backend, runner):
    found, again, ran = compared(backend, runner, lambda round_, seed: seed % 3 == round_, 30)
    assert (found.episodes, found.before_episodes) == (25, 0) and again == found
    assert (found.both, found.only_this, found.only_before) == (8, 9, 8)
    assert [count for _, count in ran] == [10, 10, 5]


def test_mistakes_are_counted_on_the_answers_of_the_policy(backend, runner, told):
    begun = state(r00_collect=collected([4, 4, 4]), r00_train=TRAINED,
                  r00_evaluate=collected([0, 0]))
    for spec in episode_specs(begun, Stage('evaluate', 'loop', 0)):
        wire = messages(spec, 5)
        wire[3 * 2 + 2] = ('executed', executed(spec, 2, candidates=EXPERT_ALONE))
        backend.record(spec, wire)
    found = finish(runner().execute(begun, Stage('measure', 'loop', 0)))
    assert [steps for _, steps in backend.asked] == [[0, 1, 2, 3, 4]] * 2
    # The expert knows steps 0, 2 and 4; at 0 it says otherwise, at 2 the policy said nothing.
    assert found.asked == 10 and found.mistakes >= 2 and found.steps <= 6
    assert told == [(0.5, -1.0), (1.0, -1.0)] and backend.pauses == 2
    assert 0.0 <= found.seconds < 60.0


def test_a_new_policy_is_compared_with_the_loaded_one_on_the_same_episodes(backend, runner):
    goal = dataclasses.replace(GOAL, keep_better=True, final_evaluation_episodes=3)
    begun = RunState(goal, finished={'r00-collect': collected([4, 4, 4]), 'r00-train': TRAINED})
    for round_, failing in ((0, (1_000_002,)), (1, (1_000_000, 1_000_002))):
        for spec in episode_specs(begun, Stage('evaluate', 'loop', round_)):
            cut = messages(spec, 4)[:7] if spec.seed in failing else None
            backend.record(spec, cut)
    # An episode that broke off has no success; as far as this stage it is an episode like others.
    runs = runner()
    runs._receipts = {receipt.spec.episode_id: (path, receipt)
                      for path, receipt in receipts_in(backend.folder / 'episodes')}
    found = finish(runs.execute(begun, Stage('choose', 'loop', 1)))
    assert (found.round, found.other, found.episodes) == (1, 0, 3)
    assert (found.successes, found.other_successes, found.loaded) == (1, 2, 0)
    assert not backend.loaded and not backend.collected


def test_a_data_set_is_made_of_what_the_run_has_recorded(backend, runner):
    runs = runner()
    begun = state(r00_collect=finish(runs.execute(state(), collect_stage(0))))
    for spec in episode_specs(begun, Stage('collect', 'held-out', 0)):
        backend.record(spec)
    found = finish(runner().execute(begun, Stage('aggregate', 'loop', 0)))
    assert found.episodes >= 3 and found.labels == 12 and found.person_labels == 0
    assert len(load(backend.folder / 'dataset.hdf5', 'round_0')) == 12
    assert 0.0 <= found.seconds < 60.0


def test_an_episode_with_a_flag_is_named_but_not_one_that_was_taken_back(backend, runner):
    specs = episode_specs(state(), collect_stage(0))
    for spec, flags in zip(specs, (DROPS | CLOCK_JUMP, DISCARDED, 0)):
        backend.record(spec, flags=flags)
    runs = runner()
    found = finish(runs.execute(state(), collect_stage(0)))
    assert found.flagged == tuple(spec.episode_id for spec in specs[:2])
    assert runs.flagged(found) == [f'{specs[0].episode_id}: drops, clock jump']
    assert runs.flagged(TRAINED) == []


def test_an_episode_that_is_gone_is_named_with_what_to_do(backend, runner):
    begun = state(r00_collect=collected([4, 4, 4]))
    with pytest.raises(RunError, match='episodes lacks .*; if this is an incomplete copy') as lost:
        finish(runner().execute(begun, Stage('aggregate', 'loop', 0)))
    assert lost.value.code == RUN_DIFFERS


@pytest.mark.parametrize('round_, config', [(0, 'plain.yaml'), (1, 'augmented.yaml')])
def test_rounds_are_fitted_with_the_augmentation_and_cloning_without(
        backend, runner, round_, config):
    orders = []
    backend.start_fit = lambda order, tell: orders.append(order)
    fit = runner().start_fit(state(), Stage('train', 'loop', round_), lambda *_: None)
    order, = orders
    assert order.config == Path(config) and order.filter_key == f'round_{round_}'
    assert order.output == backend.folder / 'checkpoints' / f'round_{round_:02d}'
    assert (order.stage, order.run, order.seed) == (f'r{round_:02d}-train', 'demo', GOAL.seed)
    assert fit.stage == Stage('train', 'loop', round_)


def test_before_the_first_data_set_there_is_none_to_rebuild(backend, runner, monkeypatch):
    refreshed = []
    monkeypatch.setattr(stages, 'refresh', lambda *words: refreshed.append(words))
    finish(runner().refresh_dataset(state()))
    assert not refreshed
    done = state(r00_collect=collected([4, 4, 4]),
                 r00_aggregate=stages.Aggregated(3, 12, 1.0))
    finish(runner().refresh_dataset(done))
    (folder, planned, _), = refreshed
    assert folder == backend.folder and len(planned) >= 3
