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
Verification: whether the files of a run are still those that were recorded.

Each episode is compared with its receipt (SHA-256), decoded, and its content with its name and
with what the receipt says of it; what lies beside it is read against it, and the aggregated data
set against the episodes that it was made of.
"""

from collections.abc import Iterator
import dataclasses
from pathlib import Path

from il_ros.contract.contract import Contract, VALUES
from il_ros.contract.episode_spec import EPISODE_ID
from il_ros.dataset.aggregation import source_of
from il_ros.dataset.dataset import contract_of, index_of, opened
from il_ros.episodes.discards import discarded, discards_path
from il_ros.episodes.label_file import labels_path, read_labels
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import read_receipt, Receipt, receipt_of, receipt_path, verify
from il_ros.errors import DatasetBusyError, DatasetError, EpisodeFileError
from il_ros.runs.inventory import episodes_of, Progress, shards_of
import numpy as np

REDERIVED = ('spec', 'content_sha256', 'steps', 'dropped', 'end', 'cause', 'success',
             'goals_reached', 'labels', 'queries', 'watched', 'expert_steps', 'takeovers')
"""Fields of a receipt that the episode itself tells again."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is wrong; the sentence names the file."""

    path: Path
    sentence: str
    outdated: bool = False
    """It is whole, and was made of what has changed since."""
    busy: bool = False
    """It may be whole, but another program has it open; nothing is to be repaired."""


def verify_run(folder: Path, progress: Progress = iter) -> list[Finding]:
    """
    Look for damage in everything that a run has recorded and aggregated.

    :param progress: goes through the episodes and may show how far it is
    :returns: what was found, in the order of the files; none: all is whole
    """
    findings: list[Finding] = []
    whole: set[str] = set()
    for path in progress(episodes_of(folder)):
        wrong = verify_episode(path)
        findings += wrong
        receipt = None if wrong else read_receipt(receipt_path(path))
        if receipt is not None and not receipt.flags:
            whole.add(source_of(path, receipt))
    for shard in shards_of(folder):
        findings += _orphans(shard)
    for path in sorted(Path(folder).glob('*.hdf5')):
        if '.damaged-' in path.name:
            continue
        findings += _dataset(path, whole)
    return findings


def verify_episode(path: Path) -> list[Finding]:
    """Compare an episode with its receipt, itself and what lies beside it."""
    try:
        receipt = verify(path)
        episode = read_episode(path)
    except EpisodeFileError as error:
        return [Finding(path, str(error))]
    again = receipt_of(episode, path, receipt.sha256)
    differing = [name for name in REDERIVED
                 if getattr(again, name) != getattr(receipt, name)]
    if again.flags & ~receipt.flags:
        differing.append('flags')
    findings = []
    if differing:
        findings.append(Finding(receipt_path(path), (
            f'{receipt_path(path)} says something else of {", ".join(differing)} than the '
            'episode does')))
    try:
        read_labels(path, episode)
    except EpisodeFileError as error:
        findings.append(Finding(labels_path(path), str(error)))
    return findings + _discards(path, receipt)


def _discards(path: Path, receipt: Receipt) -> list[Finding]:
    where = discards_path(path)
    try:
        ranges = discarded(path)
    except EpisodeFileError as error:
        return [Finding(where, str(error))]
    wrong = [pair for pair in ranges if not 0 <= pair[0] <= pair[1] < receipt.steps]
    return [Finding(where, f'{where} discards the steps {pair[0]} to {pair[1]}; the episode has '
                           f'0 to {receipt.steps - 1}') for pair in wrong]


def _orphans(shard: Path) -> Iterator[Finding]:
    """Find what belongs to no episode, and what a killed recorder or repair left."""
    for path in sorted(shard.iterdir()):
        name, _, rest = path.name.partition('.')
        if not EPISODE_ID.fullmatch(name):
            continue
        if rest.rpartition('.')[2] in ('tmp', 'rescue', 'misplaced'):
            yield Finding(path, f'{path} was left by a process that was killed, or is still '
                                'being written')
        elif rest in ('json', 'labels.mcap', 'discarded.json') and not (
                shard / f'{name}.mcap').exists():
            yield Finding(path, f'{path} belongs to {name}.mcap, which is missing')


def _dataset(path: Path, whole: set[str]) -> Iterator[Finding]:
    try:
        with opened(path) as file:
            contract = contract_of(file)
            flat = {name: file['il_ros'][name][()]
                    for name in ('observations', 'actions', 'label_valid')}
            demos = index_of(file)
            for demo in demos:
                wrong = _demo(file['data'][demo['name']], demo, flat, contract)
                if wrong:
                    yield Finding(path, f'{path}: {demo["name"]} {wrong}')
            gone = [file['data'][demo['name']].attrs['episode_id'] for demo in demos
                    if demo['source'] not in whole]
            if gone:
                yield Finding(path, (
                    f'{path} was made of {len(gone)} of {len(demos)} episodes that are missing, '
                    f'damaged or have changed since (labels, discards), e.g. {gone[0]}'), True)
            named = {name.decode() for key in file['mask'] for name in file['mask'][key][()]}
            unknown = sorted(named - {demo['name'] for demo in demos})
            if unknown:
                yield Finding(path, f'{path}: a filter key names {unknown[0]}, which is missing')
    except DatasetError as error:
        yield Finding(path, str(error), busy=isinstance(error, DatasetBusyError))


def _demo(group, demo: dict, flat: dict, contract: Contract) -> str:
    """Return what is wrong with one demo of an aggregated file; empty: nothing."""
    rows = slice(demo['start'], demo['stop'])
    same = {'actions': flat['actions'][rows], 'label_valid': flat['label_valid'][rows]}
    for feature in contract.features:
        if feature.kind == VALUES:
            same[f'obs/{feature.name}'] = flat['observations'][rows, feature.start:feature.stop]
    differing = [name for name, values in same.items()
                 if not np.array_equal(group[name][()], values)]
    return f'holds another {", ".join(differing)} than the rows beside it' if differing else ''
