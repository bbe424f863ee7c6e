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
Labels that came after the episode: ``<id>.labels.mcap`` beside ``<id>.mcap``.

One ``Action`` for each state that was asked about, with the stamp of its observation; without
values where the expert had no answer. Another expert's answers replace the file, never the
episode.
"""

from collections.abc import Iterator
import dataclasses
import io
from pathlib import Path

from il_ros.contract.episode_spec import EXPERT
from il_ros.episodes.episode import Answers, Episode
from il_ros.episodes.mcap import McapFile, read_mcap
from il_ros.episodes.wire.cdr import groups, NS, stamps_of
from il_ros.episodes.wire.encoding import encode
from il_ros.episodes.wire.schema import ACTION, EXECUTED, extract, Schema
from il_ros.errors import DecodeError, EpisodeFileError, LabelError, SchemaError
from il_ros.files.atomic import write_atomically
from mcap.writer import CompressionType, Writer
import numpy as np

METADATA = 'il_ros.labels'
TOPIC = 'label'
NOT_ESTIMATED = -1.0
_USED = 'used'


@dataclasses.dataclass(frozen=True)
class StoredLabels:
    """What the labelling service answered for one episode, and who it was."""

    answers: Answers
    """One row an action of the episode."""

    asked: np.ndarray
    """Shape ``(T,)``, bool: states that the service was asked about; each is a query."""

    labeller: str
    seconds: float
    """The expert's own time, s."""

    used: bool = False
    """They count in training also where the plan wants only driven steps labelled."""


def labels_path(episode_path: Path) -> Path:
    """Return where the labels that came after an episode lie."""
    return Path(episode_path).with_suffix('.labels.mcap')


def write_labels(episode_path: Path, episode: Episode, steps: np.ndarray, actions: np.ndarray,
                 valid: np.ndarray, labeller: str, seconds: float = 0.0,
                 labelled_at_ns: int = 0, used: bool = False):
    """
    Put the service's answers beside the episode, whole or not at all.

    :param steps: which states were asked about, shape ``(N,)``, ascending
    :param actions: shape ``(N, act_dim)``, float32, not clipped
    :param valid: shape ``(N,)``, bool; false: the expert had no answer
    :param labelled_at_ns: when, for people; ``log_time`` of the records
    :param used: let them count also where the plan wants only driven steps labelled
    :raises LabelError: if the arrays do not fit the episode, or a label is not finite or lies
        outside the contract's bounds
    :raises EpisodeWriteError: naming the file
    """
    steps, actions = np.asarray(steps), np.asarray(actions, np.float32)
    _check(episode, steps, actions, valid)
    buffer = io.BytesIO()
    writer = Writer(buffer, compression=CompressionType.NONE, enable_data_crcs=True)
    writer.start('ros2', 'il_ros')
    writer.add_metadata(METADATA, {
        'episode_id': episode.spec.episode_id, 'labeller': labeller,
        'contract': episode.contract.to_json(), 'seconds': repr(float(seconds)),
        **({_USED: 'true'} if used else {})})
    schema = _action_schema(episode_path)
    number = writer.register_schema(schema.name, 'ros2msg', schema.text.encode())
    channel = writer.register_channel(TOPIC, 'cdr', number)
    for step, raw in zip(steps, _messages(schema, episode, steps, actions, valid), strict=True):
        stamp_ns = max(int(episode.stamps_ns[step]), 0)
        writer.add_message(channel, labelled_at_ns, raw, stamp_ns)
    writer.finish()
    write_atomically(labels_path(episode_path), buffer.getvalue())


def read_labels(episode_path: Path, episode: Episode) -> StoredLabels | None:
    """
    Read the labels that came after an episode.

    :returns: None: none came
    :raises EpisodeFileError: naming the file: damaged, or of another episode
    """
    path = labels_path(episode_path)
    if not path.exists():
        return None
    file = read_mcap(path)
    entries = file.metadata.get(METADATA, {})
    if entries.get('episode_id') != episode.spec.episode_id:
        raise EpisodeFileError(f'{path} holds labels of {entries.get("episode_id")}; expected '
                               f'{episode.spec.episode_id}')
    try:
        answers, asked = _answers(file, episode)
        return StoredLabels(answers, asked, entries['labeller'], float(entries['seconds']),
                            entries.get(_USED) == 'true')
    except (DecodeError, SchemaError, KeyError, ValueError) as error:
        raise EpisodeFileError(f'{path} holds no labels: {error}') from error


def use_labels(episode_path: Path, episode: Episode):
    """
    Use the later labels of an episode, without asking again.

    :raises EpisodeFileError: naming the file: damaged, or of another episode
    :raises EpisodeWriteError: naming the file
    """
    stored = read_labels(episode_path, episode)
    if stored is None or stored.used:
        return
    at_ns = max((log_ns for *_, log_ns in read_mcap(labels_path(episode_path)).in_order()),
                default=0)
    steps = np.flatnonzero(stored.asked)
    write_labels(episode_path, episode, steps, stored.answers.actions[steps],
                 stored.answers.valid[steps], stored.labeller, stored.seconds, at_ns, used=True)


def _answers(file: McapFile, episode: Episode) -> tuple[Answers, np.ndarray]:
    answers = Answers.none(episode.steps, len(episode.contract.actions))
    asked = np.zeros(episode.steps, bool)
    schema, raws = file.messages(ACTION)
    stamps_ns = episode.stamps_ns[:-1]
    for _, rows in groups(schema, raws) if schema and raws else ():
        stamps = stamps_of(rows)
        steps = np.minimum(np.searchsorted(stamps_ns, stamps), episode.steps - 1)
        if (stamps_ns[steps] != stamps).any():
            raise ValueError('a stamp in it is that of no observation of the episode')
        if (rows['contract_id'] != np.uint64(episode.contract.id)).any():
            raise ValueError('its contract is not that of the episode')
        asked[steps] = True
        if rows['values'].shape[1]:
            _refuse_outside(episode, steps, rows['values'])
            answers.actions[steps] = rows['values']
            answers.valid[steps] = True
    return answers, asked


def _check(episode: Episode, steps: np.ndarray, actions: np.ndarray, valid: np.ndarray):
    name = episode.spec.episode_id
    expected = (len(steps), len(episode.contract.actions))
    if actions.shape != expected or len(valid) != len(steps):
        raise LabelError(f'{name}: {len(valid)} labels of shape {actions.shape}; expected shape '
                         f'{expected}')
    if len(steps) and not (0 <= steps[0] and steps[-1] < episode.steps
                           and (np.diff(steps) > 0).all()):
        raise LabelError(f'{name}: the labelled steps are not ascending within 0 to '
                         f'{episode.steps - 1}')
    valid = np.asarray(valid, bool)
    if not np.isfinite(actions[valid]).all():
        raise LabelError(f'{name}: a label is not finite')
    try:
        _refuse_outside(episode, steps[valid], actions[valid])
    except ValueError as error:
        raise LabelError(f'{name}: {error}') from error


def _refuse_outside(episode: Episode, steps: np.ndarray, actions: np.ndarray):
    accepted = episode.contract.accepts(actions)
    if not accepted.all():
        first = int(np.argmin(accepted))
        raise ValueError(f'the label of step {steps[first]} lies outside the bounds: '
                         f'{episode.contract.complaint(actions[first])}')


def _action_schema(episode_path: Path) -> Schema:
    """Return the definition of ``Action`` from the episode itself: it needs no ROS."""
    for channel in read_mcap(episode_path).channels.values():
        if channel.schema.name == EXECUTED:
            return extract(channel.schema, ACTION)
    raise EpisodeFileError(f'{episode_path} has no channel of {EXECUTED}')


def _messages(schema: Schema, episode: Episode, steps: np.ndarray, actions: np.ndarray,
              valid: np.ndarray) -> Iterator[bytes]:
    for step, action, usable in zip(steps, actions, valid, strict=True):
        seconds, nanoseconds = divmod(int(episode.stamps_ns[step]), NS)
        yield encode(schema, {
            'header': {'stamp': {'sec': seconds, 'nanosec': nanoseconds},
                       'frame_id': episode.contract.action_frame_id},
            'contract_id': episode.contract.id, 'source': EXPERT, 'engaged': True,
            'policy_id': 0, 'values': action if usable else (), 'uncertainty': NOT_ESTIMATED})
