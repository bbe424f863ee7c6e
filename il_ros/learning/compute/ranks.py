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
Processes of one fit: each computes its share of every batch, and gradients are summed over all.

Data-parallel training as in Li et al., "PyTorch Distributed", VLDB 2020, with one sum over all
gradients: torch's `DistributedDataParallel` imports the compiler, which takes seconds, and is no
faster here. One sum in one order also lets a fit that was killed end in the same bits.
"""

from collections.abc import Iterable, Iterator
import contextlib
import dataclasses
import datetime
import os
from pathlib import Path

from il_ros.learning.compute import devices
import torch
from torch import distributed

HOUR = datetime.timedelta(hours=1)
"""Longest wait for another process; one that hangs is noticed sooner, by the parent's watch."""

_JOB = 'job'


class PeerLostError(Exception):
    """Another process of the fit is gone. It has said why, or `launcher` says how it ended."""


@dataclasses.dataclass(frozen=True)
class Ranks:
    """This process among those of a fit; by default it is the only one."""

    rank: int = 0
    """Number of this process; 0 leads: it alone reports and writes."""

    count: int = 1
    """Number of all processes."""

    store: distributed.Store | None = None
    """What they find each other by."""

    @classmethod
    def of_torchrun(cls, file: Path) -> 'Ranks':
        """
        Return the place of a process that torchrun started.

        :param file: by which the processes meet; a file, for a port would be open to others
        """
        rank, count = int(os.environ['RANK']), int(os.environ['WORLD_SIZE'])
        store = distributed.FileStore(str(file), count)
        store.set_timeout(HOUR)
        return cls(rank, count, store)

    @property
    def leads(self) -> bool:
        """Tell whether this process reports and writes."""
        return self.rank == 0

    def tell(self, job: str):
        """Give the others the job that came to this process."""
        if self.store is not None:
            self.store.set(_JOB, job)

    def hear(self) -> bytes:
        """Wait for the job that came to the process that leads."""
        assert self.store is not None, 'a process alone has nobody to hear'
        return self.store.get(_JOB)

    def device(self, asked: str) -> str:
        """
        Return the device of this process.

        :raises TrainConfigError: if there are not enough GPUs
        """
        gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        return devices.choose(asked, gpus, self.count, self.rank)

    @contextlib.contextmanager
    def joined(self, device: str) -> Iterator[None]:
        """Let `sum` reach the other processes meanwhile, from memory of this device."""
        if self.store is None:
            yield
            return
        distributed.init_process_group(
            'gloo' if device == devices.CPU else 'nccl', timeout=HOUR, rank=self.rank,
            world_size=self.count, store=distributed.PrefixStore('fit', self.store))
        yield
        distributed.destroy_process_group()

    def share(self, batch: torch.Tensor) -> torch.Tensor:
        """Return this process's part along the last axis; sizes differ by one at most."""
        return batch.tensor_split(self.count, dim=-1)[self.rank]

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:  # noqa: A003
        """
        Add the tensors of all processes, in place, and return the sum.

        :raises PeerLostError: if another one has ended
        """
        if self.store is not None:
            try:
                distributed.all_reduce(tensor)
            except RuntimeError as error:
                raise PeerLostError(str(error)) from error
        return tensor

    def sum_gradients(self, weights: Iterable[torch.nn.Parameter]):
        """Add the gradients of all processes."""
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        whole = self.sum(torch.cat([gradient.flatten() for gradient in gradients]))
        parts = whole.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts):
            gradient.copy_(part.view_as(gradient))


ALONE = Ranks()
