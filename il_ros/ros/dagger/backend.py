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

"""The back end of a run over ROS: collector, trainer, policy and labelling service are asked."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
import dataclasses
import itertools
from pathlib import Path
import time

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import EpisodeSpec, EVALUATION
from il_ros.episodes.episode import Episode
from il_ros.episodes.receipts import Receipt
from il_ros.loop.backend import Check, Episodes, FitOrder, Labels, Result, Tell
from il_ros.loop.cells import CellPlan, evaluate, jobs_of, Plays, put_aside
from il_ros.loop.cells import share, worth
from il_ros.loop.failures import CANCELED, COLLECT_FAILED, LABEL_FAILED, LOAD_FAILED, RunError
from il_ros.loop.failures import TRAIN_FAILED
from il_ros.ros.calls import CallError, LostError, Waiter
from il_ros.ros.conversion.labels import BadAnswerError
from il_ros.ros.conversion.messages import receipt_from_message, spec_to_message
from il_ros.ros.dagger.delegates import Delegate, RemoteFit
from il_ros.ros.driver_clients import ask_labels, PolicyClient
from il_ros.ros.listening import listen_to_contract
from il_ros.ros.presence.peers import Peers
from il_ros_interfaces.action import CollectEpisodes, TrainPolicy
from il_ros_interfaces.srv import LabelObservations
import numpy as np
from rclpy.node import Node

COLLECTING = ('collector', 'recorder', 'policy')
"""After the loss of one of them the collector may fail where the same goal, asked again, does not:
it is another one, an episode is recorded already, a checkpoint has to be loaded."""

FAILURES = {'collector': COLLECT_FAILED, 'recorder': COLLECT_FAILED, 'trainer': TRAIN_FAILED,
            'policy': LOAD_FAILED, 'expert': LABEL_FAILED}
"""What a failure is called when a node is lost and does not come back."""


class RosBackend:
    """
    The clients of a coordinator, always with a deadline; see ``loop/backend.py``.

    :param call_s: deadline of each call, s
    :param cells: beside the graph's own arm
    :ivar note: is told what goes wrong in the run, and what is done about it
    """

    def __init__(self, node: Node, waiter: Waiter, call_s: float, cells: CellPlan):
        self._node, self._waiter, self._call_s = node, waiter, call_s
        self._plan, self._cells = cells, dict[Callable, Plays]()
        group = waiter.group
        self.note: Callable[[str, str], None] = lambda *_: None
        self._peers = Peers(node, waiter, self._on_lost, lambda *words: self.note(*words))
        self._collector = Delegate(node, waiter, CollectEpisodes, 'collect_episodes',
                                   COLLECT_FAILED, call_s)
        self._trainer = Delegate(node, waiter, TrainPolicy, 'train_policy', TRAIN_FAILED, call_s)
        self._label = node.create_client(
            LabelObservations, 'label_observations', callback_group=group)
        self._policy = PolicyClient(node, waiter, self._peers)
        self._contract: Contract | None = None
        listen_to_contract(node, self._on_contract, callback_group=group)
        self._losses: Mapping[str, int] = {}
        self._canceled = False

    def begin(self):
        """Forget an earlier cancel."""
        self._canceled = False
        self._waiter.go_on()
        self._collector.begin()
        self._trainer.begin()

    def end(self):
        """End the cells."""
        for cells in self._cells.values():
            cells.close()
        self._cells.clear()

    def cancel(self):
        """Stop what is under way, whatever it waits for, and begin nothing else."""
        self._canceled = True
        self._collector.cancel()
        self._trainer.cancel()
        self._waiter.stop(RunError(CANCELED, 'canceled'))

    def check(self):
        """
        End a cancelled run.

        :raises RunError: CANCELED
        """
        if self._canceled:
            raise RunError(CANCELED, 'canceled')

    async def pause(self):
        """Let others run, and end a cancelled run."""
        await self._waiter.pause(0.0)

    async def beside(self, work: Callable[[Check], Result]) -> Result:
        """Do what takes long in a thread of its own."""
        return await self._waiter.beside(work)

    def _on_contract(self, contract: Contract):
        self._contract = contract

    def _on_lost(self, part: str):
        if part == 'policy':
            # One that is started again has no checkpoint, or another one.
            self._policy.status = None

    async def contract(self) -> Contract:
        """
        Return the contract of the graph.

        :raises RunError: if nobody publishes one
        """
        until = time.monotonic() + self._call_s
        while self._contract is None:
            if time.monotonic() > until:
                raise RunError(COLLECT_FAILED, f'no contract within {self._call_s} s; is '
                                               'the observer running?')
            await self._waiter.pause(0.02)
        return self._contract

    async def carry_out(self, stage: str, work: Callable[[], Awaitable[Result]]) -> Result:
        """
        Do the work of a stage; repeat it if a required node was lost.

        :raises RunError: if that node does not come back, or is lost again and again
        """
        self._losses = self._peers.losses(COLLECTING)
        return await self._again(stage, work)

    async def _again(self, stage: str, work: Callable[[], Awaitable[Result]]) -> Result:
        try:
            return await self._peers.again(stage, self._call_s, work)
        except LostError as error:
            raise RunError(FAILURES[error.part], f'{stage}: {error}') from error

    def start_fit(self, order: FitOrder, tell: Tell) -> RemoteFit:
        """Begin a fit at the trainer; other stages can be carried out meanwhile."""
        return RemoteFit(self._node, self._trainer, order, tell, self._again)

    async def collect(self, episodes: Episodes, keep: Callable[[Receipt], None],
                      finished: Callable[[int], None]):
        """
        Have episodes run and recorded by the collector, and by the cells where there are any.

        :raises RunError: if that fails
        :raises LostError: if that fails, and one of ``COLLECTING`` was lost in this stage
        """
        evaluating = episodes.specs[0].purpose == EVALUATION
        make = (self._plan.evaluation if evaluating else None) or self._plan.collection
        if make is None or not worth(episodes.specs):
            await self._over_graph(episodes, keep, finished)
            return
        kept = itertools.count(1)

        def keep_and_tell(receipt: Receipt):
            keep(receipt)
            finished(next(kept))

        async def over_graph(specs: Sequence[EpisodeSpec]) -> list[Receipt]:
            receipts: list[Receipt] = []
            await self._over_graph(dataclasses.replace(episodes, specs=specs), receipts.append,
                                   lambda _: None)
            return receipts

        run = share if make is self._plan.collection else evaluate
        put_aside(episodes.folder / 'episodes', episodes.specs)
        if make not in self._cells:
            self._cells[make] = make(episodes.folder)
        cells = self._cells[make]
        await run(cells, jobs_of(episodes), over_graph, self._waiter.beside, keep_and_tell)

    async def _over_graph(self, episodes: Episodes, keep: Callable[[Receipt], None],
                          finished: Callable[[int], None]):
        goal = CollectEpisodes.Goal(
            episodes=[spec_to_message(spec) for spec in episodes.specs],
            gate_threshold=episodes.gate_threshold)
        result = await self._collector.ask(
            goal, lambda message: self._on_collecting(message.feedback, finished))
        if result.error_code and not self._canceled:
            await self._peers.look_again()
        lost = self._peers.lost_since(self._losses)
        status = self._policy.status
        if 'policy' not in lost or status is not None and status.sha256:
            self._require_policy(episodes)
        for message in result.episodes:
            keep(receipt_from_message(message))
        if result.error_code and lost and not self._canceled:
            raise LostError(lost[0], result.error_msg)
        self._collector.check(result)

    def _on_collecting(self, feedback: CollectEpisodes.Feedback, finished: Callable[[int], None]):
        finished(feedback.finished)
        if feedback.repeated:
            self.note(feedback.repeated, 'the episode is repeated')

    def _require_policy(self, episodes: Episodes):
        """Refuse episodes in which the policy node may not have run the right checkpoint."""
        needed = episodes.policy
        if needed is not None and not self._policy.runs(needed.sha256):
            raise RunError(LOAD_FAILED, 'the policy node lost its checkpoint meanwhile'
                                        f'{self._policy.reason}')

    async def load(self, path: Path, sha256: str):
        """
        Let the policy node run a checkpoint.

        :raises RunError: with the policy node's sentence
        """
        if self._policy.runs(sha256):
            return
        try:
            await self._policy.load(path, self._call_s, sha256)
        except LostError:
            raise
        except CallError as error:
            raise RunError(LOAD_FAILED, str(error)) from error

    async def label(self, episode: Episode, steps: np.ndarray) -> Labels:
        """
        Ask the labelling service what the expert would have done in these steps.

        :raises RunError: if nobody answers, or not as asked
        """
        try:
            return Labels(*await ask_labels(
                self._waiter, self._label, self._call_s, episode, steps, self.check))
        except LostError:
            raise
        except (CallError, BadAnswerError) as error:
            raise RunError(LABEL_FAILED, f'{episode.spec.episode_id}: {error}') from error
