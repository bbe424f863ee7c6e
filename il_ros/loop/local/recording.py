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

"""Record an episode of this process as the recorder does: the same messages in the same file."""

from collections.abc import Mapping
from pathlib import Path
import time
from typing import Any

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import EpisodeSpec, POLICY
from il_ros.driving.arbiter import Step
from il_ros.episodes.receipts import Receipt
from il_ros.episodes.wire.cdr import NS
from il_ros.episodes.wire.encoding import encode
from il_ros.episodes.wire.schema import recorded_schemas
from il_ros.episodes.writer import EpisodeWriter
from il_ros.tasks.protocol import Status
import numpy as np

NO_NOISE = np.zeros(0, np.float32)


class Recording:
    """
    The file of one episode; ``close`` or ``abandon`` ends it.

    :param joint_names: of the arm, in the order of its commands
    """

    def __init__(self, folder: Path, spec: EpisodeSpec, contract: Contract,
                 joint_names: tuple[str, ...]):
        """
        Begin the file of ``spec`` in ``folder``.

        :raises SchemaError: if the definitions of the messages are not installed
        :raises EpisodeExistsError: if the episode is recorded
        :raises EpisodeWriteError: if the folder forbids it or its disk is full
        """
        self._spec, self._contract, self._joints = spec, contract, joint_names
        self._schemas = recorded_schemas()
        self._writer = EpisodeWriter(folder, spec, contract, self._schemas)
        self._header: dict[str, Any] = {}
        self._pictures: dict[str, tuple[np.ndarray, dict]] = {}
        self._reason = ''

    def state(self, stamp_ns: int, status: Status, values: np.ndarray,
              images: Mapping[str, np.ndarray]):
        """
        Record what the task says of a state, and its observation.

        :param images: those that stand since an earlier step are the same objects
        """
        self._header = {'stamp': {'sec': stamp_ns // NS, 'nanosec': stamp_ns % NS},
                        'frame_id': self._contract.action_frame_id}
        self._reason = status.reason
        self._write('episode', {'header': self._header, **vars(status)})
        self._write('observation', {
            'header': self._header, 'contract_id': self._contract.id, 'step': status.step,
            'phase': status.phase, 'episode_id': self._spec.episode_id, 'values': values,
            'images': [self._picture(name, pixels) for name, pixels in images.items()]})

    def _picture(self, name: str, pixels: np.ndarray) -> dict:
        taken, header = self._pictures.get(name, (None, {}))
        if taken is not pixels:
            frame = next(one.frame_id for one in self._contract.images if one.name == name)
            header = {**self._header, 'frame_id': frame}
            self._pictures[name] = (pixels, header)
        height, width, channels = pixels.shape
        return {'header': header, 'height': height, 'width': width, 'encoding': 'rgb8',
                'is_bigendian': 0, 'step': width * channels, 'data': pixels}

    def step(self, step: Step, uncertainty: float, policy_id: int,
             answers: Mapping[int, np.ndarray]):
        """
        Record what was executed in the present state.

        :param uncertainty: of the policy's answer; -1: not estimated
        :param policy_id: of the checkpoint that answered
        :param answers: by source, shape ``(act_dim,)``; empty: no answer
        """
        noise = step.choice.noise
        self._write('executed', {
            'header': self._header, 'step': step.step, 'driver': step.driver,
            'chosen': step.choice.chosen, 'limits': step.limits, 'beta': step.choice.beta,
            'gate': step.choice.gate, 'episode_id': self._spec.episode_id,
            'values': step.sent.values, 'noise': NO_NOISE if noise is None else noise,
            'command': {'header': {**self._header, 'frame_id': ''}, 'name': self._joints,
                        'position': step.sent.positions, 'velocity': (), 'effort': ()},
            'candidates': [{
                'header': self._header, 'contract_id': self._contract.id, 'source': source,
                'engaged': True, 'policy_id': policy_id if source == POLICY else 0,
                'values': answers[source],
                'uncertainty': uncertainty if source == POLICY else -1.0}
                for source in sorted(answers)]})

    def _write(self, topic: str, message: Mapping[str, Any]):
        self._writer.write(topic, encode(self._schemas[topic], message), time.time_ns())

    def close(self, gate_threshold: float) -> Receipt:
        """
        Finish the file and return its receipt.

        :param gate_threshold: where the adapted threshold stood at the end; -1: none was adapted
        :raises EpisodeWriteError: if the disk takes no more
        """
        return self._writer.close(0, gate_threshold, self._reason)

    def abandon(self):
        """Discard the episode; no file of it stays."""
        self._writer.abandon()
