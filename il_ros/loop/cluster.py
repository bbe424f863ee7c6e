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
Cells on a Ray cluster: actors that run episodes without ROS, one CPU each.

Checkpoints and finished episodes travel through Ray's object store and are checked by their hashes
on arrival; no folder is shared. An actor whose node is lost costs the episode that it was running:
that one is dealt again. The same version of this package is installed on every node.
"""

from collections.abc import Callable, Iterable
import dataclasses
import hashlib
import logging
import os
from pathlib import Path
import socket
import tempfile
import time
from typing import Any, NamedTuple

from il_ros.episodes.receipts import Receipt, relative_path, write_receipt
from il_ros.errors import ImitationError
from il_ros.files.atomic import write_atomically
from il_ros.loop.backend import Check
from il_ros.loop.cells import CellJob, CellTask, failure, Keep, refuse_aborted, repaired
from il_ros.loop.failures import COLLECT_FAILED, RunError
from il_ros.processes.pool import Job, Waiting
from il_ros.runs.kept_contract import kept_in
from il_ros.runs.shard import Shard
from il_ros.tasks.contracts import ON

CLUSTER = 'cluster'
"""Part of a run that holds the episodes that came from a cluster."""

LOOK_S = 0.2
ANSWER_S = 5.0
"""How long the address of a cluster may be silent."""

START_S = 120.0
"""How long no cell of the cluster may be there."""

TRIES = 5
"""Times that an episode is begun: so many nodes may be lost under it."""


class ClusterError(ImitationError):
    """A cluster that cannot be used."""


class _Begun(NamedTuple):
    """What an actor is busy with; ``job`` is None while it starts."""

    actor: Any
    job: Job | None
    failures: int = 0
    """Starts before this one that failed."""


class ClusterCells:
    """
    Cells on a Ray cluster, as ``cells.Cells``; they start with the first episodes.

    :ivar lost: sentences about actors that were lost and replaced
    """

    def __init__(self, what: CellTask, run: Path, address: str, count: int = 0):
        """
        Describe them.

        :param run: folder of the run, whose episodes they run
        :param address: of the cluster; ``auto``: the one that runs on this machine
        :param count: how many; 0: as many as the cluster has CPUs
        """
        self._what, self._run, self._address, self._count = what, run, address, count
        self._ray: Any = None
        self._free: list[Any] = []
        self._begun: dict[Any, _Begun] = {}
        self._policies: dict[str, Any] = {}
        self._shard: Shard | None = None
        self.lost: list[str] = []

    def close(self):
        """End the actors; a second call does nothing."""
        if self._shard is not None:
            self._shard.close()
            self._shard = None
        if self._ray is not None:
            for actor in (*self._free, *(one.actor for one in self._begun.values())):
                self._ray.kill(actor)
            self._free.clear()
            self._begun.clear()
            self._policies.clear()
            self._ray.shutdown()
            self._ray = None

    def play(self, jobs: Iterable[CellJob], keep: Keep, check: Check = lambda: None,
             left: Callable[[], bool] = lambda: True):
        """
        Run and record episodes, in any order, as ``cells.Cells.play``.

        :raises RunError: if one has to be given up, or is lost again and again
        :raises ClusterError: if the cluster cannot be used
        """
        self._start()
        waiting = Waiting(jobs)
        try:
            until = time.monotonic() + START_S
            while (working := self._deal(waiting)) or waiting.count and left():
                if working or self._free:
                    until = time.monotonic() + START_S
                elif time.monotonic() > until:
                    raise RunError(COLLECT_FAILED, (
                        f'the cluster {self._address} started no cell within {START_S:g} s; has '
                        'it a free CPU?'))
                ready, _ = self._ray.wait(list(self._begun), timeout=LOOK_S)
                for reference in ready:
                    self._take_in(reference, waiting, keep)
                check()
        except BaseException:
            self.close()
            raise

    def _start(self):
        if self._ray is None:
            self._ray = connected(self._address)
            self._shard = repaired(self._run / 'episodes' / CLUSTER)
            count = self._count or int(self._ray.cluster_resources().get('CPU', 1))
            for _ in range(max(count, 1)):
                self._begin_actor()

    def _begin_actor(self, failures: int = 0):
        files = {file.name: file.read_bytes() for file in kept_in(self._run)}
        actor = self._ray.remote(num_cpus=1)(ClusterPlayer).remote(self._what, files)
        self._begun[actor.ready.remote()] = _Begun(actor, None, failures)

    def _deal(self, waiting: Waiting) -> bool:
        """Give jobs to those that are free; tell whether any actor is busy with one."""
        while self._free and (found := waiting.take()) is not None:
            job = found.job
            actor = self._free.pop()
            policy = self._policy(job) if job.policy else None
            self._begun[actor.play.remote(job, policy)] = _Begun(actor, found)
        return any(one.job is not None for one in self._begun.values())

    def _policy(self, job: CellJob) -> Any:
        """Return the reference of a checkpoint, which is put into the object store once."""
        if job.sha256 not in self._policies:
            self._policies.clear()
            self._policies[job.sha256] = self._ray.put(
                {file.name: file.read_bytes() for file in Path(job.policy).iterdir()})
        return self._policies[job.sha256]

    def _take_in(self, reference: Any, waiting: Waiting, keep: Keep):
        begun = self._begun.pop(reference)
        try:
            error, result = self._ray.get(reference)
        except self._ray.exceptions.RayError as lost:
            self._replace(begun, lost, waiting)
            return
        self._free.append(begun.actor)
        if error:
            raise failure(error)
        if begun.job is not None:
            receipt = self._record(*result)
            keep(receipt)
            refuse_aborted(receipt)

    def _replace(self, begun: _Begun, lost: Exception, waiting: Waiting):
        sentence = ' '.join(str(lost).split())
        failures = begun.failures + 1 if begun.job is None else 0
        if max(failures, begun.job.tries + 1 if begun.job else 0) >= TRIES:
            raise RunError(COLLECT_FAILED, f'an actor of the cluster was lost: {sentence}')
        self.lost.append(sentence)
        if begun.job is not None:
            waiting.again(begun.job)
        self._begin_actor(failures)

    def _record(self, receipt: Receipt, content: bytes, folder: str) -> Receipt:
        """
        Write an episode that has arrived, and return its receipt.

        :param folder: in place of the run's own; '': the run's own
        :raises RunError: if it is not what its receipt says
        """
        found = hashlib.sha256(content).hexdigest()
        name = receipt.spec.episode_id
        if found != receipt.sha256:
            raise RunError(COLLECT_FAILED, (
                f'{name} arrived from the cluster with the SHA-256 {found}; expected '
                f'{receipt.sha256}'))
        assert self._shard is not None, 'taken when the actors were started'
        path = (Path(folder) if folder else self._shard.folder) / f'{name}.mcap'
        receipt = dataclasses.replace(receipt, path=relative_path(path))
        write_atomically(path, content)
        write_receipt(path, receipt)
        return receipt


def connected(address: str) -> Any:
    """
    Return Ray, connected to a cluster.

    :raises ClusterError: if Ray is not installed, or no cluster answers
    """
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    try:
        import ray
    except ImportError as error:
        raise ClusterError("--cluster needs Ray: pip install 'il_ros[cluster]'") from error
    host, _, port = address.rpartition(':')
    try:
        if port.isdecimal() and '/' not in host:
            # Ray itself would try for minutes.
            socket.create_connection((host, int(port)), ANSWER_S).close()
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        reason = ' '.join(str(error).split())
        raise ClusterError(f'--cluster is {address!r}; no Ray cluster answers there: {reason}; '
                           'start one: ray start --head') from error
    return ray


class ClusterPlayer:
    """The actor: runs one episode at a time, without ROS, and keeps nothing of it."""

    def __init__(self, what: CellTask, files: dict[str, bytes]):
        """
        Build the simulation.

        :param files: of the run's contract and robot, by name
        """
        self._folder = tempfile.TemporaryDirectory(prefix='il_ros-')
        self._error, self._sha256 = '', ''
        place = Path(self._folder.name)
        for name, content in files.items():
            (place / name).write_bytes(content)
        # A contract is named by its file or its task, and perhaps by the file of its robot.
        contract = ON.join(str(place / Path(part).name) if Path(part).name in files else part
                           for part in what.contract.split(ON))
        try:
            from il_ros.loop.local.player import Player
            self._player = Player(what.task, contract, what.options)
        except ImitationError as error:
            self._error = str(error)

    def ready(self) -> tuple[str, None]:
        """Return what is wrong with the task on this node; '': nothing."""
        return self._error, None

    def play(self, job: CellJob, policy: dict[str, bytes] | None) -> tuple[str, Any]:
        """
        Run an episode.

        :param policy: files of the checkpoint that has to run; None: none
        :returns: what failed, '': nothing; the receipt, the episode's file, the job's folder
        """
        place = Path(self._folder.name, 'episodes', CLUSTER)
        place.mkdir(parents=True, exist_ok=True)
        try:
            if policy is not None and job.sha256 != self._sha256:
                with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
                    for name, content in policy.items():
                        Path(folder, name).write_bytes(content)
                    self._player.load(Path(folder), job.sha256)
                self._sha256 = job.sha256
            receipt = self._player.play(job.spec, place, job.gate_threshold)
        except ImitationError as error:
            return str(error), None
        content = (place / f'{job.spec.episode_id}.mcap').read_bytes()
        for file in place.iterdir():
            file.unlink()
        return '', (receipt, content, job.folder)
