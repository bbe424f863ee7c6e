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

"""A policy in an episode: history, queue of actions, and the answer that is repeated."""

from il_ros.contract.contract import ActionElement, Contract, Feature, TOOL_VELOCITY
from il_ros.errors import InputsError, LearningError, PolicyError
from il_ros.learning.horizons import Horizons
from il_ros.learning.inputs import Inputs
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
from il_ros.learning.runner import ENSEMBLING_DECAY, Runner
import numpy as np
import pytest

CONTRACT = Contract(
    name='line', rate=20.0, features=(Feature('x', elements=('x',), unit='m', frame_id='base'),),
    action_space=TOOL_VELOCITY, action_frame_id='base',
    actions=(ActionElement('linear_x', 'm/s', -1e6, 1e6),))


def seeing(history: int) -> Policy:
    """Return a policy whose answer is x + 10 x' + 100 x'' + ..., newest first."""
    weight = 10.0 ** np.arange(history - 1, -1, -1, dtype=np.float32)[:, None]
    return made(weight, np.zeros(1, np.float32), Horizons(history=history))


def planning(chunk: int, members: int = 0, **horizons) -> Policy:
    """Return a policy that answers x, x + 1, x + 2, ... with a chunk."""
    weight = np.ones((1, chunk), np.float32)
    bias = np.arange(chunk, dtype=np.float32)
    if members:
        weight = np.stack([weight] * members)
        bias = np.stack([bias * (1.0 + at) for at in range(members)])
    return made(weight, bias, Horizons(chunk=chunk, **horizons))


def made(weight: np.ndarray, bias: np.ndarray, horizons: Horizons) -> Policy:
    one = Normaliser(np.zeros(1, np.float32), np.ones(1, np.float32))
    return Policy(CONTRACT, Inputs(CONTRACT, ['x']), one, one, Mlp((weight,), (bias,)),
                  horizons=horizons)


def run(runner: Runner, values, first: int = 0) -> list[float]:
    """Answer one observation after the other and return the answers."""
    return [float(runner.act(first + at, np.array([value], np.float32))[0])
            for at, value in enumerate(values)]


def test_a_history_begins_with_the_first_observation_repeated():
    assert run(Runner(seeing(3)), [1, 2, 3, 4]) == [111, 112, 123, 234]


def test_a_new_episode_begins_with_an_empty_history():
    runner = Runner(seeing(2))
    runner.begin('a')
    assert run(runner, [1, 2]) == [11, 12]
    runner.begin('a')
    assert run(runner, [3], first=2) == [23]
    runner.begin('b')
    assert run(runner, [4]) == [44]
    runner.begin('b', anew=True)
    assert run(runner, [5]) == [55], 'the attempt before was taken back'


def test_a_repeated_stamp_is_answered_from_memory_and_advances_nothing():
    runner = Runner(seeing(2))
    assert run(runner, [1]) == run(runner, [5]) == [11]
    assert run(runner, [2], first=1) == [12]
    runner = Runner(planning(3, execute=3))
    assert run(runner, [10]) == run(runner, [50]) == [10]
    assert run(runner, [20], first=1) == [11]


def test_as_many_steps_of_a_chunk_are_carried_out_as_were_asked_for():
    assert run(Runner(planning(4, execute=3)), [10, 20, 30, 40, 50, 60]) == [
        10, 11, 12, 40, 41, 42]
    assert run(Runner(planning(4)), [10, 20, 30]) == [10, 20, 30]


def test_what_was_planned_is_dropped_when_somebody_else_drove():
    runner = Runner(planning(4, execute=4))
    assert run(runner, [10, 20]) == [10, 11]
    runner.discard_plan()
    assert run(runner, [30, 40], first=2) == [30, 31]


def test_what_was_planned_is_dropped_with_its_episode():
    runner = Runner(planning(4, execute=4))
    runner.begin('a')
    run(runner, [10])
    runner.begin('b')
    assert run(runner, [20]) == [20]


def test_temporal_ensembling_averages_all_chunks_that_reach_a_step():
    runner = Runner(planning(3, temporal_ensembling=True))
    weights = np.exp(-ENSEMBLING_DECAY * np.arange(3))
    expected = [10.0, np.average([11, 20], weights=weights[:2]),
                np.average([12, 21, 30], weights=weights),
                np.average([22, 31, 40], weights=weights)]
    np.testing.assert_allclose(run(runner, [10, 20, 30, 40]), expected, rtol=1e-6)
    runner.discard_plan()
    assert run(runner, [50], first=4) == [50]


def test_a_policy_without_an_answer_forgets_its_plan():
    runner = Runner(planning(3, temporal_ensembling=True))
    run(runner, [10])
    with pytest.raises(PolicyError):
        run(runner, [np.nan], first=1)
    assert run(runner, [30], first=2) == [30]


def test_the_uncertainty_is_that_of_the_very_step():
    runner = Runner(planning(3, members=2, execute=3))
    assert runner.uncertainty == -1.0
    found = []
    for step in range(3):
        run(runner, [0.0], first=step)
        found.append(runner.uncertainty)
    # The members plan 0, 1, 2 and 0, 2, 4: sds of 0, 1/2 and 1 of half a range of a million.
    np.testing.assert_allclose(found, [0.0, 0.5e-6, 1e-6], rtol=1e-5)
    plain = Runner(planning(1))
    run(plain, [1.0])
    assert plain.uncertainty == -1.0


def test_one_observation_stands_for_a_whole_history():
    policy = seeing(3)
    assert policy.act(np.array([2.0], np.float32)) == 222.0
    windows = np.array([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]], np.float32)
    assert policy.act_batch(windows).tolist() == [[123.0], [456.0]]
    assert policy.act_batch(windows[:, 0]).tolist() == [[111.0], [444.0]]
    with pytest.raises(InputsError, match='window has 2 observations'):
        policy.act_batch(windows[:, :2])


@pytest.mark.parametrize('wrong', [
    {'history': 0}, {'chunk': 0}, {'chunk': 2, 'execute': 3}, {'history': 1.5}, {'chunk': True},
    {'temporal_ensembling': 1}])
def test_horizons_that_make_no_sense_are_refused(wrong):
    with pytest.raises(LearningError, match='(history|chunk) is .*; expected a whole number|'
                       'execute is 3|temporal_ensembling is 1'):
        Horizons(**wrong)
