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
Behavioural cloning: from the observations to the labels, by the loss of the configuration.

The supervised step of DAgger (Ross, Gordon, Bagnell, AISTATS 2011, Algorithm 3.1, line 8) and, on
demonstrations alone, behavioural cloning itself. The loss that comes out, on held-out
demonstrations too, speaks of the expert's states; it is not success, which only rollouts show.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
import contextlib
import dataclasses
import itertools
import math
import time
from typing import Any

from il_ros.contract.contract import Contract, Feature
from il_ros.errors import CanceledError, NotFiniteError
from il_ros.learning.compute import devices
from il_ros.learning.compute.ranks import ALONE, Ranks
from il_ros.learning.config import NOT_SUCCESS, TrainConfig
from il_ros.learning.examples import check, Examples, Pairs
from il_ros.learning.fit_file import FitFile, key_of, Saved
from il_ros.learning.fit_state import AdamW, restore_state, state_of
from il_ros.learning.heads import Categorical, Gaussian, Head, Mean, Mixture
from il_ros.learning.inputs import image_features, Inputs
from il_ros.learning.nets.cnn_network import random_crop, random_shifts
from il_ros.learning.nets.net import Layout, Net, net_class
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
import numpy as np
import torch

UNKNOWN = -1.0
"""A loss that was not computed."""

_REPORT_EVERY = 50
_CHUNK = 65536
_IMAGES_AT_ONCE = 256
_DRAWN_AT_ONCE = 500


@dataclasses.dataclass(frozen=True)
class Progress:
    """Progress of a fit."""

    step: int
    steps: int
    train_loss: float
    """Mean over the steps since the last report, normalised actions."""

    held_out_loss: float
    """-1: not computed at this step."""


@dataclasses.dataclass(frozen=True)
class FitResult:
    """A policy and how it came about."""

    policy: Policy
    labels: int
    """Pairs that it was trained on."""

    train_loss: float
    """Mean loss over all training pairs after the last step, normalised actions; of an ensemble
    the members' mean."""

    held_out_loss: float
    """The same on held-out demonstrations; -1: there were none. This is not success."""

    seconds: float
    curve: tuple[Progress, ...]


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread meanwhile: sums are added in one order, whatever runs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def silent(_: Progress):
    """Report no progress."""


def fit(data: Pairs, held_out: Pairs | None, contract: Contract, config: TrainConfig, seed: int,
        progress: Callable[[Progress], None] = silent,
        cancelled: Callable[[], bool] = lambda: False,
        file: FitFile | None = None, ranks: Ranks = ALONE) -> FitResult:
    """
    Train a policy; the same data, configuration and seed give the same weights on one CPU thread.

    :param data: what to learn from; every pair counts once. A history or a chunk needs the
        episodes that they are from, ``steps``; images are read into memory whole
    :param held_out: demonstrations for the loss alone
    :param contract: layout of the observations and actions
    :param seed: of initial weights and batches
    :param progress: called every 50 steps and after the last
    :param cancelled: asked at every step
    :param file: what the fit is saved in now and then, and goes on from after a kill
    :param ranks: the processes of the fit, all called with the same; the one that leads knows
        the losses
    :raises TrainConfigError: if the device of the configuration is not there
    :raises NoDataError: if there is no pair, or no episodes or images where they are needed
    :raises NotFiniteError: if data, loss or weights are not finite
    :raises CanceledError: as soon as ``cancelled`` says so
    """
    started = time.perf_counter()
    device = ranks.device(config.device)
    inputs = Inputs(contract, config.inputs)
    images = image_features(contract, config.images)
    check(data, contract, 'training', config.horizons, images)
    rows = inputs.apply(data.observations)
    normaliser = Normaliser.fit(rows, inputs.units)
    actions = Normaliser.fit(data.actions, [element.unit for element in contract.actions])
    examples = Examples(inputs, normaliser, actions, config.horizons)
    head = make_head(config, actions, data.actions, contract)
    pairs = examples.on(device, data, config.images)
    loop = _Loop(head, config, pairs, images, seed, ranks, device)
    if held_out is not None and len(held_out.observations):
        check(held_out, contract, 'held-out', config.horizons, images)
        loop.held_out = examples.on(device, held_out, config.images)
    if file is not None:
        loop.go_on_from(file, _key(loop, head, contract, config, seed))
    with ranks.joined(device):
        curve = loop.run(progress, cancelled)
    losses = {'train_loss': loop.loss_on(loop.pairs),
              'held_out_loss': loop.loss_on(loop.held_out)}
    info = {'training': config.noted(), 'seed': seed, 'labels': len(rows), **losses,
            'note': NOT_SUCCESS, **devices.made_by(device, ranks.count)}
    policy = Policy(contract, inputs, normaliser, actions, loop.net(), info, head=head,
                    horizons=config.horizons)
    return FitResult(policy, len(rows), seconds=time.perf_counter() - started, curve=curve,
                     **losses)


def _key(loop: '_Loop', head: Head, contract: Contract, config: TrainConfig, seed: int) -> str:
    """Return the hash of all that the weights and the reports of a fit depend on."""
    settings = {
        'config': config.noted(), 'seed': seed, 'contract': contract.to_json(),
        'head': head.document(), 'torch': torch.__version__, 'threads': torch.get_num_threads(),
        'held_out': loop.held_out is not None, 'device': loop.device.type,
        'processes': loop.ranks.count}
    tensors = (*loop.pairs, *(loop.held_out or ()))
    return key_of([tensor.cpu().numpy() for tensor in tensors], settings)


def make_head(config: TrainConfig, normaliser: Normaliser, labels: np.ndarray,
              contract: Contract) -> Head:
    """
    Build the output head that the loss of a configuration needs.

    :param normaliser: of the actions
    :param labels: shape ``(N, act_dim)``, from which bins are chosen
    """
    dim = len(contract.actions) * config.chunk
    if config.loss == 'cross_entropy':
        at = contract.gripper_index
        two = {} if at < 0 else {at: [
            float(normaliser.apply(bound)[at]) for bound in (contract.lower, contract.upper)]}
        return Categorical.fit(normaliser.apply(labels), config.bins, config.binning,
                               config.chunk, two)
    return {'mse': Mean(dim), 'huber': Mean(dim, config.huber_delta), 'nll': Gaussian(dim),
            'mixture': Mixture(dim, config.components)}[config.loss]


def _generators(seed: int, members: int) -> list[torch.Generator]:
    """Return the chance of each member; the first has the one of a network that learns alone."""
    seeds = [seed, *(int(np.random.SeedSequence([seed, member]).generate_state(1, np.uint64)[0])
                     for member in range(1, members))]
    return [torch.Generator().manual_seed(one) for one in seeds]


class _Loop:
    """The steps of one fit, on tensors that are ready."""

    def __init__(self, head: Head, config: TrainConfig, pairs: tuple[torch.Tensor, ...],
                 images: Sequence[Feature], seed: int, ranks: Ranks, device: str):
        """Build the network; ``pairs`` are the images, the inputs and the targets."""
        self.pairs, self.config = pairs, config
        self.ranks, self.device = ranks, torch.device(device)
        self.held_out: tuple[torch.Tensor, ...] | None = None
        generators = _generators(seed, config.ensemble)
        self._layout = Layout(pairs[len(images)].shape[1], head.width,
                              {feature.name: feature.shape for feature in images})
        self._kind = net_class(config.architecture)
        # Layers of other packages draw their first weights from torch's own generator.
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            self.network = self._kind.make_network(self._layout, config, generators)
        self.network.to(self.device)
        self._shifts = torch.Generator().manual_seed(seed)
        self._criterion = head.loss
        self._optimiser = AdamW(self.network.parameters(), config.weight_decay)
        batches = [_batches(len(pairs[0]), config.batch, config.steps, generator)
                   for generator in generators]
        self._batches = map(torch.stack, zip(*batches)) if len(batches) > 1 else batches[0]
        self._file: FitFile | None = None
        self._saved = Saved(0, {}, ())

    def net(self) -> Net:
        """Return a copy of the network as it runs on the arm; nothing is learnt after that."""
        return self._kind.from_network(self.network.cpu(), self._layout)

    def go_on_from(self, file: FitFile, key: str):
        """Save the fit in a file; if that holds a fit of the same key, continue it."""
        saved = file.load(key)
        self._file = file if self.ranks.leads else None
        if saved is not None and 0 < saved.step < self.config.steps and restore_state(
                saved.tensors, self.network, self._optimiser, self._shifts):
            self._saved = saved

    def _save(self, step: int, curve: Sequence[Progress]):
        # Only at a report: the losses since the last one are none then.
        if self._file is not None and self._file.due and step < self.config.steps:
            self._file.save(Saved(
                step, state_of(self.network, self._optimiser, self._shifts),
                tuple(dataclasses.asdict(report) for report in curve)))

    def run(self, progress, cancelled) -> tuple[Progress, ...]:
        """Take the steps that are left and return the reports that were given."""
        first, losses = self._saved.step, []
        saved: Iterable[Mapping[str, Any]] = self._saved.curve
        curve = [Progress(**report) for report in saved]
        if curve:
            progress(curve[-1])
        # What was learnt from before is drawn again: chance goes on as if nothing had happened.
        for step, batch in enumerate(itertools.islice(self._batches, first, None), first):
            if cancelled():
                raise CanceledError(f'the fit was cancelled at step {step} of '
                                    f'{self.config.steps}')
            losses.append(self._step(batch, self.config.learning_rate * rate(self.config, step)))
            if (step + 1) % _REPORT_EVERY == 0 or step + 1 == self.config.steps:
                curve.append(self._report(step + 1, losses))
                losses = []
                self._save(step + 1, curve)
                progress(curve[-1])
        return tuple(curve)

    def _step(self, batch: torch.Tensor, learning_rate: float) -> torch.Tensor:
        mine = self.ranks.share(batch)
        at_rows = mine.flatten().to(self.device)
        rows = [tensor.index_select(0, at_rows) for tensor in self.pairs]
        for at in range(len(self._layout.images) if self.config.crop_px else 0):
            shifts = random_shifts(batch.shape, self.config.crop_px, self._shifts)
            rows[at] = random_crop(rows[at], self.ranks.share(shifts).to(self.device))
        if batch.ndim > 1:
            rows = [tensor.unflatten(0, mine.shape) for tensor in rows]
        loss = self._loss(rows)
        if self.ranks.count > 1:
            loss = loss * (self._weight(mine) / self._weight(batch))
        self._optimiser.zero_grad()
        # The mean over the members, times their number: each one's gradient is its own alone.
        (loss * self.config.ensemble if batch.ndim > 1 else loss).backward()
        if self.ranks.count > 1:
            self.ranks.sum_gradients(self.network.parameters())
        self._optimiser.step(learning_rate)
        return loss.detach()

    def _weight(self, rows: torch.Tensor) -> float:
        """Return over how much the loss of these rows is a mean: targets that count, or pairs."""
        counts = self.pairs[len(self._layout.images) + 2:]
        return counts[0][rows.to(self.device)].sum().item() if counts else rows.numel()

    def _loss(self, rows: Sequence[torch.Tensor]) -> torch.Tensor:
        count = len(self._layout.images)
        images, (inputs, *targets) = rows[:count], rows[count:]
        return self._criterion(self.network(inputs, *images), *targets)

    def _report(self, step: int, losses: list[torch.Tensor]) -> Progress:
        train_loss = self.ranks.sum(torch.stack(losses)).mean().item()
        if not math.isfinite(train_loss):
            raise NotFiniteError(f'the training loss is {train_loss} at step {step}; a smaller '
                                 f'learning_rate than {self.config.learning_rate} may help')
        tenth = max(1, self.config.steps // (10 * _REPORT_EVERY)) * _REPORT_EVERY
        due = step % tenth == 0 or step == self.config.steps
        return Progress(step, self.config.steps, train_loss,
                        self.loss_on(self.held_out) if due else UNKNOWN)

    @torch.no_grad()
    def loss_on(self, pairs: tuple[torch.Tensor, ...] | None) -> float:
        """Return the mean loss over all pairs; -1 without pairs, or where others report it."""
        if pairs is None or not self.ranks.leads:
            return UNKNOWN
        total, members = 0.0, self.config.ensemble
        at_once = _IMAGES_AT_ONCE if self._layout.images else _CHUNK
        for rows in zip(*(tensor.split(at_once) for tensor in pairs)):
            count = len(rows[0])
            if members > 1:
                rows = tuple(tensor.expand(members, *tensor.shape) for tensor in rows)
            total += self._loss(rows).item() * count
        return total / len(pairs[0])


def _batches(count: int, batch: int, steps: int,
             generator: torch.Generator) -> Iterator[torch.Tensor]:
    """
    Draw the rows of each step: permutation after permutation, so that each pair counts alike.

    :returns: an iterator over shape ``(batch,)``, int64; with fewer pairs than that, some come
        twice
    """
    rest = torch.empty(0, dtype=torch.int64)
    for start in range(0, steps, _DRAWN_AT_ONCE):
        drawn = min(_DRAWN_AT_ONCE, steps - start)
        passes = max(0, math.ceil((drawn * batch - len(rest)) / count))
        order = torch.cat([rest, *(torch.randperm(count, generator=generator)
                                   for _ in range(passes))])
        yield from order[:drawn * batch].view(drawn, batch)
        rest = order[drawn * batch:]


def rate(config: TrainConfig, step: int) -> float:
    """Return the learning rate at ``step`` (from 0) as a share of ``learning_rate``."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    if config.schedule == 'constant':
        return 1.0
    done = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return 0.5 * (1.0 + math.cos(math.pi * done))
