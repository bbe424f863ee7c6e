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

"""The task's side of lockstep: its time, which commands count, how episodes begin and end."""

from types import SimpleNamespace

from il_ros.contract.episode_spec import ABORTED, DRIVER_SILENT, ENDED, EpisodeSpec, FAULT, IDLE
from il_ros.contract.episode_spec import RUNNING
from il_ros.errors import ImitationError
from il_ros.sim.session import Session
from il_ros.sim.simulation import Simulation as PandaSimulation
from il_ros.tasks.protocol import BadTaskSpecError, NotRunningError, OtherEpisodeError
from il_ros.tasks.protocol import TaskBusyError
import numpy as np
import pytest

DT_NS = 50_000_000
START_NS = 1_000_000_007


class Refused(ImitationError):
    """The fake's word on bad targets and options."""


class Simulation:
    """An arm that is where it is sent, and truncates at its horizon."""

    task = SimpleNamespace(name='push')
    dt_ns = DT_NS

    def reset(self, seed, horizon=0, continuing=False, options=''):
        """Start an episode."""
        if options:
            raise Refused('task push has no option x')
        self._step, self._horizon, self.seed = 0, horizon or 80, seed
        return self._state(np.zeros(9))

    def step(self, targets):
        """Go on by one step."""
        if not np.isfinite(targets).all():
            raise Refused('targets are not finite')
        self._step += 1
        return self._state(targets)

    def _state(self, joints):
        return SimpleNamespace(
            joint_position=joints, step=self._step, horizon=self._horizon, success=False,
            end=2 if self._step >= self._horizon else 0, cause=0, goals_reached=0)


def spec(episode_id: str = 'a', **fields) -> EpisodeSpec:
    """Return the specification of a short episode."""
    return EpisodeSpec(episode_id, 'demo', **{'task': 'push', 'horizon': 3, **fields})


@pytest.fixture
def session() -> Session:
    """Return a session without an episode."""
    return Session(Simulation(), START_NS)


def test_before_the_first_reset_there_is_no_episode_and_no_command_counts(session):
    assert (session.status.phase, session.status.episode_id) == (IDLE, '')
    assert not session.is_due(START_NS)
    assert session.stale_commands == 1


def test_time_goes_on_by_whole_periods_through_steps_ends_and_resets(session):
    stamps = [session.stamp_ns]
    for name in ('a', 'b', 'c'):
        session.reset(spec(name))
        stamps.append(session.stamp_ns)
        while session.status.phase == RUNNING:
            session.step(np.zeros(9))
            stamps.append(session.stamp_ns)
    assert stamps == [START_NS + number * DT_NS for number in range(len(stamps))]
    assert len(stamps) == 1 + 3 * 4


def test_only_the_present_stamp_is_due_and_all_others_are_counted(session):
    session.reset(spec())
    now_ns = session.stamp_ns
    assert session.is_due(now_ns)
    for other_ns in (now_ns - 1, now_ns + 1, 0, now_ns - DT_NS):
        assert not session.is_due(other_ns)
    session.step(np.zeros(9))
    assert not session.is_due(now_ns)
    assert session.stale_commands == 5


def test_the_last_state_is_ended_and_takes_no_command(session):
    session.reset(spec(horizon=1))
    session.step(np.zeros(9))
    assert (session.status.phase, session.status.step, session.status.end) == (ENDED, 1, 2)
    assert not session.is_due(session.stamp_ns)


def test_a_reset_is_idempotent_at_step_0_and_refused_while_running(session):
    assert session.reset(spec())
    stamp_ns = session.stamp_ns
    assert not session.reset(spec())
    assert session.stamp_ns == stamp_ns
    with pytest.raises(TaskBusyError, match='episode a is running; end it before b'):
        session.reset(spec('b'))
    session.step(np.zeros(9))
    with pytest.raises(TaskBusyError):
        session.reset(spec())
    assert session.status.step == 1


def test_another_specification_under_the_same_id_is_refused_while_running(session):
    session.reset(spec())
    with pytest.raises(TaskBusyError):
        session.reset(spec(seed=9))


@pytest.mark.parametrize('fields, sentence', [
    ({'task': 'moon'}, "task is 'moon'; this simulator runs 'push'"),
    ({'options': '{"x":1}'}, 'has no option x')])
def test_what_the_task_cannot_run_is_refused_and_the_state_stays(session, fields, sentence):
    session.reset(spec(horizon=1))
    session.step(np.zeros(9))
    before = (session.stamp_ns, session.status)
    with pytest.raises(BadTaskSpecError, match=sentence):
        session.reset(spec('b', **fields))
    assert (session.stamp_ns, session.status) == before


def test_refused_targets_leave_time_and_state(session):
    session.reset(spec())
    before = (session.stamp_ns, session.status, session.state)
    with pytest.raises(Refused):
        session.step(np.full(9, np.nan))
    assert (session.stamp_ns, session.status, session.state) == before
    assert session.is_due(session.stamp_ns)


def test_an_end_from_outside_is_one_more_state_with_its_reason(session):
    session.reset(spec())
    session.step(np.ones(9))
    stamp_ns = session.stamp_ns
    session.finish('a', ABORTED, DRIVER_SILENT, False, 'policy is silent')
    status = session.status
    assert (status.phase, status.step, status.end, status.cause, status.reason) == (
        ENDED, 2, ABORTED, DRIVER_SILENT, 'policy is silent')
    assert session.stamp_ns == stamp_ns + DT_NS
    np.testing.assert_array_equal(session.state.joint_position, np.ones(9))
    session.reset(spec('b'))
    assert session.status.reason == ''


@pytest.mark.parametrize('end, cause, sentence', [
    (0, 0, 'end is 0; expected 1 .terminated.'), (77, 0, 'end is 77'), (3, 77, 'cause is 77')])
def test_an_end_that_is_none_is_refused_and_the_episode_goes_on(session, end, cause, sentence):
    session.reset(spec())
    with pytest.raises(BadTaskSpecError, match=sentence):
        session.finish('a', end, cause, False)
    assert session.status.phase == RUNNING


def test_texts_of_an_end_are_cut_to_a_length_that_every_status_can_carry(session):
    session.reset(spec())
    with pytest.raises(OtherEpisodeError) as refused:
        session.finish('b' * 1_000_000, ABORTED, FAULT, False)
    assert len(str(refused.value)) < 200
    session.finish('a', ABORTED, FAULT, False, 'x' * 1_000_000)
    assert session.status.reason == 'x' * 500


def test_in_realtime_the_arm_is_at_rest_after_the_last_state_of_an_episode():
    push = PandaSimulation('push')
    session = Session(push, START_NS)
    session.reset(spec(horizon=2))
    while session.status.phase == RUNNING:
        session.step(session.state.joint_position + 0.01)
    moving = session.state
    assert moving.joint_velocity.any()
    session.beat(START_NS + DT_NS)
    assert session.state is moving, 'the state of the end is the one that was measured'
    for _ in range(2):
        session.rest(START_NS + 2 * DT_NS)
        assert not session.state.joint_velocity.any()
        np.testing.assert_array_equal(session.state.joint_position, moving.joint_position)
    push.close()


def test_only_the_episode_that_runs_can_be_ended(session):
    with pytest.raises(NotRunningError):
        session.finish('a', ABORTED, 0, False)
    session.reset(spec())
    with pytest.raises(OtherEpisodeError, match="episode a is running, not 'b'"):
        session.finish('b', ABORTED, 0, False)
    assert session.status.phase == RUNNING


def test_in_realtime_the_stamps_are_the_clocks_but_never_go_back(session):
    session.reset(spec(), START_NS + 5)
    assert session.stamp_ns == START_NS + 5
    session.step(np.zeros(9), START_NS + 60_000_000)
    assert session.stamp_ns == START_NS + 60_000_000
    for _ in range(2):
        before_ns = session.stamp_ns
        session.step(np.zeros(9), START_NS)
        assert session.stamp_ns == before_ns + 1
    session.beat(START_NS)
    assert session.stamp_ns == before_ns + 2
