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

"""Outcomes of the stages of a run: plain numbers, as in ``run.json``."""

import dataclasses
from typing import Any, Callable, Iterable, Sequence

from il_ros.contract.episode_spec import ABORTED, EpisodeSpec, LOST
from il_ros.errors import ImitationError


class MissingReceiptError(ImitationError):
    """An episode that was to be recorded has no receipt; the sentence names it."""

    code = 804


@dataclasses.dataclass(frozen=True)
class Collected:
    """What the recorded episodes of one stage amount to."""

    episodes: int
    successes: int
    steps: int
    labels: int
    """In-loop labels that may enter D; those of flagged episodes may not."""
    queries: int
    """States for which the expert answered in the loop, used or not."""
    expert_steps: int
    """Steps that the expert or a person drove; the others were the policy's (or held)."""
    takeovers: int
    objects_lost: int
    labels_by_episode: tuple[int, ...]
    """In the order of the specs, 0 where flagged."""
    flagged: tuple[str, ...]
    """Ids that stay out of training: aborted, incomplete, dropped, clock jump, discarded."""
    seconds: float
    """Wall time of the stage, s."""
    gate_threshold: float = -1.0
    """Where an adapted threshold stood after the last episode; -1: none was adapted."""

    @property
    def policy_steps(self) -> int:
        """Return the steps that the expert did not drive."""
        return self.steps - self.expert_steps

    @classmethod
    def of(cls, specs: Sequence[EpisodeSpec], receipts: Iterable, seconds: float,
           discarded_attempts: Sequence = ()) -> 'Collected':
        """
        Add up the receipts of one stage's episodes.

        :param specs: the stage's episodes
        :param receipts: ``RecordedEpisode`` messages or what mirrors them, in any order; the
            first of each id counts, others are ignored
        :param seconds: wall time of the stage, s
        :param discarded_attempts: receipts of attempts that were run again: no labels, but costs
        :raises MissingReceiptError: if an episode has none, or one with an error
        """
        by_id: dict[str, Any] = {}
        for receipt in receipts:
            by_id.setdefault(receipt.spec.episode_id, receipt)
        for spec in specs:
            receipt = by_id.get(spec.episode_id)
            if receipt is None or receipt.error_code:
                reason = f': {receipt.error_msg}' if receipt is not None else ''
                raise MissingReceiptError(f'episode {spec.episode_id} was not recorded{reason}')
        chosen = [by_id[spec.episode_id] for spec in specs]
        flagged = {r.spec.episode_id for r in chosen if r.flags or r.end == ABORTED}
        paid = [*chosen, *discarded_attempts]
        labels = tuple(0 if receipt.spec.episode_id in flagged else int(receipt.labels)
                       for receipt in chosen)
        return cls(
            episodes=len(chosen),
            successes=sum(bool(receipt.success) for receipt in chosen),
            steps=sum(int(receipt.steps) for receipt in paid),
            labels=sum(labels),
            queries=sum(int(receipt.queries) for receipt in paid),
            expert_steps=sum(int(receipt.expert_steps) for receipt in paid),
            takeovers=sum(int(receipt.takeovers) for receipt in paid),
            objects_lost=sum(receipt.cause == LOST for receipt in paid),
            labels_by_episode=labels,
            flagged=tuple(spec.episode_id for spec in specs if spec.episode_id in flagged),
            seconds=float(seconds),
            gate_threshold=last_threshold(chosen))


@dataclasses.dataclass(frozen=True)
class Compared(Collected):
    """
    An evaluation that ended when it was sure whether the policy is better than the one before.

    The counts are of the same episodes under both policies. Steps and queries include those of
    episodes that the policy before had to run for it.
    """

    both: int = 0
    only_this: int = 0
    only_before: int = 0
    neither: int = 0
    smallest_difference: float = 0.0
    before_episodes: int = 0
    """Episodes that the policy before had to run for it: it had not yet done so."""


def last_threshold(receipts: Sequence) -> float:
    """Return the newest adapted threshold among receipts in order; -1: there is none."""
    adapted = [receipt.gate_threshold for receipt in receipts if receipt.gate_threshold >= 0.0]
    return adapted[-1] if adapted else -1.0


@dataclasses.dataclass(frozen=True)
class Labelled:
    """What the labelling service was asked after the episodes, and what it knew."""

    asked: int
    """States sent to the service; each is a query."""
    labels: int
    """Valid answers: these entered D."""
    expert_seconds: float
    """The expert's own time, as the service said, s."""
    seconds: float


@dataclasses.dataclass(frozen=True)
class Measured:
    """Mistakes on the policy's own states, by the expert's answers asked for afterwards."""

    asked: int
    """States sent to the service: queries of the evaluation, apart from the ledger."""
    steps: int
    """States with a valid answer: the mistakes are counted over these."""
    mistakes: int
    gripper_mistakes: int
    curve: tuple[float, ...]
    """``J(t)``, t = 1, 2, ...: mean number of mistakes an episode made in its first t steps."""
    seconds: float
    mistakes_at: tuple[int, ...] = ()
    """The same count at a stricter, the usual and a laxer fraction (``mistakes.FRACTIONS``)."""

    @property
    def per_step(self) -> float:
        """Return mistakes a state; -1: none was measured."""
        return self.mistakes / self.steps if self.steps else -1.0


@dataclasses.dataclass(frozen=True)
class Aggregated:
    """The data set as it was written for a round."""

    episodes: int
    labels: int
    seconds: float
    person_labels: int = 0
    """Those of the labels that a person gave by hand."""


@dataclasses.dataclass(frozen=True)
class Trained:
    """A checkpoint, by hash, and its losses."""

    path: str
    """Folder of the checkpoint, relative to the run's."""
    sha256: str
    policy_id: int
    labels: int
    train_loss: float
    held_out_loss: float
    """On held-out demonstrations; -1: not computed. This is not success."""
    epsilon_mistakes: int
    """Mistakes on the states of held-out demonstrations ..."""
    epsilon_states: int
    """... out of so many; 0: not measured."""
    seconds: float
    """Wall time that the run waited for the fit alone, s: others went on beside it."""
    fit_seconds: float = -1.0
    """From its beginning to its end, s; -1: not noted."""
    error_covariance: tuple[float, ...] = ()
    """Of what the policy does beside the labels on held-out demonstrations, row by row."""
    synthetic: int = 0
    """Pairs made up for this fit; they are no labels of the expert."""


@dataclasses.dataclass(frozen=True)
class Loaded:
    """The policy node runs the checkpoint."""

    seconds: float


@dataclasses.dataclass(frozen=True)
class Chosen:
    """Which policy is loaded after a round: the new one, unless it succeeds less."""

    round: int  # noqa: A003
    """Of the new policy."""
    other: int
    """Round of the policy that was loaded before."""
    episodes: int
    """Held-out episodes that both have run: the first ones."""
    successes: int
    other_successes: int
    seconds: float

    @property
    def loaded(self) -> int:
        """Return the round whose policy is loaded."""
        return self.round if self.successes >= self.other_successes else self.other


Outcome = Collected | Compared | Labelled | Measured | Aggregated | Trained | Loaded | Chosen

_TYPES = {cls.__name__.lower(): cls
          for cls in (Collected, Compared, Labelled, Measured, Aggregated, Trained, Loaded,
                      Chosen)}


def to_json(outcome: Outcome) -> dict:
    """Return the outcome as a dictionary of plain values."""
    return {'type': type(outcome).__name__.lower(), **dataclasses.asdict(outcome)}


def from_json(fields: dict) -> Outcome:
    """
    Return the outcome that ``to_json`` wrote.

    :raises KeyError: if the type is unknown
    :raises TypeError: if a field is missing or unknown
    """
    fields = dict(fields)
    kind: Callable[..., Outcome] = _TYPES[fields.pop('type')]
    return kind(**{name: tuple(value) if isinstance(value, list) else value
                   for name, value in fields.items()})
