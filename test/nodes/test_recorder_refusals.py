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

"""What the recorder refuses while an episode is recorded, instead of losing all of it."""

from il_ros.episodes.reader import read_episode
from il_ros.ros import diagnostics, qos
from il_ros.ros.recording.message_check import MOST_BYTES
from il_ros.ros.refusals import refusals_of
from il_ros_interfaces.msg import Drive, EpisodeStatus, Executed, Observation
import pytest
from rclpy.serialization import serialize_message
from recording_stage import CONTRACT, Reports, Stage
from seam import episode
from sensor_msgs.msg import Image, JointState

NAN = float('nan')
WRONG = {
    'contract': (Observation, {'contract_id': 12345}, 'contract_id is 12345; expected'),
    'no values': (Observation, {'values': []}, f'values has 0 entries; expected {CONTRACT.width}'),
    'wide': (Observation, {'values': [0.0] * 99}, 'values has 99 entries'),
    'NaN': (Observation, {'values': [NAN] * CONTRACT.width}, 'not finite'),
    'phase': (Observation, {'phase': 7}, 'phase is 7'),
    'wide action': (Executed, {'values': [0.0] * 99}, 'values has 99 entries; expected 3'),
    'action of NaN': (Executed, {'values': [NAN] * 3}, 'values has a number that is not finite'),
    'noise of NaN': (Executed, {'noise': [NAN] * 3}, 'noise has a number that is not finite'),
    'joints of NaN': (Executed, {'command': JointState(name=['a'], position=[NAN])},
                      'command.position has a number that is not finite'),
    'noise': (Executed, {'noise': [0.0]}, 'noise has 1 entries; expected 0 or 3'),
    'joints': (Executed, {'command': JointState(position=[1.0, 2.0])},
               'command.position has 2 entries'),
    'long': (EpisodeStatus, {'reason': 'x' * MOST_BYTES}, 'bytes; expected at most'),
    'status': (EpisodeStatus, {'phase': 9}, 'phase is 9')}


@pytest.fixture
def stage(bench, tmp_path) -> Stage:
    """Return a recorder and the topics around it, with an episode that has begun."""
    made = Stage(bench, tmp_path)
    assert made.open().error_code == 0
    made.say_step(0)
    assert bench.until(lambda: made.heard('executed'))
    return made


@pytest.mark.parametrize('kind, fields, reason', WRONG.values(), ids=WRONG)
def test_a_message_that_the_file_must_not_have_is_refused_at_once_and_the_episode_is_whole(
        stage, kind, fields, reason):
    stage.say(kind, 1, **fields)
    refusals = refusals_of(stage.recorder)
    assert stage.bench.until(lambda: refusals.count)
    assert any(reason in said for said in refusals.newest.values())
    level, _, values = Reports(stage).now()
    assert (level, values['refused_messages']) == (diagnostics.WARN, '1')
    for step in (1, 2):
        stage.say_step(step)
    stage.end(3)
    receipt = stage.receipt()
    assert (receipt.steps, receipt.flags, receipt.error_code) == (3, 0, 0)
    assert read_episode(stage.folder.parent.parent / receipt.path).complete


@pytest.mark.parametrize('kind', [Observation, Executed, EpisodeStatus])
def test_bytes_that_are_no_message_are_refused_while_an_episode_is_recorded_and_before(
        bench, tmp_path, kind):
    stage = Stage(bench, tmp_path)
    raw = serialize_message(kind(episode_id=episode().episode_id))
    refusals = refusals_of(stage.recorder)
    wrong = [raw[:length] for length in (0, 1, 7, 13)]
    wrong.append(raw.replace(b'rollout', b'roll\xffut'))
    for opened in (False, True):
        before = refusals.count
        for message in wrong:
            stage.publishers[kind].publish(message)
        assert bench.until(lambda: refusals.count >= before + len(wrong))
        if not opened:
            assert stage.open().error_code == 0
            wrong.append(raw[:-6])
    stage.play()
    assert stage.receipt().flags == 0


def test_an_image_that_is_not_of_the_contract_is_refused(bench, tmp_path):
    stage = Stage(bench, tmp_path)
    assert stage.open().error_code == 0
    stage.say(Observation, 0, images=[Image(height=1000, width=1000, data=bytes(3_000_000))])
    assert bench.until(lambda: refusals_of(stage.recorder).count)


def test_a_threshold_that_is_no_number_is_refused(bench, tmp_path):
    stage = Stage(bench, tmp_path)
    bench.talk(Drive, 'drive', qos.LATCHED).publish(Drive(episode_id='e', threshold=NAN))
    assert bench.until(lambda: refusals_of(stage.recorder).count)
    assert 'threshold is nan' in refusals_of(stage.recorder).newest['drive']
