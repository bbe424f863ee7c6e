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

"""The results of a run as messages: one a round, from the first that has a policy."""

from il_ros.evaluation.summary import summarise
import pytest
from run_of_two_rounds import states_of_a_run

pytest.importorskip('il_ros_interfaces', reason='needs il_ros_interfaces: make test')
from il_ros.ros.dagger.messages import round_summaries  # noqa: E402, I100


def after(stage: str):
    """Return the state of the run when a stage has just been finished."""
    return next(state for state in states_of_a_run() if [*state.finished][-1:] == [stage])


def test_a_finished_run_has_the_numbers_of_its_summary():
    state = states_of_a_run()[-1]
    summary = summarise(state, 80, 20.0)
    bc, *rounds = round_summaries(state)
    assert [one.round for one in (bc, *rounds)] == [0, 1, 2]
    assert (bc.labels, bc.policy_id, bc.evaluation_episodes) == (90, 7, 8)
    for message, document in zip(rounds, summary['rounds'], strict=True):
        for name in ('labels', 'queries', 'watched', 'expert_driven_steps',
                     'policy_driven_steps', 'takeovers', 'objects_lost'):
            assert getattr(message, name) == document[name], name
        success = document['success']
        assert (message.evaluation_episodes, message.successes) == (success['n'], success['k'])
        assert message.success_low == pytest.approx(success['low'], abs=1e-6)
        assert message.success_high == pytest.approx(success['high'], abs=1e-6)
        assert message.mistakes_per_step == pytest.approx(document['mistakes_per_step'])
        assert message.loss_held_out == pytest.approx(document['loss_held_out'])


def test_what_is_not_known_yet_has_the_values_that_say_so():
    assert round_summaries(states_of_a_run()[0]) == []
    *_, newest = round_summaries(after('r01-train'))
    assert (newest.round, newest.policy_id) == (1, 7)
    assert (newest.evaluation_episodes, newest.successes) == (0, 0)
    assert newest.mistakes_per_step == -1.0
    *_, newest = round_summaries(after('r01-aggregate'))
    assert newest.policy_id == 0 and newest.labels > 90
