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

"""Stages: their names and numbers, and the data set, threshold and fit that belong to each."""

import dataclasses
from pathlib import Path
import re
from types import SimpleNamespace

from il_ros.interactive import stage as stages, stage_work
from il_ros.interactive.dataset_keys import dataset_keys, last_aggregate, planned_keys
from il_ros.interactive.outcomes import Collected
from il_ros.interactive.rounds import baseline_batches
from il_ros.interactive.run_state import RunState, save
from il_ros.interactive.stage import collect_stage, Stage, stage_name
import pytest
from run_of_two_rounds import GOAL, states_of_a_run

ACTION = Path(__file__).resolve().parents[2] / 'il_ros_interfaces' / 'action' / 'RunDagger.action'


def test_the_numbers_of_stages_are_those_of_the_action():
    said = dict(re.findall(r'^uint8 ([A-Z]+)=([0-9]+)', ACTION.read_text(), re.MULTILINE))
    said['EXPERT_STAGE'] = said.pop('EXPERT')
    assert len(said) == len(stages.PHASES) == 9
    assert {name: getattr(stages, name) for name in said} == {
        name: int(value) for name, value in said.items()}


@pytest.mark.parametrize('stage, name, phase', [
    (Stage('evaluate', 'expert', 0), 'expert-evaluate', 'expert'),
    (Stage('collect', 'held-out', 0), 'held-out-collect', 'demonstrate'),
    (collect_stage(0), 'r00-collect', 'demonstrate'), (collect_stage(1), 'r01-collect', 'collect'),
    (Stage('label', 'loop', 2), 'r02-label', 'label'),
    (Stage('aggregate', 'loop', 0), 'r00-aggregate', 'aggregate'),
    (Stage('train', 'loop', 12), 'r12-train', 'train'),
    (Stage('load', 'loop', 0), 'r00-load', 'load'),
    (Stage('evaluate', 'loop', 0), 'r00-evaluate', 'evaluate'),
    (Stage('measure', 'loop', 0), 'r00-measure', 'evaluate'),
    (Stage('collect', 'baseline', 2, 1), 'baseline-collect-1', 'baseline'),
    (Stage('load', 'final', 2), 'final-load', 'load')])
def test_a_stage_has_a_name_and_a_row_of_the_table(stage, name, phase):
    assert (stage.name, stage.phase) == (name, phase)


def test_a_name_is_made_of_a_round_or_a_part_and_a_batch():
    assert stage_name('train', 3) == 'r03-train'
    assert stage_name('collect', 'baseline', 2) == 'baseline-collect-2'


def receipts(*thresholds):
    """Return receipts with these adapted thresholds."""
    return [SimpleNamespace(gate_threshold=one) for one in thresholds]


def test_an_adapted_threshold_goes_on_where_the_round_before_or_this_one_left_it():
    before = Collected(3, 3, 90, 9, 9, 9, 0, 1, (), (), 2.0, gate_threshold=0.4)
    state = RunState(GOAL, {}, {'r01-collect': before})
    begun = collect_stage(2)
    assert stage_work.gate_threshold(state, begun, receipts()) == 0.4
    assert stage_work.gate_threshold(state, begun, receipts(0.3, 0.0)) == 0.0
    assert stage_work.gate_threshold(state, collect_stage(1), receipts()) == -1.0
    for other in (Stage('evaluate', 'loop', 2), Stage('collect', 'baseline', 2, 1)):
        assert stage_work.gate_threshold(state, other, receipts()) == -1.0


def demonstrations(target: int, *labels: int) -> RunState:
    """Return a run whose last data set has so many labels, and its demonstrations."""
    goal = dataclasses.replace(GOAL, demonstrations=len(labels), rounds=0)
    found = Collected(len(labels), 0, 90, target, target, 90, 0, 0, labels, (), 2.0)
    return RunState(goal, {}, {'r00-collect': found})


@pytest.mark.parametrize('target, labels, count', [
    (30, (10, 10, 10, 10), 3), (34, (10, 10, 10, 10), 3), (36, (10, 10, 10, 10), 4),
    (35, (10, 10, 10, 10), 4), (5, (10, 10), 1), (100, (10, 10), 2)])
def test_the_baselines_demonstrations_come_nearest_to_the_labels(target, labels, count):
    chosen = stage_work.same_labels(demonstrations(target, *labels))
    assert chosen == [(f'demonstration-r00-{seed:06d}', 10) for seed in range(count)]


def test_a_baseline_with_exactly_the_labels_needs_no_more_demonstrations():
    assert baseline_batches(demonstrations(30, 10, 10, 10)) == []


def test_no_fit_of_round_zero_or_of_the_baseline_is_augmented():
    state = RunState(GOAL)
    jobs = {part: [stage_work.train_job(state, Stage('train', part, round_)).augmented
                   for round_ in (0, 1)] for part in ('loop', 'baseline')}
    assert jobs == {'loop': [False, True], 'baseline': [False, False]}


def test_the_data_set_names_each_episode_under_every_round_that_learns_from_it(tmp_path):
    states = states_of_a_run()
    assert last_aggregate(states[0]) is None and planned_keys(tmp_path) is None
    save(tmp_path, states[0])
    assert planned_keys(tmp_path) is None
    state = next(one for one in states if one.finished and list(one.finished)[-1] == 'r01-label')
    assert last_aggregate(state) == Stage('aggregate', 'loop', 0)
    state = next(one for one in states if 'r01-aggregate' in one.finished)
    newest = last_aggregate(state)
    assert newest == Stage('aggregate', 'loop', 1)
    keys = dataset_keys(state, newest)
    save(tmp_path, state)
    assert planned_keys(tmp_path) == keys
    assert list(keys)[:10] == list(stage_work.held_out_episodes(state))
    assert [keys[name] for name in list(keys)[10:]] == [
        ('round_0', 'round_1')] * 2 + [('round_1',)] * 3
    assert {keys[one] for one in list(keys)[:10]} == {('held_out',)}


def test_only_episodes_without_a_receipt_are_run():
    specs = stage_work.episode_specs(RunState(GOAL), collect_stage(0))
    assert stage_work.unrecorded(specs, [specs[0].episode_id]) == specs[1:]
    assert [(spec.purpose, spec.seed, spec.round) for spec in specs] == [
        ('demonstration', 0, 0), ('demonstration', 1, 0)]
