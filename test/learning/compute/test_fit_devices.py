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

"""The device of a fit: which one is chosen, and what is refused before a fit begins."""

import dataclasses

from il_ros.errors import TrainConfigError
from il_ros.learning.compute.devices import choose, made_by, refuse_small_batches
from il_ros.learning.config import TrainConfig
import pytest

CONFIG = TrainConfig(inputs=('way',), batch=4)


@pytest.mark.parametrize('asked, gpus, processes, rank, expected', [
    ('auto', 0, 1, 0, 'cpu'), ('auto', 0, 8, 3, 'cpu'), ('cpu', 4, 1, 0, 'cpu'),
    ('cpu', 1, 2, 1, 'cpu'), ('auto', 1, 1, 0, 'cuda:0'), ('cuda', 2, 1, 0, 'cuda:0'),
    ('cuda:1', 2, 1, 0, 'cuda:1'), ('cuda', 2, 2, 1, 'cuda:1'), ('auto', 4, 3, 2, 'cuda:2')])
def test_a_process_computes_on(asked, gpus, processes, rank, expected):
    assert choose(asked, gpus, processes, rank) == expected


@pytest.mark.parametrize('asked, gpus, processes, sentence', [
    ('cuda', 0, 1, "device is 'cuda', but torch finds no GPU here; expected auto or cpu"),
    ('cuda:0', 0, 2, "device is 'cuda:0', but torch finds no GPU here; expected auto or cpu"),
    ('cuda:2', 2, 1, "device is 'cuda:2', and torch finds 2 of them; expected cuda:0 to cuda:1"),
    ('cuda:0', 2, 2, "device is 'cuda:0', one GPU, for 2 processes; expected cuda, which gives "
                     'each its own'),
    ('auto', 1, 2, '2 processes need a GPU each, and torch finds 1; expected --processes 1, or '
                   'the device cpu')])
def test_a_gpu_that_is_not_there_is_refused(asked, gpus, processes, sentence):
    with pytest.raises(TrainConfigError) as refused:
        choose(asked, gpus, processes)
    assert str(refused.value) == sentence


def test_more_processes_than_pairs_of_a_batch_are_refused():
    refuse_small_batches(CONFIG, 4)
    with pytest.raises(TrainConfigError, match='--processes is 5, but the training setting batch '
                                               'is 4'):
        refuse_small_batches(CONFIG, 5)


@pytest.mark.parametrize('name', ['gpu', 'cuda:', 'cuda:x', 'CPU', ''])
def test_another_device_is_refused(name):
    with pytest.raises(TrainConfigError, match='expected auto, cpu, cuda or cuda:N'):
        dataclasses.replace(CONFIG, device=name)


def test_one_process_on_the_cpu_leaves_no_note_and_others_do():
    assert not made_by('cpu', 1)
    assert made_by('cpu', 2) == {'device': 'cpu', 'processes': 2}
    assert made_by('cuda:1', 1) == {'device': 'cuda', 'processes': 1}
