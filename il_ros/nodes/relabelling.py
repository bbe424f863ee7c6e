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


"""``il_ros dataset relabel``: later labels for the recorded states of a run, by any service."""

import dataclasses
from pathlib import Path
import time

from il_ros.data.inventory import episodes_of
from il_ros.data.label_file import labels_path, write_labels
from il_ros.data.reader import read_episode
from il_ros.nodes.client import Client, run_client
from il_ros.nodes.expert import ExpertNode
from il_ros.nodes.graph import overrides
from il_ros.nodes.labelling import ask_labels
from il_ros.nodes.runtime import Runtime
from il_ros_interfaces.srv import LabelObservations
import numpy as np
from tqdm import tqdm


@dataclasses.dataclass
class Ledger:
    """What a relabelling cost and brought."""

    episodes: int = 0
    kept: int = 0
    """Episodes that had later labels already and were not asked about again."""
    queries: int = 0
    valid: int = 0
    expert_s: float = 0.0
    """The labeller's own time, s, as it says itself."""

    def line(self, seconds: float) -> str:
        """Return the ledger's line; ``seconds`` is how long all of it took."""
        kept = f'; {self.kept} had labels already' if self.kept else ''
        return (f'{self.episodes} episodes, {self.queries} queries, {self.valid} valid, '
                f"{seconds:.1f} s ({self.expert_s:.2f} s the labeller's own){kept}")


def relabel(folder: Path, own_expert: bool, replace: bool, call_s: float) -> int:
    """
    Write ``<id>.labels.mcap`` for every episode of a run, and print what that cost.

    :param own_expert: start the package's own expert instead of asking one that runs
    :param replace: ask anew also where labels came already
    :param call_s: deadline of each call, s
    """
    paths = episodes_of(folder)
    ledger, started = Ledger(), time.monotonic()

    def with_expert(runtime: Runtime):
        runtime.add_hot(ExpertNode, parameter_overrides=overrides(
            {'task': read_episode(paths[0]).spec.task}))

    async def command(client: Client):
        service = client.create_client(
            LabelObservations, 'label_observations', callback_group=client.waiter.group)
        for path in tqdm(paths, desc='relabelling', unit='episode'):
            if labels_path(path).exists() and not replace:
                ledger.kept += 1
                continue
            episode = read_episode(path)
            steps = np.arange(episode.steps)
            actions, valid, labeller, seconds = await ask_labels(
                client.waiter, service, call_s, episode, steps)
            write_labels(path, episode, steps, actions, valid, labeller, seconds, time.time_ns())
            ledger.episodes += 1
            ledger.queries += len(steps)
            ledger.valid += int(valid.sum())
            ledger.expert_s += seconds
    code = run_client(command, with_expert if own_expert and paths else None)
    print(ledger.line(time.monotonic() - started))
    return code
