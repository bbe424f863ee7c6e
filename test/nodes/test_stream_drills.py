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

"""Cameras and fast sensors for minutes: nothing is lost, and no callback takes long."""

from pathlib import Path

import pytest
from stream_recording import assert_all_is_there, CAMERA, COMPRESSED, FAST, record, STATE
from stream_recording import TimedRecorder


def waited_s() -> float:
    """Return how long the threads of this process have been ready and had no core, s."""
    return sum(int(path.read_text().split()[1])
               for path in Path('/proc/self/task').glob('*/schedstat')) / 1e9


def told(name: str, seconds: float, recorder: TimedRecorder, file, published: dict,
         without_core_s: float):
    """Print the figures of a drill."""
    every = [one for times in recorder.times.values() for one in times]
    by_name = {name: f'{recorder.p99_ms(name):.2f}' for name in recorder.times}
    print(f'{name}: {seconds:.0f} s, published {published}, {len(file.data) / 1e6:.0f} MB, '
          f'{len(every)} callbacks, p99 {recorder.p99_ms():.2f} ms '
          f'({recorder.p99_ms(with_preempted=True):.2f} ms with the '
          f'{sum(preempted for _, preempted in every)} that were preempted), '
          f'of each {by_name}, longest {max(every)[0] * 1e3:.1f} ms; '
          f'ready without a core for {without_core_s:.1f} s')


@pytest.mark.drill
@pytest.mark.timeout(600)
@pytest.mark.parametrize('name, streams, seconds, swift', [
    # What brings an image copies it; what brings a state waits for nothing.
    ('JPEG', [COMPRESSED, STATE], 300.0, ('observation', 'executed', 'episode')),
    ('raw', [CAMERA, STATE], 30.0, ('observation', 'executed', 'episode')),
    ('1 kHz', [FAST], 60.0, ())])
def test_nothing_is_lost_for_long_and_no_callback_holds_the_recorder_up(
        tmp_path, name, streams, seconds, swift):
    before_s = waited_s()
    recording, receipt, file, published = record(tmp_path, streams, seconds)
    told(name, seconds, recording.recorder, file, published, waited_s() - before_s)
    assert_all_is_there(streams, receipt, file, published)
    assert published['arm_took_s'] < 1.05 * seconds and receipt.steps == 100 * seconds
    assert recording.recorder.p99_ms(*swift) <= 1.0
