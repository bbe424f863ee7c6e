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

"""What is wrong with an architecture: found without a data set, on random inputs."""

from collections.abc import Iterator
import dataclasses
import json

from il_ros.learning.config import TrainConfig
from il_ros.learning.nets.net import Layout, Net
import numpy as np
import safetensors.numpy
import torch


def network_findings(kind: type[Net], members: int) -> Iterator[str]:
    """
    Build a network, turn it into the one that runs, save and load that, and compare.

    :param members: of an ensemble; 1: one network
    """
    config = TrainConfig(inputs=('x',), hidden=(8, 8), ensemble=members)
    if kind.takes_images:
        config = dataclasses.replace(config, architecture='cnn', images=('camera',))
    layout = Layout(5, 3, {'camera': (64, 64, 3)} if kind.takes_images else {})
    generators = [torch.Generator().manual_seed(seed) for seed in range(members)]
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(4, layout.inputs)).astype(np.float32)
    images = [chance.integers(0, 256, (4, *shape), np.uint8) for shape in layout.images.values()]
    network = kind.make_network(layout, config, generators)
    seen = [torch.from_numpy(array) for array in (rows, *images)]
    if members > 1:
        seen = [tensor.expand(members, *tensor.shape) for tensor in seen]
    with torch.no_grad():
        expected = network(*seen).numpy()
    net = kind.from_network(network, layout)
    shape = (members, 4, layout.outputs) if members > 1 else (4, layout.outputs)
    document = json.loads(json.dumps(net.document()))
    saved = kind.from_document(document, safetensors.numpy.load(
        safetensors.numpy.save(net.tensors())))
    for what, one in (('from_network', net), ('from_document', saved)):
        answer = one.forward(rows, *images)
        if answer.shape != shape or answer.dtype != np.float32:
            yield (f'forward of {what} gives {answer.dtype} of shape {answer.shape}; expected '
                   f'float32 of {shape}')
        elif not np.allclose(answer, expected, rtol=1e-3, atol=1e-4):
            yield f'forward of {what} differs from the network that was trained'
        elif (one.widths[0], one.widths[-1], one.members, tuple(one.images)) != (
                layout.inputs, layout.outputs, members, tuple(layout.images)):
            yield (f'widths, members or images of {what} are {one.widths}, {one.members} and '
                   f'{one.images}; expected {layout.inputs} to {layout.outputs}, {members} and '
                   f'{tuple(layout.images)}')
    if document.get('architecture') != kind.kind:
        yield f"its document has no 'architecture': {kind.kind!r}; expected that of Net.document"
