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
Commands as clients of the graph: compose it here, or attach to one that runs already.

A command is a coroutine that gets a ``Client``; the graph is up while it runs, and torn down in
order when it ends, also after Ctrl-C.
"""

from collections.abc import Awaitable, Callable
import contextlib
import os
from pathlib import Path
import sys
import time

from domain_coordinator import domain_id
from il_ros.contract.episode_spec import EpisodeSpec
from il_ros.episodes.receipts import Receipt
from il_ros.errors import ImitationError
from il_ros.graph.graph import build
from il_ros.graph.graph_options import GraphOptions
from il_ros.output import OutputError, sentence_of
from il_ros.ros.calls import Waiter
from il_ros.ros.conversion.messages import receipt_from_message, spec_to_message
from il_ros.ros.driver_clients import PolicyClient
from il_ros.ros.presence.peers import Peers
from il_ros.ros.runtime import Runtime
from il_ros_interfaces.action import CollectEpisodes, RunDagger
from rclpy.action import ActionClient
from rclpy.node import Node

CALL_S = 20.0
LOGGING = (sys.argv[0], '--ros-args', '--log-level', 'warn')
"""What a command shows is its progress bar; only trouble may interrupt it."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


class RefusedError(ImitationError):
    """The graph refused or failed; the sentence is its own."""


class Client(Node):
    """The graph's client of one command."""

    is_slow = True

    def __init__(self, **kwargs):
        super().__init__('il_ros_command', **kwargs)
        self.waiter = Waiter(self)
        group = self.waiter.group
        self._collect = ActionClient(
            self, CollectEpisodes, 'collect_episodes', callback_group=group)
        self._dagger = ActionClient(self, RunDagger, 'run_dagger', callback_group=group)
        self._policy = PolicyClient(self, self.waiter, Peers(self, self.waiter))

    async def collect(self, specs: list[EpisodeSpec],
                      on_feedback: Callable[[CollectEpisodes.Feedback], None],
                      gate_threshold: float = -1.0) -> list[Receipt]:
        """
        Run and record episodes.

        :param gate_threshold: where an adapted threshold starts; -1: at the plan's own
        :raises RefusedError: with the collector's sentence
        """
        goal = CollectEpisodes.Goal(
            episodes=[spec_to_message(spec) for spec in specs], gate_threshold=gate_threshold)
        result = await self._run(self._collect, goal, on_feedback)
        # The last attempt of each episode; those before were discarded.
        last = {message.spec.episode_id: message for message in result.episodes}
        return [receipt_from_message(message) for message in last.values()]

    async def dagger(self, goal: RunDagger.Goal,
                     on_feedback: Callable[[RunDagger.Feedback], None]) -> RunDagger.Result:
        """
        Run DAgger from demonstrations to report.

        :raises RefusedError: with the coordinator's sentence
        """
        return await self._run(self._dagger, goal, on_feedback)

    async def _run(self, action: ActionClient, goal, on_feedback: Callable):
        _, result = await self.waiter.run_action(
            action, goal, CALL_S, lambda message: on_feedback(message.feedback))
        if result.error_code:
            raise RefusedError(result.error_msg)
        return result

    async def pause(self, seconds: float):
        """Let others run for a while."""
        await self.waiter.pause(seconds)

    async def wait(self, condition: Callable[[], bool], whom: str):
        """
        Let others run until a condition holds.

        :param whom: the nodes that are waited for, in words
        :raises RefusedError: naming them, if it does not within ``CALL_S``
        """
        until = time.monotonic() + CALL_S
        while not condition():
            if time.monotonic() > until:
                raise RefusedError(f'no messages from {whom}; is the graph running in this ROS '
                                   'domain?')
            await self.waiter.pause(0.02)

    async def load_policy(self, folder: Path, sha256: str = '') -> str:
        """
        Let the policy node load a checkpoint, and return its SHA-256.

        :param sha256: what it has to be; '': whatever it is
        :raises CallError: with the policy node's sentence
        """
        return await self._policy.load(folder.resolve(), CALL_S, sha256)

    def require_policy(self, sha256: str):
        """
        Make sure that the policy node ran this checkpoint all the time.

        :raises RefusedError: if it was refused meanwhile, or runs another one
        """
        if not self._policy.runs(sha256):
            raise RefusedError('the policy node no longer runs the checkpoint'
                               f'{self._policy.reason}')


def run_command(command: Callable[[Client], Awaitable], options: GraphOptions | None) -> int:
    """
    Run a command with a graph of its own and return the exit code.

    :param options: of the graph; None: attach to the one that runs in this ROS domain
    """
    if options is None:
        return run_client(command, None)
    return run_client(command, lambda runtime: build(runtime, options))


def run_client(command: Callable[[Client], Awaitable],
               compose: Callable[[Runtime], None] | None, attach: bool = False) -> int:
    """
    Run a command beside nodes of its own and return the exit code.

    :param compose: adds these nodes; None: attach to those that run in this ROS domain
    :param attach: the command's own nodes join those that run in this ROS domain
    :raises OutputError: if standard output takes no more; the graph is taken down before
    """
    try:
        finished = carry_out(command, compose, attach)
    except OutputError:
        raise
    except (ImitationError, OSError) as error:
        print(f'il_ros: {sentence_of(error)}', file=sys.stderr)
        return 1
    if not finished:
        print('il_ros: interrupted; completed episodes are kept', file=sys.stderr)
        return INTERRUPTED
    return 0


def carry_out(command: Callable[[Client], Awaitable],
              compose: Callable[[Runtime], None] | None, attach: bool = False) -> bool:
    """
    Run a command beside nodes of its own, as ``run_client``; the graph is then taken down.

    :returns: False: it was interrupted
    :raises ImitationError: what the command or one of the nodes refused
    :raises OSError: what the operating system refused them
    """
    failures: list[ImitationError | OSError] = []
    finished = []
    alone = compose is not None and not attach
    domain = own_domain() if alone else contextlib.nullcontext()
    with domain, Runtime(LOGGING) as runtime:
        if compose is not None:
            compose(runtime)
        client = runtime.add(Client)

        async def guarded():
            try:
                await command(client)
                finished.append(True)
            except (ImitationError, OSError) as error:
                failures.append(error)
            finally:
                runtime.request_stop()

        runtime.slow.create_task(guarded)
        runtime.spin()
    if failures:
        raise failures[0]
    return bool(finished)


@contextlib.contextmanager
def own_domain():
    """Keep a free domain for the graph unless the user chose one."""
    if os.environ.get('ROS_DOMAIN_ID'):
        yield
        return
    held = contextlib.ExitStack()
    os.environ['ROS_DOMAIN_ID'] = str(held.enter_context(domain_id()))
    try:
        yield
    finally:
        del os.environ['ROS_DOMAIN_ID']
        # Not told of an error of ours: it would take that for a domain in use, and try others.
        held.close()
