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

"""What drivers refuse to answer: observations of another contract, frame, width, or with NaN."""

import types

from il_ros.contract.episode_spec import EXPERT, POLICY, RUNNING, TELEOP
from il_ros.driving.playback import Playback
from il_ros.graph.replay import ReplayNode
from il_ros.nodes.expert import ExpertNode
from il_ros.nodes.policy import PolicyNode
from il_ros.nodes.teleop import TeleopNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_to_message, float32s, to_stamp
from il_ros.ros.refusals import refusals_of
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.msg import Action, Contract, Drive, Observation
import numpy as np
import pytest
from test_policy_node import save

CONTRACT, _ = find_contract('reach')
ZEROS = float32s(np.zeros(CONTRACT.width))
DRIVERS = {
    'policy': (PolicyNode, {}, POLICY), 'expert': (ExpertNode, {'task': 'reach'}, EXPERT),
    'teleop': (TeleopNode, {'mode': 'lockstep', 'scripted': True}, TELEOP),
    'replay': (ReplayNode, {}, POLICY)}
DEFECTS = {
    'contract': ({'contract_id': 12345}, 'contract_id is 12345; expected'),
    'frame': ({'frame_id': 'camera'}, "frame_id is 'camera'; expected 'panda_link0'"),
    'no values': ({'values': []}, f'values has 0 entries; expected {CONTRACT.width}'),
    'wide': ({'values': [0.0] * 99}, 'values has 99 entries'),
    'NaN': ({'values': [float('nan')] * CONTRACT.width}, 'not finite'),
    'opposite infinities': ({'values': [float('inf'), float('-inf'), *ZEROS[2:]]}, 'not finite'),
    'phase': ({'phase': 77}, 'phase is 77')}


class Loop:
    """What stands around a driver."""

    def __init__(self, bench, name: str, tmp_path):
        build, parameters, self.source = DRIVERS[name]
        if name == 'policy':
            save(tmp_path / 'policy', 1)
            parameters = {'checkpoint': str(tmp_path / 'policy')}
        self.bench, self.node = bench, bench.add(build, **parameters)
        topic = {POLICY: 'policy', EXPERT: 'expert', TELEOP: 'teleop'}[self.source]
        self.actions = bench.listen(Action, f'{topic}/action')
        self.drives = bench.talk(Drive, 'drive', qos.LATCHED)
        self.drives.publish(Drive(episode_id='e', required=[self.source], driving=self.source))
        self.publisher = bench.talk(Observation, 'observation')
        bench.talk(Contract, 'contract', qos.LATCHED).publish(contract_to_message(CONTRACT))
        assert bench.until(lambda: self.node._driver.contract and self.node._driver._drive)

    def observe(self, step: int, frame_id: str = 'panda_link0', **fields):
        """Publish the observation of a step."""
        message = Observation(**{
            'contract_id': CONTRACT.id, 'step': step, 'phase': RUNNING, 'episode_id': 'e',
            'values': ZEROS, **fields})
        message.header.stamp, message.header.frame_id = to_stamp(1000 + step), frame_id
        self.publisher.publish(message)

    def answers(self, step: int) -> list[Action]:
        """Return the answers to a step."""
        return [a for a in self.actions if a.header.stamp.nanosec == 1000 + step]


@pytest.mark.parametrize('fields, reason', DEFECTS.values(), ids=DEFECTS)
@pytest.mark.parametrize('name', DRIVERS)
def test_an_observation_that_is_none_of_the_contract_is_refused_by_field_and_never_acted_on(
        bench, tmp_path, name, fields, reason):
    loop = Loop(bench, name, tmp_path)
    loop.observe(0, **fields)
    refusals = refusals_of(loop.node)
    assert bench.until(lambda: refusals.count)
    assert reason in refusals.newest['observation']
    loop.observe(0)
    assert bench.until(lambda: loop.node._driver.answered + loop.node._driver.unanswered > 0)
    assert bench.until(lambda: loop.answers(0))
    if name in ('policy', 'expert'):
        assert bench.until(lambda: len(loop.answers(0)[-1].values)), 'the good one is answered'
    for answer in loop.answers(0)[:-1]:
        assert not len(answer.values), 'a refused one is answered without values: the arm holds'


def test_what_was_recorded_is_not_replayed_over_an_observation_of_another_width(bench, tmp_path):
    loop = Loop(bench, 'replay', tmp_path)
    recorded = types.SimpleNamespace(steps=3)
    loop.node._playing = 'e', Playback(recorded, 0.1)
    loop.observe(0, values=[0.0])
    assert bench.until(lambda: loop.answers(0))
    assert not len(loop.answers(0)[0].values)


def test_who_is_to_answer_stands_when_a_source_that_there_is_not_is_asked_for(bench, tmp_path):
    loop = Loop(bench, 'expert', tmp_path)
    loop.drives.publish(Drive(episode_id='e', required=[77]))
    assert bench.until(lambda: refusals_of(loop.node).count)
    assert 'required has the source 77' in refusals_of(loop.node).newest['drive']
    loop.observe(0)
    assert bench.until(lambda: loop.answers(0))
