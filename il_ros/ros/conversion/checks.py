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

"""Checks of messages on arrival: what a node refuses before it takes anything from them."""

from array import array
import functools
import math

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import ENDED, EPISODE_ID, EXPERT, TELEOP
from il_ros.errors import BadMessageError
from il_ros_interfaces.msg import Drive, EpisodeStatus, Observation

_TOP, _TOP_NEGATIVE = 0x7f, 0xff
"""Highest byte of a float that is NaN, infinite or huge (beyond 1.7e38): others pass quickly."""


def check_phase(message: EpisodeStatus | Observation):
    """
    Check the phase of a message.

    :raises BadMessageError: if there is no such phase
    """
    if message.phase > ENDED:
        raise BadMessageError(f'phase is {message.phase}; expected 0 (idle), 1 (running) or 2 '
                              '(ended)')


def check_status(message: EpisodeStatus):
    """
    Check what the task says of its episode.

    :raises BadMessageError: for a phase or an id that there is not
    """
    if message.phase > ENDED:
        check_phase(message)
    _check_id(message.episode_id)


def check_observation(message: Observation, contract: Contract):
    """
    Check that an observation is one of a contract; an empty frame counts as the contract's.

    :raises BadMessageError: for another contract, frame or width, or a number that is not finite
    """
    if message.phase > ENDED:
        check_phase(message)
    if message.contract_id != contract.id:
        raise BadMessageError(f'contract_id is {message.contract_id}; expected {contract.id} '
                              f'({contract.name})')
    frame_id = message.header.frame_id
    if frame_id != contract.action_frame_id and frame_id:
        raise BadMessageError(f'frame_id is {frame_id!r}; expected {contract.action_frame_id!r}')
    check_values(message.values, contract.width)


def check_values(values: array, width: int):
    """
    Check the float32 numbers of an observation or an action.

    :raises BadMessageError: if there is another number of them, or one that is not finite
    """
    if len(values) != width:
        raise BadMessageError(f'values has {len(values)} entries; expected {width}')
    top = values.tobytes()[3::4]
    if (_TOP in top or _TOP_NEGATIVE in top) and not math.isfinite(sum(values)):
        raise BadMessageError('values has a number that is not finite')


def are_finite(raw: bytes, start: int, stop: int, code: str = 'f') -> bool:
    """
    Tell whether the numbers in a part of a message's bytes are finite.

    :param code: ``f``: they are float32; ``d``: float64
    """
    size = 4 if code == 'f' else 8
    top = raw[start + size - 1:stop:size]
    return (_TOP not in top and _TOP_NEGATIVE not in top
            or all(map(math.isfinite, array(code, raw[start:stop]))))


def check_drive(message: Drive):
    """
    Check who is to answer.

    :raises BadMessageError: for a source or an id that there is not, or a threshold not finite
    """
    for source in message.required:
        if not EXPERT <= source <= TELEOP:
            raise BadMessageError(f'required has the source {source}; expected 1 (expert), 2 '
                                  '(policy) or 3 (teleop)')
    if not math.isfinite(message.threshold):
        raise BadMessageError(f'threshold is {message.threshold}; expected a finite number')
    _check_id(message.episode_id)


@functools.lru_cache(maxsize=16)
def _check_id(episode_id: str):
    if episode_id and not EPISODE_ID.fullmatch(episode_id):
        raise BadMessageError(f'episode_id is {episode_id!r}; expected [a-z0-9][a-z0-9_-]*, at '
                              'most 64 characters')
