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

"""The topics that a recorder records, played by a test."""

from diagnostic_msgs.msg import DiagnosticArray
from il_ros.contract.episode_spec import ENDED, EXPERT, RUNNING, TERMINATED
from il_ros.nodes.recorder import RecorderNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import contract_to_message, float32s, receipt_from_message
from il_ros.ros.conversion.messages import spec_to_message, to_stamp
from il_ros.tasks.contracts import find_contract
from il_ros_interfaces.msg import Action, Contract, EpisodeStatus, Executed, Observation
from il_ros_interfaces.msg import RecordedEpisode
from il_ros_interfaces.srv import OpenEpisode
import numpy as np
from seam import episode, RUN
from sensor_msgs.msg import JointState

CONTRACT, _ = find_contract('reach')
BEGIN_NS, PERIOD_NS = 10 ** 9, 50_000_000


class Wire:
    """The topics that a recorder records, played by the test; the recorder is elsewhere."""

    def __init__(self, bench, runs):
        self.bench, self.folder = bench, runs / RUN / 'episodes' / 'main'
        self.shift_ns = 0
        self.receipts = bench.listen(RecordedEpisode, 'recorded', qos.RECEIPTS)
        self.publishers = {
            kind: bench.talk(kind, topic, profile) for kind, topic, profile in (
                (Observation, 'observation', qos.STREAM), (Executed, 'executed', qos.STREAM),
                (EpisodeStatus, 'episode', qos.STATUS))}
        bench.talk(Contract, 'contract', qos.LATCHED).publish(contract_to_message(CONTRACT))

    def open(self, spec=None, **fields):  # noqa: A003
        """Ask for an episode to be opened."""
        request = OpenEpisode.Request(spec=spec_to_message(spec or episode()))
        for name, value in fields.items():
            setattr(request.spec, name, value)
        return self.bench.call(OpenEpisode, 'open_episode', request)

    def stamp_ns(self, step: int) -> int:
        """Return when the state of a step is said to have been true."""
        return BEGIN_NS + step * PERIOD_NS + self.shift_ns

    def say_step(self, step: int, episode_id: str = episode().episode_id):
        """Publish all three messages of a step that is not the last."""
        for kind in (EpisodeStatus, Observation, Executed):
            self.say(kind, step, episode_id)

    def say(self, kind, step: int, episode_id: str = episode().episode_id, **fields):
        """Publish the message of a step."""
        if kind is Observation:
            values = float32s(np.full(CONTRACT.width, step))
            message = Observation(contract_id=CONTRACT.id, values=values, phase=RUNNING)
        elif kind is Executed:
            answer = Action(contract_id=CONTRACT.id, source=EXPERT, engaged=True,
                            values=float32s(np.full(3, 0.1)), uncertainty=-1.0)
            message = Executed(
                driver=EXPERT, chosen=EXPERT, gate=-1.0, values=float32s(np.full(3, 0.1)),
                candidates=[answer],
                command=JointState(name=['a'], position=[float(step)]))
        else:
            message = EpisodeStatus(task='reach', horizon=80, phase=RUNNING)
        message.step, message.episode_id = step, episode_id
        message.header.stamp = to_stamp(self.stamp_ns(step))
        for name, value in fields.items():
            setattr(message, name, value)
        self.publishers[kind].publish(message)

    def play(self, steps: int = 3, without=(), **fields):
        """Publish a whole episode, but for the messages ``without``: kind and step."""
        for step in range(steps + 1):
            last = {'phase': ENDED} if step == steps else {}
            for kind in (EpisodeStatus, Observation, Executed):
                if (kind, step) in without or (kind is Executed and last):
                    continue
                end = {'end': TERMINATED, 'cause': 1, 'success': True} if (
                    last and kind is EpisodeStatus) else {}
                self.say(kind, step, **last, **end, **fields)

    def end(self, step: int, episode_id: str = episode().episode_id):
        """Publish the last state."""
        self.say(EpisodeStatus, step, episode_id, phase=ENDED, end=TERMINATED)
        self.say(Observation, step, episode_id, phase=ENDED)

    def receipt(self):
        """Return the next receipt."""
        assert self.bench.until(lambda: self.receipts)
        return receipt_from_message(self.receipts.pop(0))

    def files(self) -> list[str]:
        """Return the names of the files in the shard, the lock aside."""
        return sorted(path.name for path in self.folder.iterdir() if 'lock' not in path.name)


class Stage(Wire):
    """A recorder in this process, and the topics around it."""

    def __init__(self, bench, runs, **parameters):
        self.recorder = bench.add(RecorderNode, runs=str(runs), **parameters)
        super().__init__(bench, runs)
        assert bench.until(lambda: self.recorder._contract is not None)

    def heard(self, topic: str) -> int:
        """Return how many messages of a topic the recorder has got in this episode."""
        steps = self.recorder._recording.watch.topics[topic].steps
        return len(steps) + steps.repeats


class Reports:
    """What the recorder says on ``/diagnostics``."""

    def __init__(self, stage: Stage):
        self._stage = stage
        self.heard = stage.bench.listen(DiagnosticArray, '/diagnostics')

    def now(self) -> tuple[bytes, str, dict[str, str]]:
        """Return level, message and values of this moment."""
        self.heard.clear()
        self._stage.recorder.diagnostics.publish()
        assert self._stage.bench.until(lambda: self.heard)
        return self.last()

    def last(self) -> tuple[bytes, str, dict[str, str]]:
        """Return what was said last."""
        status, = self.heard[-1].status
        return status.level, status.message, {pair.key: pair.value for pair in status.values}
