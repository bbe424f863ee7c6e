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

"""An expert that misreads the state by a constant: whose labels, which, and what is refused."""

import json

from il_ros.errors import ImitationError
from il_ros.experiments.rollouts import Conditions, RolloutRunner
from il_ros.sim.simulation import Simulation
from il_ros.tasks.biased import BiasError
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.expert import MissingFeatureError
from il_ros.tasks.expert_registry import make_expert
from il_ros.tasks.registry import TASKS
import numpy as np
import pytest

MISREAD = {'reach': 'goal_position', 'stack': 'base_position'}


def contract_of(task: str):
    return find_contract(task)[0]


def options(**bias) -> str:
    return json.dumps({'expert': {'bias': bias}})


@pytest.mark.parametrize('task', TASKS)
def test_its_answer_is_the_laws_answer_to_the_misread_state(task):
    contract, name = contract_of(task), MISREAD.get(task, 'object_position')
    rng = np.random.default_rng(0)
    rows = rng.uniform(0.0, 0.15, (200, contract.width)).astype(np.float32)
    expert = make_expert(task, contract)
    biased = make_expert(task, contract, options(**{name: [0.0, 0.03125, 0.0]}))
    shifted = rows.astype(float)
    contract.values(shifted, name)[:, 1] += 0.03125
    for row, misread in zip(rows, shifted):
        np.testing.assert_allclose(biased.act(row), expert.act(misread), atol=1e-5)
    assert any((biased.act(row) != expert.act(row)).any() for row in rows)


def test_its_name_says_what_it_misreads_and_an_expert_without_bias_keeps_its_own():
    contract = contract_of('push')
    biased = make_expert('push', contract, options(goal_position=[0.0, 0.03, 0.0]))
    assert biased.name == 'push expert 1 with bias {"goal_position": [0.0, 0.03, 0.0]}'
    for text in ('', '{}', '{"bumps": {"rate": 0.1, "speed": 0.5}}'):
        assert make_expert('push', contract, text).name == 'push expert 1'


@pytest.mark.parametrize('text, kind, sentence', [
    ('{"expert": 3}', BiasError, 'option expert is 3; expected a mapping with keys of bias'),
    ('{"expert": {"noise": 1}}', BiasError,
     "option expert has the unknown key 'noise'; known are bias"),
    (options(), BiasError, 'bias is {}; expected an object of features'),
    (options(goal_position=0.1), BiasError, 'bias.goal_position is 0.1; expected a list'),
    (options(goal_position=[]), BiasError, 'expected a list of finite numbers'),
    ('{"expert": {"bias": {"goal_position": [NaN, 0, 0]}}}', BiasError, 'not a finite number'),
    ('{"expert"', BiasError, 'options are not JSON'),
    (options(goal_position=[0.1]), MissingFeatureError, 'reads 1 elements of goal_position'),
    (options(moon=[0.1]), MissingFeatureError, "no feature 'moon'")])
def test_a_handicap_that_is_none_is_refused_with_a_sentence(text, kind, sentence):
    with pytest.raises(kind) as refused:
        make_expert('push', contract_of('push'), text)
    assert sentence in str(refused.value) and isinstance(refused.value, ImitationError)


def test_the_task_leaves_the_option_to_the_expert():
    simulation = Simulation('push')
    plain = simulation.reset(seed=500_003)
    other = simulation.reset(seed=500_003, options=options(goal_position=[0.0, 0.03, 0.0]))
    np.testing.assert_array_equal(plain.goal_position, other.goal_position)
    np.testing.assert_array_equal(plain.object_positions, other.object_positions)
    simulation.close()


def test_it_pushes_the_puck_to_where_it_takes_the_goal_to_be():
    """The puck passes the goal on the side of the bias, and some episodes fail for it."""
    bias = np.array([0.0, 0.05])
    runs = RolloutRunner(Conditions('push', options=options(goal_position=[*bias, 0.0])),
                         keep_observations=True)
    ends = []
    for seed in range(500_000, 500_008):
        one = runs.run(seed)
        if not one.success:
            puck, goal = (runs.contract.values(one.observations[-1], f'{name}_position')[:2]
                          for name in ('object', 'goal'))
            ends.append(puck - goal)
    runs.close()
    assert len(ends) >= 3
    np.testing.assert_allclose(np.mean(ends, axis=0), bias, atol=0.01)
