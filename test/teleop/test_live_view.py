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

"""The live view: its words, and that it is drawn in place in a real terminal."""

import io
import os
import termios
import types

from il_ros.contract.episode_spec import BLENDED, ENDED, EXPERT, HOLD, POLICY, RUNNING
from il_ros.contract.episode_spec import TELEOP
from il_ros.teleop.live_view import LiveView, Session
from il_ros.teleop.screen import Screen
import pytest

ID = 'rollout-r01-000001'


def message(**fields):
    """Return something with the fields of a message."""
    return types.SimpleNamespace(**fields)


def status(phase=RUNNING, step=7, success=False):
    """Return the status of one episode."""
    return message(episode_id=ID, task='push', phase=phase, step=step, horizon=80,
                   success=success)


def receipt(number: int, success: bool, labels: int, flags: int = 0):
    """Return a receipt."""
    return message(spec=message(episode_id=f'demonstration-r00-{number:06d}'), success=success,
                   labels=labels, flags=flags, error_code=0)


@pytest.fixture
def view() -> LiveView:
    """Return a view of two streams, of which one must never rest."""
    return LiveView(('joint_states', 'teleop/action'), ('joint_states',))


def test_who_drives_and_how_far_it_is(view):
    view.status(status())
    for step, driver in enumerate([POLICY, TELEOP, TELEOP]):
        view.executed(message(episode_id=ID, driver=driver, limits=BLENDED * (step == 2)))
    text = '\n'.join(view.lines(0.0))
    assert f'{ID} (push) running, step 7 of 80, no success yet, 2 labels' in text
    assert 'drives   a person, blended' in text
    view.status(status(ENDED, 8, True))
    text = '\n'.join(view.lines(0.0))
    assert 'ended, step 8 of 80, success' in text and 'nobody: no episode is running' in text


def test_a_rate_is_counted_and_a_silence_is_named(view):
    for beat in range(40):
        view.hear('joint_states', 0.05 * beat)
    assert 'joint_states    20.0 Hz,  50 ms old' in '\n'.join(view.lines(2.0))
    assert 'SILENT for 1.0 s' in '\n'.join(view.lines(2.95))
    view.hear('teleop/action', 2.0)
    assert 'teleop/action' not in '\n'.join(view.lines(2.95))
    view.status(status())
    assert 'teleop/action  SILENT' in '\n'.join(view.lines(2.95))


def test_receipts_add_up_and_an_attempt_that_is_run_again_counts_once(view):
    for each in (receipt(1, False, 9), receipt(1, True, 30), receipt(2, False, 12, flags=8)):
        view.recorded(each)
    assert ('so far   2 episodes, 1 successes, 42 labels, 1 left out of training'
            in view.lines(0.0))


def test_trouble_and_nodes_that_are_gone_are_named(view):
    view.diagnostics('supervisor', False, 'emergency stop', {}, 0.0)
    view.diagnostics('teleop', True, 'idle, no person engaged',
                     {'device': 'joy', 'engaged': 'True', 'speed': '0.50', 'said': 'started'}, 0.0)
    text = '\n'.join(view.lines(0.5))
    assert 'trouble  supervisor: emergency stop' in text
    assert 'teleop   joy, engaged, speed 0.50; started' in text
    assert 'teleop: nothing heard for 4 s' in '\n'.join(view.lines(4.0))


def test_what_the_recorder_says_of_its_topics_is_shown_while_it_records(view):
    view.diagnostics('recorder', False, 'executed: 3 missing', {
        'recorded': '4', 'open': ID, 'observation.recorded': '50', 'observation.dropped': '0',
        'observation.rate_hz': '20.0', 'observation.largest_gap_s': '0.061',
        'executed.recorded': '0'}, 0.0)
    lines = view.lines(0.5)
    assert 'recorded observation    50, 0 dropped, 20.0 Hz, largest gap 0.061 s' in lines
    assert '         executed       0, 0 dropped, 0 Hz, largest gap 0 s' in lines
    assert 'trouble  recorder: executed: 3 missing' in lines
    view.diagnostics('recorder', True, 'idle', {'recorded': '5', 'open': ''}, 1.0)
    assert not [line for line in view.lines(1.5) if 'largest gap' in line]


def test_in_a_terminal_a_picture_is_drawn_over_the_last_and_obeys_nothing_in_it():
    master, slave = os.openpty()
    with os.fdopen(slave, 'w') as stream:
        screen = Screen(stream)
        screen.draw(['one', 'two \x1b[2J' + 'x' * 200])
        screen.draw(['three'])
        screen.draw(['three'])
        seen = ''
        while seen.count('\x1b[J') < 2:
            seen += os.read(master, 4096).decode()
    os.close(master)
    first, _, second = seen.partition('\x1b[2A')
    assert 'one' in first and '\x1b[2J' not in seen
    assert max(map(len, first.split('\r\n'))) < 90
    assert second.count('three') == 1 and second.endswith('\x1b[J')


def test_behind_a_pipe_it_is_plain_text():
    stream = io.StringIO()
    screen = Screen(stream)
    screen.draw(['one'])
    screen.draw(['one'])
    screen.draw(['two'])
    assert stream.getvalue() == 'one\n\ntwo\n\n'


def test_before_anything_is_heard_the_picture_says_so(view):
    assert view.lines(0.0) == [
        'episode  none yet', 'drives   nobody: no episode is running',
        'topics   joint_states   never heard', 'so far   0 episodes, 0 successes, 0 labels']
    assert view.session == Session(0, 0, 0, 0) == Session()


def test_labels_are_those_of_the_expert_and_of_persons_in_this_episode(view):
    view.status(status())
    for driver in (EXPERT, TELEOP, POLICY, HOLD):
        view.executed(message(episode_id=ID, driver=driver, limits=0))
    view.executed(message(episode_id='another', driver=EXPERT, limits=0))
    assert '2 labels by' in view.lines(0.0)[0]
    assert view.lines(0.0)[1] == 'drives   nobody, the arm holds'
    view.status(message(episode_id='b', task='push', phase=RUNNING, step=0, horizon=0,
                        success=False))
    assert view.lines(0.0)[:2] == [
        'episode  b (push) running, step 0, no success yet, 0 labels by expert or person',
        'drives   nobody: no episode is running']


def test_a_stream_is_silent_after_half_a_second(view):
    view.hear('joint_states', 1.0)
    assert '500 ms old' in view.lines(1.5)[2]
    assert view.lines(1.501)[2] == 'topics   joint_states   SILENT for 0.5 s'
    view.hear('teleop/action', 1.4)
    assert view.lines(1.5)[3].startswith('         teleop/action ')


def test_a_node_is_forgotten_after_three_seconds(view):
    view.diagnostics('observer', True, 'fine', {}, 0.0)
    view.diagnostics('actuator', False, 'cold', {}, 0.0)
    assert view.lines(3.0)[-1] == 'trouble  actuator: cold'
    assert view.lines(3.1)[-2:] == ['trouble  actuator: nothing heard for 3 s',
                                    'trouble  observer: nothing heard for 3 s']


def test_an_episode_with_an_error_or_a_flag_is_left_out_and_the_stage_is_shown(view):
    view.recorded(receipt(1, True, 3))
    assert view.lines(0.0)[-1] == 'so far   1 episodes, 1 successes, 3 labels'
    view.recorded(receipt(2, False, 4, flags=1))
    view.recorded(message(**{**vars(receipt(3, False, 0)), 'error_code': 7}))
    view.stage('round 1')
    assert view.session == Session(3, 1, 7, 2)
    assert view.lines(0.0)[-1] == 'run      round 1'


def test_what_teleop_does_not_say_is_unknown(view):
    view.diagnostics('teleop', True, 'idle', {'engaged': 'False'}, 0.0)
    assert view.lines(0.0)[-1] == 'teleop   ?, let go, speed ?'


class Unsized(io.StringIO):
    """A terminal that does not say how wide it is."""

    def isatty(self):
        """Say that it is one."""
        return True

    def fileno(self):
        """Say nothing."""
        raise OSError('no descriptor')


def test_lines_end_before_the_last_column():
    stream = Unsized()
    Screen(stream).draw(['x' * 100])
    assert stream.getvalue() == '\r\x1b[2K' + 'x' * 79 + '\r\n\x1b[J'
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (10, 20))
    with os.fdopen(slave, 'w') as terminal:
        Screen(terminal).draw(['y' * 100])
        assert os.read(master, 4096).count(b'y') == 19
    os.close(master)
