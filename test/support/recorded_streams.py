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

"""Episodes with additional streams for tests: two cameras and the joints of a second arm."""

import io

from il_ros.contract.episode_spec import EXPERT
from il_ros.episodes.pictures import COMPRESSED_IMAGE, IMAGE
from il_ros.episodes.streams import StreamCount
from il_ros.episodes.wire.schema import Schema, SEPARATOR
from il_ros.episodes.writer import EpisodeWriter
import numpy as np
from PIL import Image
from recordings import CONTRACT, encoder, header, messages, PERIOD_NS, SCHEMAS, spec, STANDARD

HEADER = [f'MSG: {name}\n{STANDARD[name]}'
          for name in ('std_msgs/Header', 'builtin_interfaces/Time')]
RAW = Schema(IMAGE, f'\n{SEPARATOR}\n'.join([STANDARD['sensor_msgs/Image'], *HEADER]))
JPEG = Schema(COMPRESSED_IMAGE, f'\n{SEPARATOR}\n'.join(
    ['std_msgs/Header header\nstring format\nuint8[] data', *HEADER]))
JOINTS = Schema('sensor_msgs/msg/JointState', f'\n{SEPARATOR}\n'.join(
    [STANDARD['sensor_msgs/JointState'], *HEADER]))
STREAMS = {'wrist/image_raw': RAW, '/head/image/compressed': JPEG, 'second/joint_states': JOINTS}
LOG_NS = 1_700_000_000_000_000_000
HEIGHT, WIDTH, FRAMES = 24, 32, 20


def scene(number: int) -> np.ndarray:
    """Return a smooth picture that no other number has."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([rows * 8, columns * 6, np.full_like(rows, number * 9)], 2).astype(np.uint8)


def compressed(number: int, form: str = 'JPEG') -> bytes:
    """Return the picture as a file of that format."""
    buffer = io.BytesIO()
    options = {'quality': 95} if form == 'JPEG' else {}
    Image.fromarray(scene(number)).save(buffer, form, **options)
    return buffer.getvalue()


def image(number: int, **fields) -> bytes:
    """Return the raw image message of a number."""
    return encoder(RAW)({
        'header': header(number), 'height': HEIGHT, 'width': WIDTH, 'encoding': 'bgr8',
        'is_bigendian': 0, 'step': WIDTH * 3, 'data': scene(number)[..., ::-1].tobytes(),
        **fields})


def compressed_image(number: int, **fields) -> bytes:
    """Return the compressed image message of a number: every other one is a PNG."""
    form = 'PNG' if number % 2 else 'JPEG'
    return encoder(JPEG)({'header': header(number), 'format': form.lower(),
                          'data': compressed(number, form), **fields})


def joint_state(number: int) -> bytes:
    """Return a state without a stamp, as careless drivers send it."""
    return encoder(JOINTS)({'header': header(0), 'name': ['a'], 'position': [number / 7],
                            'velocity': [], 'effort': []})


def stream_messages(number: int) -> list[tuple[str, bytes]]:
    """Return what the three streams say at one moment."""
    raws = image(number), compressed_image(number), joint_state(number)
    return list(zip(STREAMS, raws, strict=True))


def counts(dropped: int = 0) -> dict[str, StreamCount]:
    """Return the counts of an episode whose first stream lost so many."""
    return {topic: StreamCount(schema.name, FRAMES, lost, True)
            for (topic, schema), lost in zip(STREAMS.items(), (dropped, 0, 0), strict=True)}


def begin(folder, of) -> EpisodeWriter:
    """Record an episode with streams, and leave it open."""
    writer = EpisodeWriter(folder, of, CONTRACT, {**SCHEMAS, **STREAMS}, min_free_bytes=0)
    wire = messages(of, 12, [EXPERT] * 12)
    for number in range(FRAMES):
        log_ns = LOG_NS + number * PERIOD_NS
        for topic, raw in [*wire[2 * number:2 * number + 2], *stream_messages(number)]:
            writer.write(topic, raw, log_ns)
    return writer


def record(run, seed: int = 1, dropped: int = 0):
    """Record and close an episode with streams; return its file."""
    writer = begin(run / 'episodes' / 'main', spec(f'rollout-r01-{seed:06d}', seed=seed))
    writer.note_streams(counts(dropped))
    writer.close()
    return writer.path
