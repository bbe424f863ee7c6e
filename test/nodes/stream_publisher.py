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

"""
A process that publishes streams, or an episode, and says how much of each it has published.

The first argument is JSON: ``name`` of the node, ``seconds``, ``streams`` (topic, kind ``raw``,
``jpeg`` or ``joints``, rate in Hz) and ``episodes`` (id and rate). It says ``ready`` once somebody
reads each topic, begins with the first line of its standard input, prints the numbers as JSON,
ends the episode with the second line, and itself with the end of its input.
"""

import array
import io
import json
import sys
import threading
import time

from il_ros.contract.episode_spec import ENDED, EXPERT, RUNNING, TERMINATED
from il_ros.ros import qos
from il_ros.ros.conversion.messages import float32s, to_stamp
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.msg import Action, EpisodeStatus, Executed, Observation
import numpy as np
from PIL import Image as Picture
import rclpy
from sensor_msgs.msg import CompressedImage, Image, JointState

HEIGHT, WIDTH = 480, 640
SETTLE_S = 0.5
PAUSE = threading.Event()
CONTRACT, _ = find_contract('reach')


def scenes(count: int = 4) -> list[np.ndarray]:
    """Return pictures as rich as those of a camera: a JPEG of one has about 70 kB."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    smooth = np.stack([rows * 255 // HEIGHT, columns * 255 // WIDTH, (rows + columns) % 256], 2)
    return [np.clip(np.roll(smooth, 40 * number, 1) + rng.integers(-14, 15, smooth.shape), 0, 255)
            .astype(np.uint8) for number in range(count)]


def messages(kind: str) -> list:
    """Return what a stream says over and over, but for the stamps."""
    if kind == 'joints':
        return [JointState(name=[f'panda_joint{i}' for i in range(1, 8)],
                           position=[n / 9] * 7, velocity=[0.1] * 7, effort=[1.0] * 7)
                for n in range(8)]
    if kind == 'raw':
        return [Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=3 * WIDTH,
                      data=array.array('B', pixels.tobytes())) for pixels in scenes()]
    return [CompressedImage(format='jpeg', data=array.array('B', _jpeg(pixels)))
            for pixels in scenes()]


def _jpeg(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Picture.fromarray(pixels).save(buffer, 'JPEG', quality=85)
    return buffer.getvalue()


class Stream:
    """One topic that is published at its rate, stamped with when it is."""

    def __init__(self, node, topic: str, kind: str, rate_hz: float):
        self._clock, self._messages = node.get_clock(), messages(kind)
        self.publishers = [node.create_publisher(type(self._messages[0]), topic, qos.STREAM)]
        self.topic, self._rate_hz, self.count = topic, rate_hz, 0

    @property
    def due_s(self) -> float:
        """Return when the next message is due, s from the beginning."""
        return self.count / self._rate_hz

    def publish(self):
        """Publish the next message."""
        message = self._messages[self.count % len(self._messages)]
        message.header.stamp = self._clock.now().to_msg()
        self.publishers[0].publish(message)
        self.count += 1


class Episode:
    """The episode itself, step by step."""

    def __init__(self, node, episode_id: str, rate_hz: float):
        self._id, self._rate_hz, self.count = episode_id, rate_hz, 0
        self._clock = node.get_clock()
        self.publishers = [
            node.create_publisher(kind, topic, profile) for kind, topic, profile in (
                (EpisodeStatus, 'episode', qos.STATUS), (Observation, 'observation', qos.STREAM),
                (Executed, 'executed', qos.STREAM))]

    @property
    def due_s(self) -> float:
        """Return when the next step is due, s from the beginning."""
        return self.count / self._rate_hz

    def publish(self, last: bool = False):
        """Publish a step."""
        stamp_ns = self._clock.now().nanoseconds
        phase = ENDED if last else RUNNING
        said = [EpisodeStatus(task='reach', horizon=1_000_000, phase=phase,
                              end=TERMINATED if last else 0, cause=int(last), success=last),
                Observation(contract_id=CONTRACT.id, phase=phase,
                            values=float32s(np.zeros(CONTRACT.width)))]
        if not last:
            values = float32s(np.full(3, 0.1))
            said.append(Executed(
                driver=EXPERT, chosen=EXPERT, gate=-1.0, values=values,
                command=JointState(name=['a'], position=[0.0]),
                candidates=[Action(contract_id=CONTRACT.id, source=EXPERT, engaged=True,
                                   values=values, uncertainty=-1.0)]))
        for publisher, message in zip(self.publishers, said, strict=False):
            message.episode_id, message.step = self._id, self.count
            message.header.stamp = to_stamp(stamp_ns)
            publisher.publish(message)
        self.count += 1


def publish(parts: list, seconds: float):
    """Publish each part at its rate for so long."""
    began = time.monotonic()
    while True:
        upcoming = min(parts, key=lambda one: one.due_s)
        if upcoming.due_s >= seconds:
            return
        PAUSE.wait(max(0.0, upcoming.due_s - (time.monotonic() - began)))
        upcoming.publish()


def main():
    """Publish, and say how much."""
    words = json.loads(sys.argv[1])
    rclpy.init()
    node = rclpy.create_node(words['name'])
    parts = [Stream(node, *one) for one in words['streams']]
    episodes = [Episode(node, *one) for one in words['episodes']]
    publishers = [one for part in [*parts, *episodes] for one in part.publishers]
    while not all(publisher.get_subscription_count() for publisher in publishers):
        PAUSE.wait(0.02)
    PAUSE.wait(SETTLE_S)  # the readers have to know of the publishers, too
    print('ready', flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    publish([*parts, *episodes], words['seconds'])
    took_s = time.monotonic() - began
    print(json.dumps({part.topic: part.count for part in parts} | {
        f'{words["name"]}_took_s': round(took_s, 2)}), flush=True)
    sys.stdin.readline()
    for one in episodes:
        one.publish(last=True)
    sys.stdin.read()
    rclpy.shutdown()


if __name__ == '__main__':
    main()
