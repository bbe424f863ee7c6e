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

"""An episode that a person judges: steps by beats, the time limit, each end said with a state."""

from il_ros.contract.episode_spec import ABORTED, ENDED, EpisodeSpec, IDLE, LOST, NOT_ENDED
from il_ros.contract.episode_spec import OPERATOR, RUNNING, TERMINATED, TRUNCATED
from il_ros.tasks.operator_session import OperatorSession
from il_ros.tasks.protocol import BadTaskSpecError, NotRunningError, TaskBusyError
import pytest


def spec(episode_id: str = 'a', **fields) -> EpisodeSpec:
    """Return the specification of an episode."""
    return EpisodeSpec(episode_id, 'demo', **{'task': 'cups', **fields})


@pytest.fixture
def session() -> OperatorSession:
    """Return a session without an episode, whose time limit is three steps."""
    return OperatorSession('cups', 3)


def beats(session: OperatorSession, count: int) -> list[tuple[int, int]]:
    """Return phase and step at each of the next beats."""
    said = []
    for _ in range(count):
        session.beat(session.stamp_ns + 50)
        said.append((session.status.phase, session.status.step))
    return said


def test_every_beat_is_a_step_from_the_first_one_after_the_reset(session):
    assert beats(session, 2) == [(IDLE, 0)] * 2
    assert session.reset(spec())
    assert session.unsaid
    assert beats(session, 5) == [(RUNNING, 0), (RUNNING, 1), (RUNNING, 2), (ENDED, 3), (ENDED, 3)]
    assert (session.status.end, session.status.success) == (TRUNCATED, False)
    assert session.stamp_ns == 7 * 50


def test_an_episode_may_have_a_time_limit_of_its_own(session):
    session.reset(spec(horizon=1))
    assert beats(session, 2) == [(RUNNING, 0), (ENDED, 1)]


@pytest.mark.parametrize('end, cause, success', [
    (TERMINATED, OPERATOR, True), (TERMINATED, LOST, False), (ABORTED, OPERATOR, False)])
def test_the_word_of_a_person_is_said_with_the_next_state(session, end, cause, success):
    session.reset(spec())
    beats(session, 2)
    session.finish('a', end, cause, success, 'because')
    assert session.unsaid
    assert beats(session, 2) == [(ENDED, 2)] * 2
    status = session.status
    assert (status.end, status.cause, status.success, status.reason) == (
        end, cause, success, 'because')


def test_the_same_reset_twice_is_one_and_another_one_waits_for_the_end(session):
    assert session.reset(spec()) and not session.reset(spec())
    with pytest.raises(TaskBusyError, match='episode a is running; end it before b'):
        session.reset(spec('b'))
    session.finish('a', ABORTED, OPERATOR, False)
    with pytest.raises(NotRunningError):
        session.finish('a', ABORTED, OPERATOR, False)
    beats(session, 1)
    assert session.reset(spec())
    assert beats(session, 1) == [(RUNNING, 0)]
    assert session.status.end == NOT_ENDED


@pytest.mark.parametrize('fields, sentence', [
    ({'task': 'push'}, "task is 'push'; this arm is for 'cups'"),
    ({'continuing': True}, 'continuing is true'),
    ({'options': '{"bumps":1}'}, 'a real arm has none')])
def test_what_no_person_can_do_is_refused(session, fields, sentence):
    with pytest.raises(BadTaskSpecError, match=sentence):
        session.reset(spec(**fields))
    assert session.status.phase == IDLE
