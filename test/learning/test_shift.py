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

"""Synthetic states: where they are made, and what their labels say."""

from il_ros.dataset.dataset import Demonstrations
from il_ros.errors import InputsError, TrainConfigError
from il_ros.learning.config import TrainConfig
from il_ros.learning.inputs import Inputs
from il_ros.learning.shift import Shift, shifted
from il_ros.tasks.contracts import find_contract
import numpy as np
import pytest

PUSH, _ = find_contract('push')
RELATIVE = Inputs(PUSH, ['object_position.xy - tool_position.xy'])


def _states(count: int, object_x: float) -> Demonstrations:
    observations = np.zeros((count, PUSH.width), np.float32)
    PUSH.values(observations, 'object_position')[:, 0] = object_x
    PUSH.values(observations, 'goal_position')[:, 1] = 0.3
    actions = np.full((count, len(PUSH.actions)), 0.02, np.float32)
    return Demonstrations(observations, actions, PUSH)


def test_a_shifted_tool_gets_the_label_that_brings_it_back():
    data = _states(500, object_x=1.0)
    made = shifted(data, RELATIVE, Shift(sd_m=0.01, copies=2, recover_s=0.5), seed=4)
    assert len(made) == 1000
    offset = PUSH.values(made.observations, 'tool_position')
    assert offset[:, :2].std(axis=0) == pytest.approx([0.01, 0.01], rel=0.1)
    assert not offset[:, 2].any(), 'the puck is pushed in the plane: there is no action upwards'
    assert made.actions == pytest.approx(0.02 - offset[:, :2] / 0.5, abs=1e-6)
    for name in ('object_position', 'goal_position'):
        assert (PUSH.values(made.observations, name) == PUSH.values(data.observations, name)[0]
                ).all(), 'nothing but the tool is shifted'


def test_beside_an_object_nothing_is_made_up():
    assert len(shifted(_states(50, object_x=0.09), RELATIVE, Shift(clear_m=0.1), seed=0)) == 0
    near = shifted(_states(500, object_x=0.11), RELATIVE, Shift(sd_m=0.01, clear_m=0.1), seed=0)
    assert 0 < len(near) < 500
    apart = (PUSH.values(near.observations, 'object_position')
             - PUSH.values(near.observations, 'tool_position'))
    assert np.linalg.norm(apart, axis=1).min() > 0.1


def test_the_same_seed_makes_up_the_same():
    one, two, other = (shifted(_states(9, 1.0), RELATIVE, Shift(), seed).observations.tolist()
                       for seed in (1, 1, 2))
    assert one == two != other


def test_joints_cannot_be_shifted():
    with pytest.raises(InputsError, match='joint_position'):
        shifted(_states(9, 1.0), Inputs(PUSH, ['joint_position']), Shift(), seed=0)


@pytest.mark.parametrize('shift, words', [
    ({'sd': 1}, "unknown key 'sd'"), (3, 'expected a mapping'), ({'sd_m': -1}, 'shift.sd_m'),
    ({'copies': 1.5}, 'whole number'), ({'recover_s': 0}, 'shift.recover_s')])
def test_a_wrong_setting_is_named(shift, words):
    with pytest.raises(TrainConfigError, match=words):
        TrainConfig.from_dict({'inputs': ['x'], 'shift': shift})


def test_a_shift_knows_no_history():
    with pytest.raises(TrainConfigError, match='none together with history'):
        TrainConfig.from_dict({'inputs': ['x'], 'shift': {}, 'history': 2})
