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

"""Messages of an episode in this process: what stood since an earlier step keeps its header."""

import dataclasses
import types

from il_ros.contract.contract import Feature, IMAGE
from il_ros.contract.episode_spec import EpisodeSpec, EXPERT, POLICY
from il_ros.loop.local import recording as recordings_here
from il_ros.loop.local.recording import Recording
import numpy as np
import pytest
import recordings

NS = 1_000_000_000
CONTRACT = dataclasses.replace(recordings.CONTRACT, features=(
    *recordings.CONTRACT.features,
    Feature('camera', IMAGE, frame_id='lens', height=2, width=3, encoding='rgb8')))


@pytest.fixture
def recording(monkeypatch):
    """Return a recording without a file; its ``written`` are topics and messages."""
    monkeypatch.setattr(recordings_here, 'encode', lambda _, message: message)
    made, written = object.__new__(Recording), []
    made._spec, made._contract, made._joints = EpisodeSpec('e', 'r', 'push'), CONTRACT, ('a', 'b')
    made._schemas, made._header, made._pictures, made._reason = (
        dict.fromkeys(('episode', 'observation', 'executed')), {}, {}, '')
    made._writer = types.SimpleNamespace(
        write=lambda topic, message, _: written.append((topic, message)),
        close=lambda *words: words, abandon=lambda: written.append('abandoned'))
    made.written = written
    return made


def see(recording, stamp_ns: int, pixels: np.ndarray, step: int = 0, reason: str = '') -> dict:
    """Record a state, and return its observation."""
    status = types.SimpleNamespace(step=step, phase=2, reason=reason)
    recording.state(stamp_ns, status, np.arange(6), {'camera': pixels})
    return recording.written[-1][1]


def test_an_image_has_its_size_and_the_stamp_at_which_it_was_new(recording):
    first, other = (np.zeros((2, 3, 3), np.uint8) for _ in range(2))
    seen = [see(recording, stamp_ns, pixels) for stamp_ns, pixels in (
        (7 * NS + 5, first), (8 * NS, first), (9 * NS, other))]
    images = [observation['images'][0] for observation in seen]
    assert [image['header'] for image in images] == [
        {'stamp': {'sec': sec, 'nanosec': nanosec}, 'frame_id': 'lens'}
        for sec, nanosec in ((7, 5), (7, 5), (9, 0))]
    assert {**images[0], 'header': 0, 'data': 0} == {
        'header': 0, 'height': 2, 'width': 3, 'encoding': 'rgb8', 'is_bigendian': 0, 'step': 9,
        'data': 0}
    assert images[2]['data'] is other
    assert [observation['header']['stamp']['sec'] for observation in seen] == [7, 8, 9]
    assert seen[0]['header']['frame_id'] == 'panda_link0'
    assert (seen[0]['episode_id'], seen[0]['contract_id']) == ('e', CONTRACT.id)


def test_only_the_policy_has_an_id_and_an_uncertainty(recording):
    see(recording, 7 * NS, np.zeros((2, 3, 3), np.uint8), step=4)
    step = types.SimpleNamespace(
        step=4, driver=POLICY, limits=0,
        choice=types.SimpleNamespace(chosen=POLICY, beta=0.5, gate=-1.0, noise=None),
        sent=types.SimpleNamespace(values=(1, 2), positions=(3, 4)))
    recording.step(step, 0.25, 99, {POLICY: 'p', EXPERT: 'e'})
    topic, message = recording.written[-1]
    assert topic == 'executed' and message['noise'].size == 0
    assert [(one['source'], one['policy_id'], one['uncertainty'], one['values'], one['engaged'])
            for one in message['candidates']] == sorted([
                (EXPERT, 0, -1.0, 'e', True), (POLICY, 99, 0.25, 'p', True)])
    assert message['command']['name'] == ('a', 'b')
    assert message['command']['position'] == (3, 4)
    step.choice.noise = 'noise'
    recording.step(step, -1.0, 0, {})
    assert recording.written[-1][1]['noise'] == 'noise'
    assert message['command']['header'] == {'stamp': {'sec': 7, 'nanosec': 0}, 'frame_id': ''}


def test_an_episode_is_closed_with_its_threshold_and_the_tasks_reason(recording):
    see(recording, NS, np.zeros((2, 3, 3), np.uint8), reason='lost')
    assert recording.close(0.5) == (0, 0.5, 'lost')
    recording.abandon()
    assert recording.written[-1] == 'abandoned'
