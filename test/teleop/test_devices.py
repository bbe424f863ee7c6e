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

"""Gamepad and keyboard as inputs: who drives, how far, and which commands were given."""

from il_ros.files.share import share_path
from il_ros.teleop.joystick import Joystick
from il_ros.teleop.keyboard import help_of, Keyboard
from il_ros.teleop.mapping import Axis, Button, JoyMapping, KeyMapping, load_joy_mapping
from il_ros.teleop.mapping import load_key_mapping, Sides
import pytest
import yaml

TIMEOUT_S = 0.25


def joy(axes=(), **buttons):
    """Return axes and buttons of a gamepad with the Xbox layout."""
    names = {'a': 0, 'b': 1, 'y': 3, 'dead_man': 5, 'start': 7}
    pressed = [0] * 11
    for name, down in buttons.items():
        pressed[names[name]] = down
    return [*axes, *[0.0] * (8 - len(axes))], pressed


@pytest.fixture
def joystick() -> Joystick:
    """Return a gamepad that is there since the time 0, with nothing pressed."""
    made = Joystick(load_joy_mapping('xbox'), TIMEOUT_S)
    made.hear(*joy(), 0.0)
    return made


def test_the_person_drives_while_the_button_is_held(joystick):
    assert not joystick.engaged(0.1)
    joystick.hear(*joy(dead_man=1), 0.1)
    assert joystick.engaged(0.1) and joystick.engaged(0.1 + TIMEOUT_S)
    joystick.hear(*joy(), 0.2)
    assert not joystick.engaged(0.2)


def test_a_silent_gamepad_has_let_go_and_after_a_long_silence_has_to_be_pressed_anew(joystick):
    joystick.hear(*joy(dead_man=1), 0.1)
    assert not joystick.engaged(0.1 + TIMEOUT_S + 1e-6)
    joystick.hear(*joy(dead_man=1), 0.5)
    assert joystick.engaged(0.5)
    joystick.hear(*joy(dead_man=1), 1.6)
    assert not joystick.engaged(1.6)
    joystick.hear(*joy(), 1.7)
    joystick.hear(*joy(dead_man=1), 1.8)
    assert joystick.engaged(1.8)


def test_a_button_that_is_down_when_the_gamepad_appears_was_not_pressed():
    fresh = Joystick(load_joy_mapping('xbox'), TIMEOUT_S)
    assert fresh.hear(*joy(dead_man=1, start=1), 5.0) == []
    assert not fresh.engaged(5.0)


def test_a_command_counts_once_when_its_button_goes_down(joystick):
    assert joystick.hear(*joy(start=1), 0.1) == ['start']
    assert joystick.hear(*joy(start=1, b=1), 0.2) == ['failure']
    assert joystick.hear(*joy(), 0.3) == []
    cross_up = [0.0] * 7 + [1.0]
    assert joystick.hear(*joy(cross_up), 0.4) == ['faster']
    assert joystick.hear(*joy([0.0] * 7 + [-1.0]), 0.5) == ['slower']


@pytest.mark.parametrize('stick, deflection', [
    (0.0, 0.0), (0.1, 0.0), (-0.1, 0.0), (1.0, 1.0), (-1.0, -1.0), (0.55, 0.5), (7.0, 1.0)])
def test_a_stick_counts_from_its_dead_zone_on(joystick, stick, deflection):
    joystick.hear(*joy([0.0, stick]), 0.1)
    assert joystick.deflections(0.1)['linear_x'] == pytest.approx(deflection)


@pytest.mark.parametrize('axes, buttons, problem', [
    ([0.0] * 4, [0] * 11, 'wants axis 7 for faster, but this gamepad has 4'),
    ([0.0] * 8, [0] * 4, 'wants button 5 for dead_man, but this gamepad has 4'),
    ([float('nan')] * 8, [0] * 11, 'not finite')])
def test_a_gamepad_that_does_not_fit_drives_nothing_and_is_named(joystick, axes, buttons, problem):
    joystick.hear(*joy(dead_man=1), 0.1)
    assert joystick.hear(axes, buttons, 0.2) == []
    assert problem in joystick.problem and not joystick.engaged(0.2)
    joystick.hear(*joy(), 0.3)
    assert joystick.problem == ''


@pytest.fixture
def keyboard() -> Keyboard:
    """Return the shipped keyboard."""
    return Keyboard(load_key_mapping('keyboard'))


def toggling(folder) -> Keyboard:
    """Return a keyboard that toggles."""
    shipped = yaml.safe_load((folder / 'shipped.yaml').read_text())
    (folder / 'toggle.yaml').write_text(yaml.safe_dump({**shipped, 'dead_man': 'toggle'}))
    return Keyboard(load_key_mapping(str(folder / 'toggle.yaml')))


def test_a_key_drives_for_its_time_from_the_press_on(keyboard):
    assert not keyboard.engaged(1.0)
    assert keyboard.hear('w', 1.0) == []
    assert keyboard.engaged(1.0) and keyboard.deflections(1.0)['linear_x'] == 1.0
    assert keyboard.engaged(1.3) and not keyboard.engaged(1.31)
    keyboard.hear('wd', 2.0)
    assert keyboard.deflections(2.0) == {'linear_x': 1.0, 'linear_y': -1.0, 'linear_z': 0.0,
                                         'angular_z': 0.0}
    keyboard.hear('s', 2.1)
    assert keyboard.deflections(2.1)['linear_x'] == -1.0


def test_space_lets_go_at_once_and_a_lost_terminal_too(keyboard):
    for release in (lambda: keyboard.hear(' ', 1.1), keyboard.release):
        keyboard.hear('w', 1.0)
        release()
        assert not keyboard.engaged(1.1)


def test_a_toggled_keyboard_holds_still_between_keys(tmp_path):
    (tmp_path / 'shipped.yaml').write_text(
        share_path('config', 'teleop', 'keyboard.yaml').read_text())
    keyboard = toggling(tmp_path)
    keyboard.hear('w', 0.0)
    assert not keyboard.engaged(0.0)
    keyboard.hear(' w', 1.0)
    assert keyboard.engaged(60.0)
    assert keyboard.deflections(1.1)['linear_x'] == 1.0
    assert keyboard.deflections(1.5)['linear_x'] == 0.0
    keyboard.hear(' ', 2.0)
    assert not keyboard.engaged(2.0)
    assert 'take over, let go' in help_of(keyboard.mapping)


@pytest.mark.parametrize('pieces', [
    ['\x1b[A'], ['\x1b', '[A'], ['\x1b[', 'A'], ['\x1bOA'], ['\x1b[5~\x1b[A'], ['%\x1b[A']])
def test_an_arrow_key_is_understood_however_it_is_cut(keyboard, pieces):
    for piece in pieces:
        assert keyboard.hear(piece, 1.0) == []
    assert keyboard.deflections(1.0) == {'linear_x': 1.0, 'linear_y': 0.0, 'linear_z': 0.0,
                                         'angular_z': 0.0}


def test_keys_give_commands_in_order_and_unknown_ones_nothing(keyboard):
    assert keyboard.hear('\rZy+\n', 0.0) == ['start', 'success', 'faster', 'start']


def test_the_help_names_every_command_and_says_what_the_dead_man_is(keyboard):
    text = help_of(keyboard.mapping)
    for word in ('linear_x', 'discard correction', 'enter', 'gripper', 'space', '0.3 s'):
        assert word in text


def test_a_gamepad_is_a_new_one_after_more_than_a_second():
    for silence_s, there in ((1.0, True), (1.001, False)):
        made = Joystick(load_joy_mapping('xbox'), 2.0)
        made.hear(*joy(), 0.0)
        assert made.hear(*joy(start=1, dead_man=1), silence_s) == (['start'] if there else [])
        assert made.engaged(silence_s) is there


def test_who_held_the_button_while_the_gamepad_did_not_fit_has_to_press_anew(joystick):
    joystick.hear(*joy(dead_man=1), 0.1)
    joystick.hear([], [], 0.2)
    joystick.hear(*joy(dead_man=1), 0.3)
    assert not joystick.engaged(0.3)
    joystick.hear(*joy(), 0.4)
    joystick.hear(*joy(dead_man=1), 0.5)
    assert joystick.engaged(0.5)


@pytest.mark.parametrize('sign', [1, -1])
def test_an_axis_counts_as_pressed_beyond_half_way(sign):
    made = Joystick(JoyMapping('mine', Button(axis=1, sign=sign), {'linear_x': Axis(0, -0.5)},
                               dead_zone=0.0), TIMEOUT_S)
    for value, pressed in ((0.0, False), (0.5, False), (0.51, True), (-1.0, False)):
        made.hear([1.0, sign * value], [], 0.1)
        assert made.engaged(0.1) is pressed
    assert made.problem == '' and made.deflections(0.1) == {'linear_x': -0.5}
    made.hear([0.25], [], 0.2)
    assert made.problem == ('mapping mine wants axis 1 for dead_man, but this gamepad has 1 '
                            '(axis 0 to 0)')


def test_a_gamepad_with_just_the_buttons_and_axes_of_the_mapping_fits():
    made = Joystick(JoyMapping('mine', Button(1), {'linear_x': Axis(0)}), TIMEOUT_S)
    made.hear([0.2], [0, 0], 0.0)
    assert made.problem == ''
    assert made.deflections(0.0)['linear_x'] == pytest.approx(0.1 / 0.9)
    made.hear([0.0], [0], 0.1)
    assert 'wants button 1 for dead_man, but this gamepad has 1 (button 0 to 0)' in made.problem


def test_before_a_gamepad_was_heard_nobody_drives():
    assert Joystick(load_joy_mapping('xbox'), TIMEOUT_S).engaged(0.0) is False


def test_of_two_keys_for_one_axis_the_later_counts_and_the_other_never_comes_back(keyboard):
    keyboard.hear('s', 1.0)
    keyboard.hear('w', 1.1)
    assert keyboard.deflections(1.1)['linear_x'] == 1.0
    keyboard.hear('s', 1.2)
    assert [keyboard.deflections(now_s)['linear_x'] for now_s in (1.2, 1.5, 1.51)] == [-1, -1, 0]
    assert keyboard.engaged(1.5) is True and keyboard.engaged(1.51) is False


def test_a_lost_terminal_lets_go_of_a_toggled_keyboard(tmp_path):
    (tmp_path / 'shipped.yaml').write_text(
        share_path('config', 'teleop', 'keyboard.yaml').read_text())
    keyboard = toggling(tmp_path)
    keyboard.hear(' ', 0.0)
    assert keyboard.engaged(0.0) is True
    keyboard.release()
    assert keyboard.engaged(0.0) is False


def test_the_help_has_a_line_for_each_axis_and_command(keyboard):
    lines = help_of(keyboard.mapping).splitlines()
    assert lines[0] == 'Keys (Ctrl-C ends):'
    assert lines[-2] == '  let go               space'
    assert lines[-1] == 'You drive while keys come, and let go 0.3 s after the last one.'
    assert len(lines) == 3 + len(keyboard.mapping.axes) + len(keyboard.mapping.commands)
    only = KeyMapping('mine', {'linear_x': Sides(('w',), ('s',))}, (' ',))
    assert help_of(only).splitlines()[1:-1] == [
        '  linear_x             more: w              less: s', '  let go               space']


def test_the_beginning_of_an_arrow_is_no_key_of_its_own():
    mapping = KeyMapping('mine', {'linear_x': Sides(('w',), ('s',))}, ('[',), dead_man='toggle')
    keyboard = Keyboard(mapping)
    keyboard.hear('\x1b[', 1.0)
    assert not keyboard.engaged(1.0)
    keyboard.hear('A[', 1.0)
    assert keyboard.engaged(1.0)


def test_a_gamepad_is_silent_after_its_timeout_and_not_at_it(joystick):
    joystick.hear(*joy(dead_man=1), 1.0)
    joystick.hear(*joy(), 1.5)
    joystick.hear(*joy(dead_man=1), 2.0)
    assert joystick.engaged(2.25) and not joystick.engaged(2.251)
