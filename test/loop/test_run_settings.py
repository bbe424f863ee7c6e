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

"""Settings of a run: checked before anything is done, and kept for those who resume it."""

import dataclasses

from il_ros.errors import ImitationError
from il_ros.interactive import run_state
from il_ros.interactive.goal import Goal
from il_ros.learning.config import TrainConfig
from il_ros.loop.failures import BAD_GOAL, RunError
from il_ros.loop.run_settings import check_goal, keep_training
import pytest

TEXT = """
strategy: {gate: {hold_max: 9}}
training: {inputs: [goal_position - tool_position], steps: 7, warmup_steps: 1}
"""


def test_a_run_is_resumed_with_its_own_settings_when_their_file_is_gone(tmp_path):
    config = tmp_path / 'mine.yaml'
    config.write_text(TEXT)
    goal = Goal(run='r', task='reach', strategy='gated', config=str(config), demonstrations=1,
                rounds=0)
    strategy, training = check_goal(goal, True, run=tmp_path / 'r')
    assert training == config
    run_state.begin(tmp_path / 'r', goal, strategy.settings)
    keep_training(tmp_path / 'r', training, strategy)
    config.unlink()
    found, training = check_goal(goal, True, run=tmp_path / 'r')
    assert found.settings == strategy.settings
    run_state.begin(tmp_path / 'r', goal, found.settings, resume=True)
    assert keep_training(tmp_path / 'r', training, found)[False].read_text() == TEXT
    other = dataclasses.replace(goal, config=str(config.with_name('other.yaml')))
    for asked, resume in ((goal, False), (other, True)):
        with pytest.raises(RunError, match='there is no such file'):
            check_goal(asked, resume, run=tmp_path / 'r')


def test_the_augmentation_of_a_strategy_is_kept_apart_from_the_plain_training(tmp_path):
    config = tmp_path / 'mine.yaml'
    config.write_text(TEXT.replace('gate: {hold_max: 9}', ''))
    strategy, training = check_goal(Goal(run='r', task='reach', strategy='shift', rounds=1,
                                         config=str(config), demonstrations=1))
    (tmp_path / 'r').mkdir()
    kept = keep_training(tmp_path / 'r', training, strategy)
    assert kept == {False: tmp_path / 'r' / 'training.yaml',
                    True: tmp_path / 'r' / 'augmented.yaml'}
    plain, augmented = (TrainConfig.load(kept[which]) for which in (False, True))
    assert plain.shift is None and augmented.shift is not None
    assert dataclasses.replace(augmented, shift=None) == plain
    kept[True].write_text('other')
    with pytest.raises(run_state.RunDiffersError, match='mine.yaml is not what the run began'):
        keep_training(tmp_path / 'r', training, strategy)
    gated, _ = check_goal(Goal(run='r', task='reach', strategy='gated', rounds=1,
                               demonstrations=1))
    assert len({*keep_training(tmp_path / 'r', training, gated).values()}) == 1


@pytest.mark.parametrize('name, value, sentence', [
    ('strategy', 'nope', "^strategy 'nope' is unknown; expected one of dagger, gated, [a-z, ]+$"),
    ('task', 'nope', "^there is no task 'nope'; there are reach, push, [a-z_, ]+$")])
def test_what_is_unknown_is_named_with_what_there_is_of_its_kind(name, value, sentence):
    fields = {'run': 'r', 'task': 'reach', 'strategy': 'gated', 'demonstrations': 1, 'rounds': 0}
    with pytest.raises(ImitationError, match=sentence) as refused:
        check_goal(Goal(**{**fields, name: value}))
    assert refused.value.code == BAD_GOAL


def test_the_codes_are_those_of_the_action():
    from il_ros.loop import failures
    interfaces = pytest.importorskip('il_ros_interfaces.action',
                                     reason='needs il_ros_interfaces: make test')
    codes = {name: value for name, value in vars(failures).items() if isinstance(value, int)}
    assert len(codes) == 8
    for name, value in codes.items():
        assert getattr(interfaces.RunDagger.Result, name) == value
