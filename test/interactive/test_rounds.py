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

"""A whole run as data: its order, its episodes, its baseline, and that a kill changes nothing."""

import collections
import dataclasses
import functools

import dry_run
from hypothesis import given, settings, strategies as st
from il_ros.contract.episode_spec import DEMONSTRATION, EVALUATION, EXPERT, POLICY, ROLLOUT
from il_ros.contract.episode_spec import VALIDATION
from il_ros.interactive import rounds, stage_work
from il_ros.interactive.goal import Goal
from il_ros.interactive.ledger import ledger
from il_ros.interactive.outcomes import Chosen, Collected, Loaded, Trained
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage import Stage
import pytest

STRATEGIES = ('dagger', 'gated', 'corrections')


def _state(strategy='dagger', **fields) -> RunState:
    goal = {'rounds': 2, 'demonstrations': 4, 'episodes_per_round': 3, 'evaluation_episodes': 5,
            'final_evaluation_episodes': 7, **fields}
    return RunState(Goal(run='r', task='push', strategy=strategy, **goal))


def _complete(state) -> RunState:
    states = [state]
    collections.deque(dry_run.run(state, saved=states.append), maxlen=0)
    return states[-1]


def _stages(state) -> dict[str, Stage]:
    return {stage.name: stage for stage in rounds.planned_stages(state)}


def test_a_dagger_run_goes_through_its_stages_in_order():
    learn, judge = ['collect', 'aggregate', 'train'], ['evaluate', 'measure']
    again = ['collect', 'label', 'aggregate', 'train']
    assert list(_complete(_state()).finished) == [
        'expert-evaluate', 'held-out-collect', *(f'r00-{act}' for act in learn), 'r00-load',
        *(f'r01-{act}' for act in again), *(f'r00-{act}' for act in judge), 'r01-load',
        *(f'r02-{act}' for act in again), *(f'r01-{act}' for act in judge), 'r02-load',
        'baseline-collect-1', 'baseline-aggregate', 'baseline-train',
        *(f'r02-{act}' for act in judge), 'baseline-load',
        *(f'baseline-{act}' for act in judge), 'final-load']


def test_a_policy_is_judged_while_the_next_one_is_fitted_and_that_one_waits_for_its_fit():
    states = []
    collections.deque(dry_run.run(_state(), saved=states.append), maxlen=0)
    beside = {}
    for state in [_state(), *states]:
        fitting = rounds.next_stage(state)
        if fitting and fitting.act == 'train':
            other = rounds.next_stage(state, fitting)
            beside[fitting.name] = other and other.name
    assert beside == {'r00-train': None, 'r01-train': 'r00-evaluate',
                      'r02-train': 'r01-evaluate', 'baseline-train': 'r02-evaluate'}


@pytest.mark.parametrize('strategy, labelled', [
    ('dagger', True), ('gated', False), ('corrections', False)])
def test_the_service_is_asked_only_where_a_label_lacks(strategy, labelled):
    assert ('r01-label' in _complete(_state(strategy)).finished) == labelled


def test_without_a_baseline_the_run_ends_with_the_last_round():
    assert list(_complete(_state(baseline=False)).finished)[-1] == 'r02-measure'


@pytest.mark.parametrize('between, final, judged', [
    (0, 0, []), (0, 7, ['expert', 'r00', 'r02', 'baseline']), (5, 0, ['r01'])])
def test_whoever_gets_no_resets_is_neither_evaluated_nor_measured(between, final, judged):
    finished = _complete(_state(evaluation_episodes=between, final_evaluation_episodes=final)
                         ).finished
    assert {name.removesuffix('-evaluate') for name in finished
            if name.endswith('-evaluate')} == set(judged)
    assert {name.removesuffix('-measure') for name in finished
            if name.endswith('-measure')} == set(judged) - {'expert'}
    assert list(finished)[-1] == 'final-load' and 'baseline-train' in finished


@pytest.mark.parametrize('baseline', [True, False])
def test_a_policy_that_may_be_refused_is_judged_before_the_next_round_is_collected(baseline):
    state = _complete(_state(keep_better=True, baseline=baseline))
    judge = ['train', 'load', 'evaluate', 'measure', 'choose']
    names = [name for name in state.finished if name.startswith('r')]
    assert names == ['r00-collect', 'r00-aggregate', *(f'r00-{act}' for act in judge[:-1]),
                     *(f'{round_}-{act}' for round_ in ('r01', 'r02')
                       for act in ('collect', 'label', 'aggregate', *judge))]
    assert list(state.finished)[-1] == 'final-load'
    planned = [stage.name for stage in rounds.planned_stages(state)]
    assert planned == list(state.finished), 'each once, also in the table of times'


@pytest.mark.parametrize('successes, loaded', [((3, 3), [1, 2]), ((2, 3), [0, 2]),
                                               ((3, 2), [1, 1]), ((2, 2), [0, 0])])
def test_a_policy_that_succeeds_less_than_the_one_before_is_not_collected_with(
        successes, loaded):
    state = _state(keep_better=True, baseline=False)
    while stage := rounds.next_stage(state):
        outcome = Loaded(1.0)
        if stage.act == 'choose':
            before = state.loaded_round(stage.round - 1)
            pairs = stage_work.compared_episodes(state, stage.round)
            assert pairs[0] == (f'evaluation-r{stage.round:02d}-1000000',
                                f'evaluation-r{before:02d}-1000000')
            assert len(pairs) == (7 if (before, stage.round) == (0, 2) else 5)
            outcome = Chosen(stage.round, before, 5, successes[stage.round - 1], 3, 1.0)
        elif stage.act == 'train':
            outcome = Trained(f'round_{stage.round}', '', 0, 0, 0.1, 0.1, 0, 1, 1.0)
        elif stage.act in ('collect', 'evaluate'):
            outcome = Collected(1, 1, 5, 5, 5, 5, 0, 0, (5,), (), 1.0)
        state = RunState.from_json(state.after(stage, outcome).to_json())
    assert [state.loaded_round(round_) for round_ in (1, 2)] == loaded
    assert state.learner(2).path == f'round_{loaded[0]}'
    stages = _stages(state)
    for name, of in (('r01-collect', 0), ('r02-collect', loaded[0]), ('r02-evaluate', 2),
                     ('final-load', loaded[1])):
        assert stage_work.checkpoint_for(state, stages[name]).path == f'round_{of}'


def test_without_rounds_a_run_is_behavioural_cloning():
    finished = _complete(_state(rounds=0)).finished
    assert not [name for name in finished if 'baseline' in name or 'r01' in name]


def _episodes(state) -> dict:
    stages = _stages(state)
    return {name: stage_work.episode_specs(state, stage) for name, stage in stages.items()
            if stage.act in ('collect', 'evaluate')}


@pytest.mark.parametrize('strategy', STRATEGIES)
def test_no_episode_is_planned_twice(strategy):
    episodes = _episodes(_complete(_state(strategy)))
    ids = [spec.episode_id for specs in episodes.values() for spec in specs]
    assert len(set(ids)) == len(ids)


def test_everyone_is_judged_on_the_same_resets_without_the_expert():
    episodes = _episodes(_complete(_state()))
    judged = {name: [spec.seed for spec in specs] for name, specs in episodes.items()
              if name.endswith('-evaluate')}
    assert judged.pop('r01-evaluate') == list(range(1_000_000, 1_000_005))
    assert set(map(tuple, judged.values())) == {tuple(range(1_000_000, 1_000_007))}
    for name in judged:
        assert {spec.purpose for spec in episodes[name]} == {EVALUATION}
        drivers = {spec.plan.driver for spec in episodes[name]}
        assert drivers == ({EXPERT} if name == 'expert-evaluate' else {POLICY})


def test_held_out_demonstrations_and_evaluations_are_in_no_data_set():
    state = _complete(_state())
    episodes = {spec.episode_id: spec for specs in _episodes(state).values() for spec in specs}
    for name, stage in _stages(state).items():
        if stage.act == 'aggregate':
            purposes = {episodes[key].purpose for key in stage_work.dataset_episodes(state, stage)}
            assert purposes <= {DEMONSTRATION, ROLLOUT}, name
    assert {episodes[key].purpose for key in stage_work.held_out_episodes(state)} == {VALIDATION}


def test_each_data_set_holds_the_one_before_and_this_rounds_rollouts():
    state = _complete(_state())
    stages = _stages(state)
    first, second, third = (stage_work.dataset_episodes(state, stages[f'r{round_:02d}-aggregate'])
                            for round_ in range(3))
    assert (len(first), len(second), len(third)) == (4, 7, 10)
    assert third[:7] == second and second[:4] == first


def test_the_keys_of_earlier_rounds_stay_in_the_data_set():
    state = _complete(_state())
    stages = _stages(state)
    for name, expected in (('r00-aggregate', ['round_0']),
                           ('r02-aggregate', ['round_0', 'round_1', 'round_2']),
                           ('baseline-aggregate', ['round_0', 'round_1', 'round_2', 'baseline'])):
        kept = rounds.aggregated_stages(state, stages[name])
        assert [stage_work.filter_key(stage) for stage in kept] == expected


def test_a_round_is_driven_by_the_policy_of_the_round_before():
    state = _complete(_state())
    stages = _stages(state)

    def ran(name):
        found = stage_work.checkpoint_for(state, stages[name])
        return found and found.path
    assert ran('expert-evaluate') is ran('r00-collect') is ran('baseline-collect-1') is None
    assert ran('r01-collect') == 'checkpoints/round_00'
    assert ran('r01-evaluate') == ran('r01-load') == 'checkpoints/round_01'
    assert ran('baseline-evaluate') == 'checkpoints/baseline'
    assert ran('final-load') == 'checkpoints/round_02'


def test_a_fit_is_keyed_by_its_data_set_and_seeded_by_the_run():
    state = _complete(_state(seed=3))
    stages = _stages(state)
    assert stage_work.train_job(state, stages['r02-train']) == stage_work.TrainJob(
        'round_2', 3, 'checkpoints/round_02', augmented=True)
    assert stage_work.train_job(state, stages['baseline-train']) == stage_work.TrainJob(
        'baseline', 3, 'checkpoints/baseline')


@pytest.mark.parametrize('strategy', STRATEGIES)
@pytest.mark.parametrize('demonstrations, rounds_, episodes', [(4, 2, 6), (10, 3, 10), (12, 1, 1)])
def test_the_baseline_gets_whole_demonstrations_within_a_tenth_of_the_labels(
        strategy, demonstrations, rounds_, episodes):
    state = _complete(_state(strategy, demonstrations=demonstrations, rounds=rounds_,
                             episodes_per_round=episodes))
    target = ledger(state)[-1].labels
    chosen = stage_work.same_labels(state)
    assert sum(labels for _, labels in chosen) == pytest.approx(target, rel=0.1)
    ids = [episode for episode, _ in chosen]
    assert ids[:demonstrations] == [f'demonstration-r00-{k:06d}' for k in range(demonstrations)]
    fresh = ids[demonstrations:]
    assert fresh == [f'baseline-r{rounds_:02d}-{demonstrations + k:06d}'
                     for k in range(len(fresh))], 'none is left out for its length'


def test_a_batch_that_brings_too_few_labels_is_followed_by_fresh_demonstrations():
    finished = _complete(_state()).finished
    aggregated = list(finished).index('r02-aggregate')
    one = finished['baseline-collect-1']
    short = dataclasses.replace(one, labels=one.episodes, labels_by_episode=(1,) * one.episodes)
    state = dataclasses.replace(_state(), finished={
        **dict(list(finished.items())[:aggregated + 1]), 'baseline-collect-1': short})
    (first, count), (second, more) = rounds.baseline_batches(state)
    assert (first, second) == (4, 4 + count)
    missing = ledger(state)[-1].labels - finished['r00-collect'].labels - short.labels
    brought = (finished['r00-collect'].labels + short.labels) / (4 + count)
    assert more - 1 < missing / brought <= more, 'as many as those before would need'
    planned = [[spec.seed for spec in stage_work.episode_specs(
        state, Stage('collect', 'baseline', 2, batch))] for batch in (1, 2)]
    assert planned == [list(range(4, second)), list(range(second, second + more))]
    state = state.after(Stage('collect', 'baseline', 2, 2), one)
    assert [stage.name for stage in stage_work.demonstration_stages(state)] == [
        'r00-collect', 'baseline-collect-1', 'baseline-collect-2']


def test_a_flagged_episode_enters_no_data_set_and_is_not_labelled():
    state = _state()
    done = _complete(state)
    flagged = 'rollout-r01-004001'
    collected = dataclasses.replace(done.finished['r01-collect'], flagged=(flagged,))
    done = dataclasses.replace(done, finished={**done.finished, 'r01-collect': collected})
    stages = _stages(done)
    assert flagged not in stage_work.episodes_to_label(done, stages['r01-label'])
    assert flagged not in stage_work.dataset_episodes(done, stages['r02-aggregate'])
    assert len(stage_work.dataset_episodes(done, stages['r02-aggregate'])) == 9


def test_mistakes_are_asked_for_on_the_first_resets_of_an_evaluation():
    state = _complete(_state(final_evaluation_episodes=60))
    stages = _stages(state)
    asked = stage_work.episodes_to_label(state, stages['baseline-measure'])
    assert asked == tuple(f'baseline-r02-{1_000_000 + k}' for k in range(50))
    assert len(stage_work.episodes_to_label(state, stages['r01-measure'])) == 5


@functools.cache
def _unkilled(strategy) -> RunState:
    return _complete(_state(strategy))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(STRATEGIES), st.lists(st.integers(1, 40), max_size=8))
def test_a_run_killed_anywhere_ends_as_if_it_had_not_been(strategy, kills):
    start, whole = _state(strategy), _unkilled(strategy)
    saved, recorded, ran = [start.to_json()], {}, []
    for events in [*kills, None]:
        # What a kill leaves is the saved text and the recorded episodes; nothing else.
        run = dry_run.run(RunState.from_json(saved[-1]), recorded,
                          lambda state: saved.append(state.to_json()))
        for count, (_, episode) in enumerate(run):
            ran += [episode] if episode else []
            if events is not None and count == events:
                break
        run.close()
    assert RunState.from_json(saved[-1]) == whole
    assert list(RunState.from_json(saved[-1]).finished) == list(whole.finished)
    assert len(set(ran)) == len(ran) == len(recorded), 'an episode was run twice'


def test_the_phase_of_a_stage_is_a_row_of_the_timing_table():
    stages = _stages(_complete(_state()))
    assert stages['expert-evaluate'].phase == 'expert'
    assert stages['r00-collect'].phase == 'demonstrate'
    assert stages['r01-collect'].phase == 'collect'
    assert stages['r01-measure'].phase == 'evaluate'
    assert stages['baseline-train'].phase == 'baseline'
