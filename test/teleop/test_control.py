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

"""What a person's commands turn into, for the episode on air."""

from il_ros.contract.episode_spec import ABORTED, ENDED, IDLE, RUNNING, TERMINATED
from il_ros.teleop.control import ControlError, EpisodeControl, Request
import pytest

ID = 'rollout-r01-000001'


@pytest.fixture
def running() -> EpisodeControl:
    """Return the control while an episode runs."""
    control = EpisodeControl()
    assert control.status(ID, RUNNING) and not control.status(ID, RUNNING)
    return control


def drive(control, pattern: str, first: int = 0):
    """Answer one step a letter: ``p`` for the person, ``-`` for nobody."""
    for step, who in enumerate(pattern, first):
        control.answered(ID, step, who == 'p')


def correction(control):
    """Return the steps that are discarded."""
    request, = control.requests('discard_correction')
    return request.first_step, request.last_step


@pytest.mark.parametrize('command, end, success', [
    ('success', TERMINATED, True), ('failure', TERMINATED, False), ('redo', ABORTED, False)])
def test_a_verdict_ends_the_running_episode(running, command, end, success):
    request, = running.requests(command)
    assert (request.service, request.episode_id) == ('end_episode', ID)
    assert (request.end, request.success) == (end, success)
    running.status(ID, ENDED)
    with pytest.raises(ControlError, match='has ended'):
        running.requests(command)


def test_start_is_refused_while_an_episode_runs(running):
    with pytest.raises(ControlError, match='is running already'):
        running.requests('start')
    running.status(ID, ENDED)
    assert running.requests('start')[0].service == 'start_episode'


def test_without_any_episode_there_is_nothing_to_judge():
    control = EpisodeControl()
    control.status('', IDLE)
    for command in ('success', 'discard', 'discard_correction', 'redo'):
        with pytest.raises(ControlError, match='no episode yet'):
            control.requests(command)


def test_a_discarded_attempt_is_marked_first_and_then_ended(running):
    mark, end = running.requests('discard')
    assert (mark.service, mark.first_step, mark.last_step) == ('discard', 0, 0)
    assert (end.service, end.end) == ('end_episode', TERMINATED)
    running.status(ID, ENDED)
    assert [request.service for request in running.requests('discard')] == ['discard']


@pytest.mark.parametrize('pattern, steps', [
    ('--ppp---', (2, 4)), ('-pp--ppp', (5, 7)), ('p', (0, 1)), ('ppp', (0, 2))])
def test_the_last_correction_is_discarded_from_its_takeover_on(running, pattern, steps):
    drive(running, pattern)
    assert correction(running) == steps
    with pytest.raises(ControlError, match='no correction'):
        running.requests('discard_correction')


def test_what_is_driven_on_after_a_discard_is_a_correction_of_its_own(running):
    drive(running, '--ppp')
    assert correction(running) == (2, 4)
    drive(running, 'pp', first=5)
    assert correction(running) == (5, 6)


def test_an_attempt_that_is_run_again_begins_anew(running):
    drive(running, '-ppp')
    running.status(ID, ENDED)
    assert running.status(ID, RUNNING)
    with pytest.raises(ControlError, match='no correction'):
        running.requests('discard_correction')


def test_a_start_names_no_episode_and_no_steps():
    assert EpisodeControl().requests('start') == (
        Request('start_episode', 'started', '', 0, False, 0, 0),)


def test_another_episode_begins_anew_even_if_the_end_of_the_last_was_not_heard(running):
    drive(running, 'pp')
    assert running.status('rollout-r01-000002', RUNNING)
    running.answered('rollout-r01-000002', 4, True)
    assert correction(running) == (4, 4)


def test_answers_for_another_episode_are_nobodys(running):
    running.answered('rollout-r01-000002', 0, True)
    with pytest.raises(ControlError, match='no correction'):
        running.requests('discard_correction')


@pytest.mark.parametrize('command, words', [
    ('success', 'end as a success'), ('failure', 'end as a failure'), ('redo', 'do once more'),
    ('discard', 'discard')])
def test_what_is_done_is_said(running, command, words):
    said = running.requests(command)[0].said
    assert words in said and ID in said
    with pytest.raises(ControlError, match=f'nothing to {words}'):
        EpisodeControl().requests(command)


def test_a_command_for_an_ended_episode_is_said_to_be_late(running):
    running.status(ID, IDLE)
    assert running.requests('discard')[0].said == f'{ID} is discarded'
    assert not running.requests('discard')[0].success
