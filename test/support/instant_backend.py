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

"""A back end of a run that records made-up episodes at once."""

from pathlib import Path

from il_ros.episodes.receipts import read_receipt, receipt_path
from il_ros.loop.backend import Labels
import numpy as np
import recordings
from recordings import messages, record


class Recorder:
    """A back end that records episodes at once, and whose expert knows every second step."""

    def __init__(self, folder: Path):
        self.folder, self.asked, self.loaded, self.collected = folder, [], [], []
        self.attempts, self.checked, self.pauses = 1, 0, 0

    async def contract(self):
        return recordings.CONTRACT

    async def carry_out(self, _stage, work):
        for _ in range(self.attempts - 1):
            await work()
        return await work()

    def check(self):
        self.checked += 1

    async def pause(self):
        self.pauses += 1

    async def beside(self, work):
        return work(self.check)

    async def load(self, path, sha256):
        self.loaded.append((path, sha256))

    async def collect(self, episodes, keep, finished):
        self.collected.append(episodes)
        for count, spec in enumerate(episodes.specs, 1):
            keep(read_receipt(receipt_path(self.record(spec))))
            finished(count)

    def record(self, spec, wire=None, **close) -> Path:
        return record(self.folder / 'episodes' / 'main', spec,
                      messages(spec, 4) if wire is None else wire, **close)

    async def label(self, episode, steps):
        self.asked.append((episode.spec.seed, steps.tolist()))
        actions = np.tile(np.float32([-0.2, 0.3]), (len(steps), 1))
        actions[0] = (0.5, 0.3)
        return Labels(actions, steps % 2 == 0, 'push 1.0', 0.25)
