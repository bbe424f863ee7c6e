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


"""Several runs as one: every episode with its receipt, labels and discards, byte for byte."""

from collections.abc import Sequence
import dataclasses
from pathlib import Path

from il_ros.contract.episode_spec import EPISODE_ID
from il_ros.dataset.aggregation import source_of
from il_ros.dataset.dataset import same_contract
from il_ros.episodes.discards import discards_path
from il_ros.episodes.label_file import labels_path, read_labels, write_labels
from il_ros.episodes.mcap import McapFile, read_mcap
from il_ros.episodes.reader import head, read_episode
from il_ros.episodes.receipts import content_of, Receipt, verify, write_receipt
from il_ros.episodes.streams import stream_counts
from il_ros.episodes.wire.encoding import with_text
from il_ros.episodes.wire.schema import RECORDED
from il_ros.episodes.writer import EpisodeWriter
from il_ros.errors import MergeError
from il_ros.files.folders import new_folder
from il_ros.runs.inventory import EPISODES, episodes_of, Progress
from il_ros.runs.kept_contract import keep_contracts_of
from il_ros.runs.run_kind import RunKind
import numpy as np


@dataclasses.dataclass(frozen=True)
class Merged:
    """What became of the episodes of several runs."""

    episodes: int
    renamed: dict[str, str]
    """New id by shard and old id, ``<shard>/<id>``."""
    repeated: tuple[str, ...]
    """Ids that two runs had with the same bytes; each was taken once."""


@dataclasses.dataclass(frozen=True)
class _Source:
    path: Path
    receipt: Receipt
    shard: str


def merge_runs(runs: Sequence[Path], output: Path, rename: bool = False,
               progress: Progress = iter, mix_options: bool = False) -> Merged:
    """
    Put the episodes of several runs into the new run ``output``, one shard for each run.

    :param rename: give the second episode of an id the name ``<id>-2``, the third ``<id>-3``;
        else two different ones of an id are refused
    :param progress: goes through the episodes and may show how far it is
    :param mix_options: take episodes with other options, too (bumps, a biased expert)
    :raises MergeError: if ``output`` exists, two runs have the same name, an id is there twice,
        one episode with other labels or discards, or two tasks or options meet
    :raises DatasetError: if two episodes have different contracts
    :raises EpisodeFileError: naming the file that is missing, damaged or exchanged
    """
    names = [Path(run).resolve().name for run in runs]
    if len(set(names)) < len(names):
        raise MergeError(f'two of the runs {", ".join(map(str, runs))} have the same name; rename '
                         'a folder first: it becomes the name of the shard')
    found = [(path, name) for run, name in zip(runs, names, strict=True)
             for path in episodes_of(run)]
    sources, contract, repeated, kind = [], None, [], None
    seen: dict[str, list[_Source]] = {}
    for path, shard in progress(found):
        receipt = verify(path)
        contract = same_contract(contract, head(read_mcap(path))[1], path)
        kind = _same_kind(kind, receipt, path, mix_options)
        others = seen.setdefault(receipt.spec.episode_id, [])
        if same := [one for one in others if one.receipt.sha256 == receipt.sha256]:
            _refuse_difference(path, receipt, same[0])
            repeated.append(receipt.spec.episode_id)
            continue
        if others and not rename:
            raise MergeError(f'{path}: the id {receipt.spec.episode_id} exists already with '
                             'other content; --rename gives it another name')
        others.append(_Source(path, receipt, shard))
        sources.append(others[-1])
    if not sources:
        raise MergeError(f'{", ".join(map(str, runs))} have no episode')
    with new_folder(output, MergeError) as place:
        renamed = _take(sources, place / EPISODES)
        keep_contracts_of(runs, place)
    return Merged(len(sources), renamed, tuple(repeated))


def _same_kind(kind: RunKind | None, receipt: Receipt, path: Path, mix_options: bool) -> RunKind:
    """Return task and options of the first episode, which all others have to share."""
    found = RunKind(receipt.spec.task, '' if mix_options else receipt.spec.options)
    differing = found.difference(kind or found)
    if differing is not None:
        what, other, first = differing
        hint = '; --mix-options takes both' if what == 'options' else ''
        raise MergeError(f'{path} has {what} {other}; the others have {first}{hint}')
    return found


def _refuse_difference(path: Path, receipt: Receipt, taken: _Source):
    """Demand that nothing is lost when of two copies of an episode the first one is taken."""
    if (receipt.flags != taken.receipt.flags
            or source_of(path, receipt) != source_of(taken.path, taken.receipt)):
        raise MergeError(f'{path}: the same episode as {taken.path}, but with other later labels '
                         'or discards; make them alike first, for one of the two is taken')


def _take(sources: Sequence[_Source], place: Path) -> dict[str, str]:
    counts: dict[str, int] = {}
    taken = {source.receipt.spec.episode_id for source in sources}
    renamed = {}
    for source in sources:
        old = source.receipt.spec.episode_id
        counts[old] = counts.get(old, 0) + 1
        folder = place / source.shard
        if counts[old] == 1:
            copy_episode(source.path, folder, source.receipt)
            continue
        new = f'{old}-{counts[old]}'
        if not EPISODE_ID.fullmatch(new) or new in taken:
            raise MergeError(f'{source.path} cannot be renamed: {new} is taken or too long')
        taken.add(new)
        _rename(source, folder, new)
        renamed[f'{source.shard}/{old}'] = new
    return renamed


def copy_episode(path: Path, folder: Path, receipt: Receipt) -> Path:
    """
    Copy an episode with all that lies beside it into a shard; return its new file.

    :raises EpisodeFileError: naming the file that cannot be read
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / path.name
    for old, new in ((path, target), (labels_path(path), labels_path(target)),
                     (discards_path(path), discards_path(target))):
        if old.exists():
            new.write_bytes(content_of(old))
    write_receipt(target, dataclasses.replace(
        receipt, path=f'{EPISODES}/{folder.name}/{target.name}'))
    return target


def _rename(source: _Source, folder: Path, new: str):
    file = read_mcap(source.path)
    spec, contract = head(file)
    schemas = {channel.topic: channel.schema for channel in file.channels.values()}
    writer = EpisodeWriter(folder, dataclasses.replace(spec, episode_id=new), contract, schemas,
                           min_free_bytes=0)
    for topic, raw, log_time_ns in _messages(file, new):
        writer.write(topic, raw, log_time_ns)
    writer.note_streams(stream_counts(file))
    receipt = source.receipt
    writer.close(flags=receipt.flags, gate_threshold=receipt.gate_threshold,
                 error_msg=receipt.error_msg)
    _move_labels(source.path, writer.path)
    if discards_path(source.path).exists():
        discards_path(writer.path).write_bytes(content_of(discards_path(source.path)))


def _messages(file: McapFile, new: str):
    """Return topic, message of the renamed episode and log time in ns, in the file's order."""
    changed = {}
    for channel in file.channels.values():
        if channel.topic in RECORDED:
            raws = [file.data[begin:end] for begin, end in channel.spots]
            changed[channel.topic] = iter(with_text(channel.schema, raws, 'episode_id', new))
    for topic, raw, log_time_ns in file.in_order():
        yield topic, next(changed[topic]) if topic in changed else raw, log_time_ns


def _move_labels(old: Path, new: Path):
    stored = read_labels(old, read_episode(old))
    if stored is not None:
        steps = np.flatnonzero(stored.asked)
        write_labels(new, read_episode(new), steps, stored.answers.actions[steps],
                     stored.answers.valid[steps], stored.labeller, stored.seconds,
                     used=stored.used)
