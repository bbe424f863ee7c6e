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

"""Arrays to ``LabelObservations`` and back, for those who ask and those who answer."""

from collections.abc import Iterator

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import EXPERT, RUNNING
from il_ros.episodes.episode import Episode
from il_ros.errors import ImitationError
from il_ros.ros.conversion.messages import contract_from_message, contract_to_message, float32s
from il_ros.ros.conversion.messages import to_stamp
from il_ros.settings import is_finite
from il_ros_interfaces.msg import Action, Observation
from il_ros_interfaces.srv import LabelObservations
import numpy as np

MAX_OBSERVATIONS = 256
"""Observations in one call, as ``LabelObservations.srv`` says."""


class TooManyError(ImitationError):
    """More observations in one call than are allowed."""

    code = 402


class BadObservationError(ImitationError):
    """An observation that cannot be labelled."""

    code = 403


class BadAnswerError(ImitationError):
    """A labelling service that answered something else than labels for what was asked."""

    code = 404


def read_request(request: LabelObservations.Request) -> tuple[Contract, np.ndarray]:
    """
    Return the contract and the observations asked about, shape ``(N, D)``, float32.

    :raises TooManyError: for more than 256 observations
    :raises BadObservationError: for a wrong contract id, width or order, or a number not finite
    :raises ContractError: if the contract contradicts itself
    """
    if len(request.observations) > MAX_OBSERVATIONS:
        raise TooManyError(f'{len(request.observations)} observations in one call; at most '
                           f'{MAX_OBSERVATIONS} are answered')
    contract = contract_from_message(request.contract)
    rows = np.zeros((len(request.observations), contract.width), np.float32)
    last = -1
    for row, observation in zip(rows, request.observations):
        where = f'observation of step {observation.step}'
        if observation.contract_id != contract.id:
            raise BadObservationError(f'{where} has contract {observation.contract_id:x}; the '
                                      f'request carries {contract.id:x}')
        if len(observation.values) != contract.width:
            raise BadObservationError(f'{where} has {len(observation.values)} values; the '
                                      f'contract has {contract.width}')
        if observation.step <= last:
            raise BadObservationError(f'{where} comes after step {last}; expected ascending')
        row[:] = observation.values
        last = observation.step
    if not np.isfinite(rows).all():
        raise BadObservationError('an observation has a value that is not finite')
    return contract, rows


def fill_response(request: LabelObservations.Request, response: LabelObservations.Response,
                  actions: np.ndarray, valid: np.ndarray, labeller: str):
    """
    Put labels into the response.

    :param actions: shape ``(N, A)``, float32
    :param valid: shape ``(N,)``, bool; where the expert has an answer
    """
    response.labeller = labeller
    response.valid = valid.tolist()
    response.actions = [
        Action(header=observation.header, contract_id=observation.contract_id, source=EXPERT,
               engaged=True, values=float32s(action if ok else ()), uncertainty=-1.0)
        for observation, action, ok in zip(request.observations, actions, valid)]


def make_requests(episode: Episode, steps: np.ndarray) -> Iterator[LabelObservations.Request]:
    """
    Yield the calls that ask for labels of these steps of an episode.

    :param steps: ascending indices into ``episode.observations``
    """
    contract = contract_to_message(episode.contract)
    for start in range(0, len(steps), MAX_OBSERVATIONS):
        chosen = steps[start:start + MAX_OBSERVATIONS]
        yield LabelObservations.Request(
            contract=contract, task=episode.spec.task,
            observations=[_observation(episode, int(step)) for step in chosen])


def _observation(episode: Episode, step: int) -> Observation:
    message = Observation(
        contract_id=episode.contract.id, step=step, phase=RUNNING,
        episode_id=episode.spec.episode_id, values=float32s(episode.observations[step]))
    message.header.stamp = to_stamp(int(episode.stamps_ns[step]))
    message.header.frame_id = episode.contract.action_frame_id
    return message


def read_response(request: LabelObservations.Request, response: LabelObservations.Response,
                  contract: Contract) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the labels: actions, shape ``(N, A)``, float32, and which are valid, shape ``(N,)``.

    A label that is not finite or has the wrong width is not valid, whatever the service says.

    :raises BadAnswerError: if the service refused, or answered other stamps than were asked, or
        a label outside the contract's bounds
    """
    width = len(contract.actions)
    if response.error_code:
        raise BadAnswerError(f'label_observations refused: {response.error_msg}')
    count = len(request.observations)
    if not (is_finite(response.seconds) and response.seconds >= 0.0):
        raise BadAnswerError(f'label_observations says that it took {response.seconds} s; '
                             'expected a finite number, at least 0')
    if len(response.actions) != count or len(response.valid) != count:
        raise BadAnswerError(f'label_observations answered {len(response.actions)} of {count} '
                             'observations')
    actions, valid = np.zeros((count, width), np.float32), np.zeros(count, bool)
    for i, (asked, answer) in enumerate(zip(request.observations, response.actions)):
        if asked.header.stamp != answer.header.stamp:
            raise BadAnswerError(f'label_observations answered another stamp than that of step '
                                 f'{asked.step}')
        if response.valid[i] and len(answer.values) == width and (
                np.isfinite(answer.values).all()):
            actions[i], valid[i] = answer.values, True
            _refuse_outside(contract, actions[i], asked.step)
    return actions, valid


def _refuse_outside(contract: Contract, action: np.ndarray, step: int):
    if not contract.accepts(action):
        raise BadAnswerError(f'label_observations answered step {step} outside the bounds of the '
                             f'contract {contract.name}: {contract.complaint(action)}')
