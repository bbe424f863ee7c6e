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

"""Mappings of buttons, sticks and keys: the shipped ones, and the refusal of wrong ones."""

from il_ros.contract.contract import ActionElement, Contract, TOOL_VELOCITY
from il_ros.files.share import share_path
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.registry import TASKS
from il_ros.teleop.mapping import Button, COMMANDS, GRIPPER, HELD, load_joy_mapping
from il_ros.teleop.mapping import load_key_mapping, MappingError, Sides
from il_ros.teleop.steering import Steering
import numpy as np
import pytest
import yaml

CONTRACTS = [*TASKS, *(f'{task}_image' for task in TASKS)]
JOY = yaml.safe_load(share_path('config', 'teleop', 'xbox.yaml').read_text())
KEYS = yaml.safe_load(share_path('config', 'teleop', 'keyboard.yaml').read_text())


def contract_of(task: str):
    """Return the contract of a task."""
    return find_contract(task)[0]


def written(folder, document) -> str:
    """Write a mapping and return its path."""
    path = folder / 'mapping.yaml'
    path.write_text(yaml.safe_dump(document))
    return str(path)


@pytest.mark.parametrize('name', ['xbox', 'game_controller'])
def test_a_shipped_gamepad_has_every_command_and_no_button_twice(name):
    mapping = load_joy_mapping(name)
    assert set(mapping.commands) == {*COMMANDS, GRIPPER}
    buttons = [mapping.dead_man, *mapping.commands.values()]
    assert len(set(buttons)) == len(buttons)


def test_the_shipped_keyboard_has_every_command_and_a_real_dead_man():
    mapping = load_key_mapping('keyboard')
    assert set(mapping.commands) == {*COMMANDS, GRIPPER}
    assert (mapping.dead_man, mapping.timeout_s) == (HELD, 0.3)


@pytest.mark.parametrize('contract', CONTRACTS)
@pytest.mark.parametrize('load, name', [
    (load_joy_mapping, 'xbox'), (load_joy_mapping, 'game_controller'),
    (load_key_mapping, 'keyboard')])
def test_a_shipped_mapping_serves_every_task(load, name, contract):
    mapping = load(name)
    Steering(contract_of(contract), mapping.axes, True, mapping.speed, name)


@pytest.mark.parametrize('change, named', [
    ({'dead_man': {'button': -1}}, 'dead_man.button is -1; expected an index from 0 to 63'),
    ({'dead_man': 5}, 'dead_man is 5; expected a mapping with keys of button, axis'),
    ({'dead_man': {'axis': 2}}, 'dead_man is .* expected .*sign: 1 or -1'),
    ({'axes': {}}, 'axes is {}; expected a mapping by the names of actions'),
    ({'axes': {'linear_x': {'axis': 0, 'scale': 2.0}}}, r'axes.linear_x.scale is 2.0; expected'),
    ({'axes': {'linear_x': {'axis': 'left'}}}, "axes.linear_x.axis is 'left'"),
    ({'dead_zone': 1.0}, 'dead_zone is 1.0; expected a number in'),
    ({'speed': float('nan')}, 'speed is nan; expected a finite number'),
    ({'commands': {'jump': {'button': 1}}}, "commands has the unknown key 'jump'; known"),
    ({'colour': 1}, "mapping.yaml: unknown key 'colour'; known")])
def test_what_is_wrong_in_a_gamepads_mapping_is_named(tmp_path, change, named):
    with pytest.raises(MappingError, match=named):
        load_joy_mapping(written(tmp_path, {**JOY, **change}))


@pytest.mark.parametrize('change, named', [
    ({'dead_man': 'pedal'}, "dead_man is 'pedal'; expected held or toggle"),
    ({'timeout_s': 9.0}, 'timeout_s is 9.0; expected seconds'),
    ({'stop': 'space'}, "stop is 'space'; expected a list of keys"),
    ({'stop': ['F1']}, "stop is 'F1'; expected one character, or space"),
    ({'stop': ['w']}, "a key is 'w'; expected each key once"),
    ({'axes': {'linear_x': {'positive': ['w']}}}, 'axes.linear_x.negative is missing')])
def test_what_is_wrong_in_a_keyboards_mapping_is_named(tmp_path, change, named):
    with pytest.raises(MappingError, match=named):
        load_key_mapping(written(tmp_path, {**KEYS, **change}))


def test_a_mapping_that_is_not_there_or_no_yaml_is_refused_by_name(tmp_path):
    with pytest.raises(MappingError, match='mapping arcade: config/teleop/arcade.yaml is in none'):
        load_joy_mapping('arcade')
    (tmp_path / 'mapping.yaml').write_text('{')
    with pytest.raises(MappingError, match='cannot be read'):
        load_key_mapping(str(tmp_path / 'mapping.yaml'))


def test_an_action_without_an_axis_is_named():
    with pytest.raises(MappingError, match='nothing for linear_z, gripper, which .* pick_place'):
        Steering(contract_of('pick_place'), {'linear_x', 'linear_y'}, False, 0.5, 'mine')


def test_full_deflection_is_the_speeds_share_of_the_bound_and_nothing_is_zero():
    steering = Steering(contract_of('push'), {'linear_x', 'linear_y'}, False, 0.5, 'mine')
    assert steering.action({'linear_x': 1.0, 'linear_y': -0.5}).tolist() == [0.25, -0.125]
    assert steering.change('faster') and steering.speed == 0.625
    assert steering.action({}).tolist() == [0.0, 0.0]
    for _ in range(30):
        steering.change('faster')
    assert steering.action({'linear_x': -1.0})[0] == -0.5


def test_the_grip_is_kept_at_a_takeover_until_it_is_toggled():
    contract = contract_of('pick_place')
    steering = Steering(contract, {'linear_x', 'linear_y', 'linear_z'}, True, 0.5, 'mine')
    opened, closed = contract.upper[3], contract.lower[3]
    assert steering.action({})[3] == opened
    steering.follow(np.array([0.0, 0.0, 0.0, closed], np.float32))
    assert steering.action({})[3] == closed
    assert steering.change(GRIPPER) and steering.action({})[3] == opened
    steering.change(GRIPPER)
    steering.restart()
    assert steering.action({})[3] == opened


@pytest.mark.parametrize('change', [
    {'dead_man': {'button': 0}}, {'dead_man': {'button': 63}},
    {'dead_man': {'axis': 0, 'sign': -1}},
    {'axes': {'linear_x': {'axis': 0, 'scale': -1.0}}}, {'dead_zone': 0.0}, {'speed': 1.0}])
def test_a_gamepads_mapping_at_the_ends_of_its_bounds_is_taken(tmp_path, change):
    assert load_joy_mapping(written(tmp_path, {**JOY, **change}))


@pytest.mark.parametrize('change', [
    {'dead_man': {'button': 64}}, {'dead_man': {'button': 1, 'axis': 1, 'sign': 1}},
    {'dead_man': {'button': 1, 'sign': 1}}, {'dead_man': {'axis': 1, 'sign': 2}},
    {'dead_man': {}}, {'axes': {'linear_x': {'axis': 0, 'scale': 0.0}}},
    {'axes': {'linear_x': {'axis': 0, 'scale': -1.1}}}, {'dead_zone': -0.1}, {'speed': 0.0},
    {'speed': 1.1}])
def test_a_gamepads_mapping_beyond_its_bounds_is_refused(tmp_path, change):
    with pytest.raises(MappingError):
        load_joy_mapping(written(tmp_path, {**JOY, **change}))


@pytest.mark.parametrize('change, taken', [
    ({'timeout_s': 0.05}, True), ({'timeout_s': 2.0}, True), ({'timeout_s': 0.04}, False),
    ({'timeout_s': 2.1}, False), ({'stop': ['x']}, True), ({'stop': ['xx']}, False),
    ({'stop': ['\t']}, False), ({'stop': []}, False), ({'stop': ['x', 'c']}, True),
    ({'stop': ['x', 'x']}, False)])
def test_a_keyboards_mapping_has_its_bounds(tmp_path, change, taken):
    path = written(tmp_path, {**KEYS, 'axes': {'linear_x': {'positive': ['w'], 'negative': ['s']}},
                              'commands': {}, 'gripper': ['g'], **change})
    if taken:
        made = load_key_mapping(path)
        assert made.commands == {GRIPPER: ('g',)}
        assert made.axes['linear_x'] == Sides(('w',), ('s',))
    else:
        with pytest.raises(MappingError):
            load_key_mapping(path)


def test_what_a_mapping_does_not_say_is_the_usual(tmp_path):
    axes = {'linear_x': {'axis': 2}}
    made = load_joy_mapping(written(tmp_path, {'dead_man': {'axis': 3, 'sign': 1}, 'axes': axes}))
    assert (made.dead_zone, made.speed, made.axes['linear_x'].scale) == (0.1, 0.5, 1.0)
    assert (made.gripper, made.commands, made.dead_man.index) == (None, {}, 3)
    assert (Button(4).index, Button(4).sign, Button(axis=0, sign=1).index) == (4, 0, 0)
    keys = {'axes': {'linear_x': {'positive': ['up'], 'negative': ['down']}}, 'stop': ['space']}
    typed = load_key_mapping(written(tmp_path, keys))
    assert (typed.timeout_s, typed.speed, typed.dead_man) == (0.3, 0.3, HELD)
    assert (typed.stop, typed.axes['linear_x'].positive) == ((' ',), ('\x1b[A',))


HAND_FIRST = Contract('mine', 20.0, (), TOOL_VELOCITY, 'base', (
    ActionElement('gripper_opening', 'm', 0.0, 0.5), ActionElement('linear_x', 'm/s', -0.25, 0.5)))


def test_a_hand_that_comes_first_is_opened_closed_and_followed_as_any_other():
    with pytest.raises(MappingError, match='nothing for gripper, which'):
        Steering(HAND_FIRST, {'linear_x'}, False, 0.5, 'mine')
    steering = Steering(HAND_FIRST, {'linear_x'}, True, 1.0, 'mine')
    assert steering.action({'linear_x': 1.0}).tolist() == [0.5, 0.5]
    assert steering.action({'linear_x': -1.0}).tolist() == [0.5, -0.25]
    assert steering.change('gripper') is True
    assert steering.action({}).tolist() == [0.0, 0.0]
    for width, opening in ((0.26, 0.5), (0.25, 0.0), (0.5, 0.5), (0.0, 0.0)):
        steering.follow(np.array([width, 0.0]))
        assert steering.action({})[0] == opening
    steering.follow(np.array([]))
    assert steering.action({})[0] == 0.0
    steering.follow(np.array([0.5]))
    assert steering.action({})[0] == 0.5


def test_without_a_hand_its_command_changes_nothing():
    steering = Steering(contract_of('push'), {'linear_x', 'linear_y'}, False, 0.5, 'mine')
    assert steering.change('gripper') and steering.change('start') is False
    steering.follow(np.array([0.0, 1.0], np.float32))
    steering.restart()
    assert steering.action({}).tolist() == [0.0, 0.0]


def test_the_speed_goes_by_quarters_between_a_fiftieth_and_all():
    steering = Steering(contract_of('push'), {'linear_x', 'linear_y'}, False, 0.5, 'mine')
    assert steering.change('slower') is True and steering.speed == 0.4
    for command, bound in (('slower', 0.02), ('faster', 1.0)):
        for _ in range(30):
            steering.change(command)
        assert steering.speed == bound
