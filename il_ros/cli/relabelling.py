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

from il_ros.contract.episode_spec import EVALUATION
from il_ros.episodes.episode import Episode
from il_ros.episodes.label_file import read_labels, StoredLabels, use_labels, write_labels
from il_ros.episodes.labels import takes_later_labels
from il_ros.episodes.reader import read_episode
from il_ros.errors import EpisodeFileError
from il_ros.graph.client import Client, run_client
from il_ros.graph.graph import overrides
from il_ros.graph.run_folders import server_of
from il_ros.nodes.expert import ExpertNode
from il_ros.progress import each
from il_ros.ros.driver_clients import ask_labels
from il_ros.ros.runtime import Runtime
from il_ros.runs.inventory import EPISODES, episodes_of
from il_ros.runs.shard import receipts_in
from il_ros_interfaces.srv import LabelObservations
import numpy as np


@dataclasses.dataclass
class Ledger:
    """Cost and result of a relabelling."""

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


def outlook(folder: Path, use: bool) -> str:
    """Return, before anybody is asked, how many of the labels training would use, and why."""
    fresh = driven = total = judged = 0
    for _, receipt in receipts_in(folder / EPISODES):
        if receipt.spec.purpose == EVALUATION:
            judged += receipt.steps
            continue
        total += receipt.steps
        bare = receipt.steps - receipt.labels
        if takes_later_labels(receipt.spec.plan.labels, use):
            fresh += bare
        else:
            driven += bare
    words = [f'of {total + judged} recorded states, {fresh} get the label that they lack']
    if driven:
        words.append(f'{driven} get none that counts, for their strategy learns only from what '
                     'the expert or a person drove: --use makes their labels count, also later '
                     'and without asking again')
    if total - fresh - driven:
        words.append(f'{total - fresh - driven} keep the label of the loop')
    if judged:
        words.append(f'{judged} are of evaluations, which nothing learns from')
    return '; '.join(words)


def relabel(folder: Path, own_expert: bool, replace: bool, call_s: float,
            use: bool = False) -> int:
    """
    Write ``<id>.labels.mcap`` for every episode of a run, and print what that cost.

    :param own_expert: start the package's own expert instead of asking one that runs
    :param replace: ask anew also where labels came already
    :param call_s: deadline of each call, s
    :param use: let the labels count also where the plan wants only driven steps labelled; those
        that are there already, too
    """
    paths = episodes_of(folder)
    print(outlook(folder, use), flush=True)
    ledger, started = Ledger(), time.monotonic()

    def with_expert(runtime: Runtime):
        runtime.add(ExpertNode, parameter_overrides=overrides(
            {'task': read_episode(paths[0]).spec.task}))

    async def command(client: Client):
        service = client.create_client(
            LabelObservations, 'label_observations', callback_group=client.waiter.group)
        if paths and not own_expert:
            await server_of(client, 'label_observations')
        for path in each(paths, 'relabelling'):
            episode = read_episode(path)
            earlier = _earlier(path, episode, replace)
            if earlier is not None and not replace:
                if use:
                    use_labels(path, episode)
                ledger.kept += 1
                continue
            steps = np.arange(episode.steps)
            actions, valid, labeller, seconds = await ask_labels(
                client.waiter, service, call_s, episode, steps)
            write_labels(path, episode, steps, actions, valid, labeller, seconds, time.time_ns(),
                         use or (earlier is not None and earlier.used))
            ledger.episodes += 1
            ledger.queries += len(steps)
            ledger.valid += int(valid.sum())
            ledger.expert_s += seconds
    code = run_client(command, with_expert if own_expert and paths else None)
    print(ledger.line(time.monotonic() - started))
    return code


def _earlier(path: Path, episode: Episode, replace: bool) -> StoredLabels | None:
    """Return the labels that came already; damaged ones are none where they will be replaced."""
    try:
        return read_labels(path, episode)
    except EpisodeFileError as error:
        if replace:
            return None
        raise EpisodeFileError(f'{error}; --replace asks for them again') from error
