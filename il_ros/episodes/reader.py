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

"""Read an episode file into arrays, or explain in a sentence why it is invalid."""

import functools
from pathlib import Path

from il_ros.contract.contract import Contract, ContractError
from il_ros.contract.episode_spec import ENDED, EpisodeSpec, EXPERT, POLICY, SpecError, TELEOP
from il_ros.episodes.episode import Answers, Episode
from il_ros.episodes.mcap import McapFile, read_mcap
from il_ros.episodes.track import Track
from il_ros.episodes.wire.schema import EXECUTED, OBSERVATION, STATUS
from il_ros.errors import DecodeError, EpisodeFileError, SchemaError
import numpy as np

METADATA = 'il_ros'
"""Name of the metadata record that says what an episode was to be."""


def read_episode(path: Path | str) -> Episode:
    """
    Read a finished episode.

    Repeated messages count once, late ones are put in their place by their stamps. Where one
    is missing the arrays stop before the gap, ``complete`` is false and ``dropped`` counts.

    >>> import il_ros
    >>> episode = il_ros.read_episode(il_ros.open_run('runs/first').episodes()[0])
    >>> len(episode.observations) - len(episode.executed)
    1

    :raises EpisodeFileError: naming the file: missing, cut short, damaged, foreign, or the
        content of another episode than its name says
    """
    return episode_in(read_mcap(Path(path)))


def episode_in(file: McapFile) -> Episode:
    """
    Return the finished episode of a file that has been read, as ``read_episode`` does.

    :raises EpisodeFileError: naming the file: foreign, or another episode than its name says
    """
    episode = decode(file)
    expected = Path(file.path).name.partition('.')[0]
    if episode.spec.episode_id != expected:
        raise EpisodeFileError(f'{file.path} holds the episode {episode.spec.episode_id}; '
                               f'expected {expected}')
    return episode


def decode(file: McapFile) -> Episode:
    """
    Return the episode whose messages ``file`` holds.

    :raises EpisodeFileError: naming the file and what does not fit
    """
    try:
        spec, contract = head(file)
        return _Assembly(file, spec, contract).episode()
    except (DecodeError, SchemaError, SpecError, ContractError, ValueError) as error:
        raise EpisodeFileError(f'{file.path} is not a complete episode: {error}') from error
    except KeyError as error:
        raise EpisodeFileError(
            f'{file.path} is not a complete episode: its messages lack {error}') from error


def head(file: McapFile) -> tuple[EpisodeSpec, Contract]:
    """
    Return what the file says of itself: the specification and the contract.

    :raises EpisodeFileError: if it is a foreign file
    """
    entries = file.metadata.get(METADATA, {})
    if 'spec' not in entries or 'contract' not in entries:
        raise EpisodeFileError(f'{file.path} was not recorded by il_ros: it has no metadata '
                               f'record {METADATA!r} with spec and contract')
    return EpisodeSpec.from_json(entries['spec']), _contract(entries['contract'])


@functools.lru_cache(maxsize=16)
def _contract(text: str) -> Contract:
    return Contract.from_json(text)


class _Assembly:
    """The three topics of an episode, joined by stamp."""

    def __init__(self, file: McapFile, spec: EpisodeSpec, contract: Contract):
        self._spec, self._contract = spec, contract
        self._refused = 0
        observation = self._track(file, OBSERVATION)
        self._executed = self._track(file, EXECUTED)
        self._status = self._track(file, STATUS)
        if observation is None or observation.unbroken() == 0:
            raise ValueError('it has no observation of step 0')
        self._observation = observation
        ids = self._observation.column('contract_id', np.uint64)
        if (ids != np.uint64(contract.id)).any():
            raise ValueError(f'an observation has another contract than {contract.id}, '
                             'which the file names')

    def _track(self, file: McapFile, type_name: str) -> Track | None:
        schema, raws = file.messages(type_name)
        return Track(schema, raws, self._spec.episode_id) if schema and raws else None

    def episode(self) -> Episode:
        """Return the episode up to the first gap."""
        steps = self._steps()
        observations = self._observation.matrix(
            'values', self._contract.width, np.float32)[:steps + 1]
        if not np.isfinite(observations).all():
            raise ValueError('an observation is not finite')
        images = {feature.name: self._observation.images(index, feature.shape)[:steps + 1]
                  for index, feature in enumerate(self._contract.images)}
        dropped, ended = self._dropped(), self._ended()
        return Episode(
            spec=self._spec, contract=self._contract,
            stamps_ns=self._observation.stamps[:steps + 1], observations=observations,
            images=images, **self._actions(steps), **self._outcome(), dropped=dropped,
            complete=ended and dropped == 0)

    def _steps(self) -> int:
        """Return how many actions stand between observations without a gap, by stamp."""
        if self._executed is None:
            return 0
        most = min(self._executed.unbroken(), self._observation.unbroken() - 1)
        apart = np.flatnonzero(
            self._executed.stamps[:most] != self._observation.stamps[:most])
        return int(apart[0]) if apart.size else most

    def _ended(self) -> bool:
        return self._status is not None and bool(
            self._status.column('phase', np.uint8)[-1] == ENDED)

    def _dropped(self) -> int:
        tracks = (self._observation, self._executed, self._status)
        last = max(int(track.steps.max()) for track in tracks if track is not None)
        found = [0 if track is None else len(np.unique(track.steps)) for track in tracks]
        return self._unpaired() + sum(
            max(0, expected - there)
            for expected, there in zip((last + 1, last, last + 1), found, strict=True))

    def _unpaired(self) -> int:
        """Return how many steps have an action with another stamp than their observation."""
        if self._executed is None:
            return 0
        _, acted, seen = np.intersect1d(self._executed.steps, self._observation.steps,
                                        return_indices=True)
        return int((self._executed.stamps[acted] != self._observation.stamps[seen]).sum())

    def _outcome(self) -> dict:
        if self._status is None:
            return {}
        last = {name: int(self._status.column(name, np.int64)[-1])
                for name in ('end', 'cause', 'goals_reached', 'horizon')}
        success = bool(self._status.column('success', np.uint8)[-1])
        return {**last, 'success': success}

    def _actions(self, steps: int) -> dict:
        width, track = len(self._contract.actions), self._executed
        if track is None:
            return _no_actions(width)
        expert = self._inside_bounds(track.answers(EXPERT, width)[0], steps)
        policy, policy_ids = track.answers(POLICY, width)
        teleop = self._inside_bounds(track.answers(TELEOP, width)[0], steps)
        columns = {name: track.column(name, dtype)[:steps] for name, dtype in (
            ('driver', np.uint8), ('chosen', np.uint8), ('limits', np.uint32),
            ('beta', np.float32), ('gate', np.float32))}
        executed = track.matrix('values', width, np.float32)[:steps]
        if not np.isfinite(executed).all():
            raise ValueError('an executed action is not finite')
        names = _joint_names(track.groups[0][1])
        return {**columns, 'executed': executed, 'policy_ids': policy_ids[:steps],
                'commands': track.matrix('command.position', len(names), np.float64)[:steps],
                'joint_names': names, 'expert': expert, 'teleop': teleop,
                'policy': _first(policy, steps), 'refused_labels': self._refused}

    def _inside_bounds(self, answers: Answers, steps: int) -> Answers:
        """Return the answers that may become labels, and count the others."""
        answers = _first(answers, steps)
        valid = answers.valid & self._contract.accepts(answers.actions)
        self._refused += int((answers.valid & ~valid).sum())
        return Answers(np.where(valid[:, None], answers.actions, np.float32(0.0)), valid)


def _first(answers: Answers, steps: int) -> Answers:
    return Answers(answers.actions[:steps], answers.valid[:steps])


def _joint_names(rows: np.ndarray) -> tuple[str, ...]:
    count = rows['command.position'].shape[1]
    return tuple(rows[f'command.name.{index}'][0].decode() for index in range(count))


def _no_actions(width: int) -> dict:
    none = Answers.none(0, width)
    return {'executed': none.actions, 'expert': none, 'policy': none, 'teleop': none,
            'driver': np.zeros(0, np.uint8), 'chosen': np.zeros(0, np.uint8),
            'limits': np.zeros(0, np.uint32), 'beta': np.zeros(0, np.float32),
            'gate': np.zeros(0, np.float32), 'policy_ids': np.zeros(0, np.uint64),
            'commands': np.zeros((0, 0))}
