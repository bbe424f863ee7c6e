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

"""Strategies: their plans, their settings, and what is refused."""

from il_ros.contract.episode_spec import EXPERT, LABEL_ALL, LABEL_EXPERT_DRIVEN, LABEL_NONE, POLICY
from il_ros.contract.episode_spec import TELEOP
from il_ros.files.share import share_path
from il_ros.interactive.outcomes import Trained
from il_ros.interactive.strategies import load_strategy, make_strategy, STRATEGIES
from il_ros.interactive.strategy import evaluation_plan, StrategyError, UnknownStrategyError
from il_ros.interactive.strategy import wants_service
import pytest


@pytest.mark.parametrize('name', STRATEGIES)
def test_the_packages_own_settings_are_the_defaults(name):
    loaded = load_strategy(name, share_path('config', 'strategies', f'{name}.yaml'))
    for round_ in (0, 1, 5):
        assert loaded.plan(round_, 3) == make_strategy(name).plan(round_, 3)


@pytest.mark.parametrize('name', STRATEGIES)
def test_round_zero_is_demonstrated_by_the_expert(name):
    plan = make_strategy(name).plan(0, 7)
    assert (plan.driver, plan.labels, plan.seed) == (EXPERT, LABEL_ALL, 7)
    assert not wants_service(plan)


@pytest.mark.parametrize('name, gate, labels, service', [
    ('dagger', '', LABEL_ALL, True), ('gated', 'discrepancy', LABEL_ALL, False),
    ('corrections', 'discrepancy', LABEL_EXPERT_DRIVEN, False),
    ('novelty', 'novelty', LABEL_EXPERT_DRIVEN, False),
    ('human', 'human', LABEL_EXPERT_DRIVEN, False)])
def test_a_rollout_follows_its_strategy(name, gate, labels, service):
    plan = make_strategy(name).plan(1, 7)
    assert (plan.driver, plan.gate, plan.labels, plan.seed) == (POLICY, gate, labels, 7)
    assert wants_service(plan) == service


def test_an_expert_that_is_mixed_in_has_answered_everywhere():
    plan = make_strategy('dagger', {'beta': {'schedule': 'exponential', 'p': 0.5}}).plan(2, 0)
    assert plan.beta == 0.25
    assert not wants_service(plan)


def test_the_novelty_gate_comes_with_an_ensemble_and_a_target():
    strategy = make_strategy('novelty', {'gate': {'target_rate': 0.3}})
    assert strategy.plan(1, 0).target_rate == pytest.approx(0.3)
    assert strategy.learner == {'ensemble': 4}
    assert make_strategy('novelty', {'learner': {'ensemble': 7}}).learner == {'ensemble': 7}
    assert make_strategy('gated').learner == {}


def test_a_person_may_demonstrate_too():
    assert make_strategy('human', {'demonstrator': 'person'}).plan(0, 3).driver == TELEOP


def test_dart_is_disturbed_by_what_the_last_fit_got_wrong():
    strategy = make_strategy('dart', {'noise': {'scale': 4.0}})
    trained = Trained('checkpoints/round_00', 'ab', 7, 60, 0.1, 0.2, 3, 100, 3.0,
                      error_covariance=(0.25, 0.0, 0.0, 0.5))
    plan = strategy.plan(1, 7, trained)
    assert (plan.driver, plan.labels, plan.seed) == (EXPERT, LABEL_ALL, 7)
    assert plan.noise_covariance == (1.0, 0.0, 0.0, 2.0)
    assert strategy.plan(0, 7).noise_covariance == ()
    assert not wants_service(plan)


def test_shifted_states_are_made_for_the_rounds_alone():
    strategy = make_strategy('shift', {'shift': {'sd_m': 0.02}})
    assert strategy.augmentation == {'shift': {'sd_m': 0.02}}
    assert strategy.learner == {}
    plan = strategy.plan(2, 7)
    assert (plan.driver, plan.labels, plan.noise_covariance) == (EXPERT, LABEL_ALL, ())
    assert make_strategy('corrections').augmentation == {}


def test_an_evaluation_is_never_labelled():
    assert evaluation_plan(POLICY, 0).labels == LABEL_NONE
    assert not wants_service(evaluation_plan(POLICY, 0))


def test_an_unknown_strategy_is_refused_with_the_list():
    with pytest.raises(UnknownStrategyError, match='dagger, gated, corrections'):
        make_strategy('imitate')


@pytest.mark.parametrize('name, settings, words', [
    ('gated', {'gate': {'treshold': 0.5}}, 'treshold'),
    ('gated', {'gate': {'smoothing': 1.0}}, 'smoothing'),
    ('gated', {'gate': {'hold_max': 1.5}}, 'whole number'),
    ('gated', {'gate': {'threshold': -1}}, 'at least 0'),
    ('gated', {'gate': {'threshold': 'high'}}, 'a finite number'),
    ('gated', {'gate': {'hold_min': 9, 'hold_max': 3}}, 'hold_max'),
    ('gated', {'gate': 3}, 'expected a mapping'),
    ('corrections', {'beta': {}}, 'beta'),
    ('corrections', {'gate': {'target_rate': 0.1}}, 'target_rate'),
    ('novelty', {'gate': {'target_rate': 1.5}}, 'target_rate'),
    ('novelty', {'learner': 4}, 'expected a mapping'),
    ('dart', {'noise': {'scale': -1}}, 'at least 0'),
    ('dart', {'noise': {'scale': float('nan')}}, 'finite'),
    ('dart', {'noise': {'sd': 1}}, 'sd'),
    ('human', {'demonstrator': 'cat'}, 'expert, person'),
    ('shift', {'shift': 2}, 'expected a mapping'),
    ('dagger', {'gate': {}}, 'gate'),
    ('dagger', [1], 'expected a mapping')])
def test_a_wrong_setting_is_named(name, settings, words):
    with pytest.raises(StrategyError, match=words):
        make_strategy(name, settings)


def test_a_file_for_a_whole_run_keeps_the_strategy_beside_the_training(tmp_path):
    path = tmp_path / 'run.yaml'
    path.write_text('training: {steps: 10}\nstrategy: {gate: {hold_max: 4}}\n')
    assert load_strategy('gated', path).plan(1, 0).hold_max == 4
    path.write_text('strategy: {gate: {hold_max: 5}}\n')
    assert load_strategy('gated', path).plan(1, 0).hold_max == 5
    path.write_text('gate: {hold_max: 6}\n')
    assert load_strategy('gated', path).plan(1, 0).hold_max == 6
    path.write_text('training: {steps: 10}\n')
    assert load_strategy('gated', path).plan(1, 0).hold_max == 15


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path in (tmp_path / 'absent.yaml', tmp_path / 'broken.yaml'):
        if path.stem == 'broken':
            path.write_text('a: [')
        with pytest.raises(StrategyError, match=path.name):
            load_strategy('gated', path)


def test_a_gate_without_settings_has_the_documented_ones():
    gate = make_strategy('gated').plan(1, 0)
    assert (gate.threshold, gate.smoothing, gate.takeover_level, gate.release_threshold,
            gate.release_patience, gate.hold_min, gate.hold_max, gate.target_rate) == (
                0.3, 0.7, 0.5, 0.2, 3, 0, 15, 0.0)
    novel = make_strategy('novelty').plan(1, 0)
    assert (novel.threshold, novel.smoothing, novel.release_threshold, novel.target_rate) == (
        0.1, 0.0, 0.05, 0.1)


def test_noise_without_settings_is_as_large_as_the_error():
    trained = Trained('x', 'ab', 7, 60, 0.1, 0.2, 3, 100, 3.0, error_covariance=(0.25,))
    assert make_strategy('dart').plan(1, 0, trained).noise_covariance == (0.25,)
    assert make_strategy('dart', {'noise': {'scale': 0}}).plan(1, 0, trained).noise_covariance == (
        0.0,)


def test_what_a_person_drove_is_labelled_and_nothing_else():
    plan = make_strategy('human', {'demonstrator': 'person'}).plan(0, 3)
    assert (plan.labels, plan.seed) == (LABEL_EXPERT_DRIVEN, 3)
    assert not wants_service(plan)
    assert make_strategy('human', {'demonstrator': 'expert'}).plan(0, 3).driver == EXPERT
