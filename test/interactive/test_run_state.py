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

"""``run.json``: written whole, resumed only by the same goal."""

import dataclasses
import json

from il_ros.errors import EpisodeWriteError
from il_ros.interactive import run_state
from il_ros.interactive.goal import Goal
from il_ros.interactive.outcomes import Loaded, Trained
from il_ros.interactive.rounds import next_stage
from il_ros.interactive.run_state import begin, RunDiffersError, RunExistsError, RunFileError
from il_ros.interactive.run_state import RunState
from il_ros.interactive.strategy import UnknownStrategyError
import pytest

GOAL = Goal(run='r', task='push', strategy='gated')


def test_a_new_run_is_on_disk_before_it_begins(tmp_path):
    state = begin(tmp_path / 'r', GOAL, {})
    assert run_state.load(tmp_path / 'r') == state
    assert [path.name for path in (tmp_path / 'r').iterdir()] == ['run.json']


def test_a_run_goes_on_where_it_was(tmp_path):
    state = begin(tmp_path, GOAL, {'gate': {'hold_max': 9}})
    trained = Trained('checkpoints/round_00', 'ab', 2 ** 64 - 1, 10, 0.1, 0.2, 1, 30, 2.0)
    after = state.after(next_stage(state), trained)
    run_state.save(tmp_path, after)
    assert begin(tmp_path, GOAL, {'gate': {'hold_max': 9}}, resume=True) == after


def test_faults_are_kept_and_an_older_file_has_none(tmp_path):
    state = begin(tmp_path, GOAL, {})
    text = json.loads(state.to_json())
    del text['faults']
    assert RunState.from_json(json.dumps(text)) == state
    state = state.with_fault(run_state.Fault(1.5, 'r00-collect', 'policy ended', 'waited for'))
    run_state.save(tmp_path, state)
    assert run_state.load(tmp_path) == state != run_state.load(tmp_path).with_fault(
        state.faults[0])


def test_a_state_that_cannot_be_written_is_named_and_leaves_the_old_one(tmp_path, monkeypatch):
    state = begin(tmp_path, GOAL, {})
    monkeypatch.setattr('os.replace', full)
    with pytest.raises(EpisodeWriteError, match='run.json cannot be written: No space left'):
        run_state.save(tmp_path, state.after(next_stage(state), Loaded(1.0)))
    assert run_state.load(tmp_path) == state
    assert [path.name for path in tmp_path.iterdir()] == ['run.json']


def full(*_):
    """Have no room, as a full disk."""
    raise OSError(28, 'No space left on device')


def test_a_run_is_not_overwritten(tmp_path):
    begin(tmp_path, GOAL, {})
    with pytest.raises(RunExistsError, match='run r exists') as refusal:
        begin(tmp_path, GOAL, {})
    assert refusal.value.code == 802


def test_episodes_without_a_run_are_not_taken_for_an_empty_folder(tmp_path):
    (tmp_path / 'episodes').mkdir()
    with pytest.raises(RunExistsError, match='holds episodes'):
        begin(tmp_path, GOAL, {})


def test_resuming_what_is_not_there_starts_it(tmp_path):
    assert begin(tmp_path / 'r', GOAL, {}, resume=True).finished == {}


def test_another_goal_does_not_resume_a_run(tmp_path):
    begin(tmp_path, GOAL, {})
    with pytest.raises(RunDiffersError, match='has seed 0, but 1 was asked for') as refusal:
        begin(tmp_path, dataclasses.replace(GOAL, seed=1), {}, resume=True)
    assert refusal.value.code == 803


def test_a_run_whose_folder_was_renamed_goes_on_under_the_new_name(tmp_path):
    state = begin(tmp_path / 'r', GOAL, {})
    trained = Trained('checkpoints/round_00', 'ab', 1, 10, 0.1, 0.2, 1, 30, 2.0)
    state = state.after(next_stage(state), trained)
    run_state.save(tmp_path / 'r', state)
    (tmp_path / 'r').rename(tmp_path / 'kept')
    goal = dataclasses.replace(GOAL, run='kept')
    found = begin(tmp_path / 'kept', goal, {}, resume=True)
    assert found == dataclasses.replace(state, goal=goal)
    assert run_state.load(tmp_path / 'kept') == found
    with pytest.raises(RunDiffersError, match='run kept has seed 0, but 1 was asked for'):
        begin(tmp_path / 'kept', dataclasses.replace(goal, seed=1), {}, resume=True)
    assert run_state.load(tmp_path / 'kept') == found


def test_other_settings_do_not_resume_a_run(tmp_path):
    begin(tmp_path, GOAL, {})
    with pytest.raises(RunDiffersError, match='settings'):
        begin(tmp_path, GOAL, {'gate': {'hold_max': 3}}, resume=True)


def test_an_unknown_strategy_leaves_no_folder(tmp_path):
    with pytest.raises(UnknownStrategyError):
        begin(tmp_path / 'r', dataclasses.replace(GOAL, strategy='magic'), {})
    assert not (tmp_path / 'r').exists()


@pytest.mark.parametrize('text', ['', '{', '[]', '{"version": 1}', '{"version": 9}', 'null'])
def test_a_damaged_file_is_named(tmp_path, text):
    (tmp_path / 'run.json').write_text(text)
    with pytest.raises(RunFileError, match=str(tmp_path / 'run.json')):
        begin(tmp_path, GOAL, {}, resume=True)


def test_a_stage_is_finished_once(tmp_path):
    state = begin(tmp_path, GOAL, {})
    stage = next_stage(state)
    with pytest.raises(ValueError, match=stage.name):
        state.after(stage, Loaded(1.0)).after(stage, Loaded(1.0))


TRAINED = Trained('checkpoints/round_00', 'ab', 1, 10, 0.1, 0.2, 1, 30, 2.0)


def test_the_file_has_its_version_and_a_line_for_each_entry():
    text = RunState(GOAL, {}, {'r00-load': Loaded(0.5)}).to_json()
    assert text.startswith('{\n "version": 1,\n "goal": {\n  "run": "r",\n')
    assert text.endswith('   "stage": "r00-load",\n   "type": "loaded",\n   "seconds": 0.5\n'
                         '  }\n ],\n "faults": []\n}\n')
    with pytest.raises(RunFileError, match='version is 2; expected 1'):
        RunState.from_json(text.replace('"version": 1', '"version": 2'))


def test_outcomes_are_found_by_kind_and_stage():
    state = RunState(GOAL, {}, {'r00-train': TRAINED, 'r00-load': Loaded(0.5),
                                'baseline-train': TRAINED})
    assert state.find(Trained, 'r00-train') is state.outcome(Trained, 'r00-train') is TRAINED
    assert state.find(Loaded, 'r00-train') is state.find(Loaded, 'r01-load') is None
    with pytest.raises(KeyError):
        state.outcome(Loaded, 'r00-train')
    assert state.all_of(Trained) == [TRAINED, TRAINED]
    assert state.all_of(Loaded) == [Loaded(0.5)]
    assert run_state.seconds(state) == 4.5


def test_a_run_is_begun_in_folders_that_are_not_there_yet(tmp_path):
    begin(tmp_path / 'far' / 'r', GOAL, {})
    assert run_state.load(tmp_path / 'far' / 'r').goal == GOAL
    with pytest.raises(RunFileError, match='run.json cannot be read'):
        run_state.load(tmp_path / 'far')


def test_all_that_differs_is_named_at_once(tmp_path):
    begin(tmp_path, GOAL, {})
    other = dataclasses.replace(GOAL, seed=1, rounds=2)
    with pytest.raises(RunDiffersError, match='has rounds 6, but 2 was asked for; seed 0, but 1'):
        begin(tmp_path, other, {}, resume=True)


def test_the_old_name_of_a_renamed_run_begins_no_new_one(tmp_path):
    begin(tmp_path / 'old', dataclasses.replace(GOAL, run='old'), {})
    (tmp_path / 'broken').mkdir()
    (tmp_path / 'broken' / 'run.json').write_text('{')
    run_state.refuse_old_name(tmp_path / 'old')
    (tmp_path / 'old').rename(tmp_path / 'renamed')
    with pytest.raises(RunExistsError, match="no run 'old' to resume; .*renamed had this name"):
        run_state.refuse_old_name(tmp_path / 'old')
    run_state.refuse_old_name(tmp_path / 'new')
