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

"""The device that a fit computes on: the CPU, or a GPU through CUDA."""

from collections.abc import Mapping

from il_ros.errors import TrainConfigError
from il_ros.learning.config import TrainConfig

AUTO, CPU, CUDA = 'auto', 'cpu', 'cuda'


def choose(asked: str, gpus: int, processes: int = 1, rank: int = 0) -> str:
    """
    Return the device of one process of a fit: ``cpu``, or ``cuda:N``.

    :param asked: as ``TrainConfig.device``
    :param gpus: number of GPUs that there are
    :param processes: of the fit; each takes a GPU of its own
    :param rank: of this process
    :raises TrainConfigError: if there are not enough GPUs
    """
    if asked == CPU or (asked == AUTO and not gpus):
        return CPU
    if not gpus:
        raise TrainConfigError(f'device is {asked!r}, but torch finds no GPU here; expected '
                               f'{AUTO} or {CPU}')
    if processes > gpus:
        raise TrainConfigError(f'{processes} processes need a GPU each, and torch finds {gpus}; '
                               f'expected --processes {gpus}, or the device {CPU}')
    _, _, number = asked.partition(':')
    if number and processes > 1:
        raise TrainConfigError(f'device is {asked!r}, one GPU, for {processes} processes; '
                               f'expected {CUDA}, which gives each its own')
    if int(number or 0) >= gpus:
        raise TrainConfigError(f'device is {asked!r}, and torch finds {gpus} of them; expected '
                               f'{CUDA}:0 to {CUDA}:{gpus - 1}')
    return f'{CUDA}:{number or rank}'


def refuse_small_batches(config: TrainConfig, processes: int):
    """
    Refuse more processes than a batch has pairs.

    :raises TrainConfigError: naming both numbers
    """
    if processes > config.batch:
        raise TrainConfigError(f'--processes is {processes}, but the training setting batch is '
                               f'{config.batch}; expected a pair of each batch for each process')


def made_by(device: str, processes: int) -> Mapping[str, str | int]:
    """Return what a checkpoint notes of how it was computed; empty: on one CPU, in one process."""
    if (device, processes) == (CPU, 1):
        return {}
    return {'device': device.partition(':')[0], 'processes': processes}
