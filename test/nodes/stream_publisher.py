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
A process with a camera, a state and an episode, that says how much of each it has published.

The first argument is JSON: ``episode_id``, ``seconds``, ``episode_hz``, and ``streams``, a list of
topic, kind (``raw``, ``jpeg``, ``joints``) and rate in Hz. It waits for a reader of each topic,
prints the numbers as JSON once all is said, and ends with its standard input.
"""

import array
import io
import json
import sys
import time

from il_ros.bridge.messages import float32s, to_stamp
from il_ros.data.contract_file import load_contract
from il_ros.data.spec import ENDED, EXPERT, RUNNING, TERMINATED
from il_ros.nodes import qos
from il_ros.share import share_path
from il_ros_interfaces.msg import Action, EpisodeStatus, Executed, Observation
import numpy as np
from PIL import Image as Picture
import rclpy
from sensor_msgs.msg import CompressedImage, Image, JointState

HEIGHT, WIDTH = 480, 640
SETTLE_S = 0.5
CONTRACT, _ = load_contract(share_path('config', 'contracts', 'reach.yaml'))


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
        self.publisher = node.create_publisher(type(self._messages[0]), topic, qos.STREAM)
        self.topic, self._rate_hz, self.count = topic, rate_hz, 0

    @property
    def due_s(self) -> float:
        """Return when the next message is due, s from the beginning."""
        return self.count / self._rate_hz

    def publish(self):
        """Publish the next message."""
        message = self._messages[self.count % len(self._messages)]
        message.header.stamp = self._clock.now().to_msg()
        self.publisher.publish(message)
        self.count += 1


class Episode:
    """The episode itself, step by step."""

    def __init__(self, node, episode_id: str, rate_hz: float):
        self._id, self._rate_hz, self.count = episode_id, rate_hz, 0
        self._clock = node.get_clock()
        self.publishers = {
            kind: node.create_publisher(kind, topic, profile) for kind, topic, profile in (
                (EpisodeStatus, 'episode', qos.STATUS), (Observation, 'observation', qos.STREAM),
                (Executed, 'executed', qos.STREAM))}

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
        for message in said:
            message.episode_id, message.step = self._id, self.count
            message.header.stamp = to_stamp(stamp_ns)
            self.publishers[type(message)].publish(message)
        self.count += 1


def main():
    """Publish, and say how much."""
    words = json.loads(sys.argv[1])
    rclpy.init()
    node = rclpy.create_node('camera_and_state')
    streams = [Stream(node, *one) for one in words['streams']]
    episode = Episode(node, words['episode_id'], words['episode_hz'])
    publishers = [*episode.publishers.values(), *(stream.publisher for stream in streams)]
    while not all(publisher.get_subscription_count() for publisher in publishers):
        time.sleep(0.02)
    time.sleep(SETTLE_S)  # the readers have to know of the publishers, too
    began = time.monotonic()
    while True:
        upcoming = min([episode, *streams], key=lambda one: one.due_s)
        if upcoming.due_s >= words['seconds']:
            break
        time.sleep(max(0.0, upcoming.due_s - (time.monotonic() - began)))
        upcoming.publish()
    took_s = time.monotonic() - began
    time.sleep(SETTLE_S)
    episode.publish(last=True)
    print(json.dumps({'took_s': took_s, 'episode': episode.count,
                      **{stream.topic: stream.count for stream in streams}}), flush=True)
    sys.stdin.read()
    rclpy.shutdown()


if __name__ == '__main__':
    main()
