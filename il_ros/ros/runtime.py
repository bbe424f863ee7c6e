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
The only place that spins, and the only one that handles signals.

Hot nodes (synchronous subscriptions, services and timers) live on the EventsExecutor of the main
thread; slow nodes (actions, coroutines) on a SingleThreadedExecutor in a thread of their own. Why,
and why the EventsExecutor is always given a timeout: ``docs/architecture.md``.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
import contextlib
import gc
import os
import signal
import sys
import threading
from typing import Any
import weakref

from il_ros.errors import ImitationError
from il_ros.output import OutputError
from il_ros.ros.environment import check_environment, keep_to_this_machine, reach
from il_ros.ros.presence.occupancy import Claims, PARTS
from il_ros.ros.presence.pulse import Pulse
import rclpy
from rclpy.action import ActionClient, ActionServer
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
import rclpy.experimental
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

SPIN_TIMEOUT_S = 1.0
"""The EventsExecutor of rclpy 7.1 never runs a callback when it is spun without a timeout."""

JOIN_TIMEOUT_S = 10.0

END_S = 60.0
"""A process that was asked to end is ended after so long, should a disk or a mount hang."""

_STOPS: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
"""By context: the future that is set when its runtime is asked to end."""

EXECUTORS = ('events', 'single')


class StartError(ImitationError):
    """A node that cannot start."""


def make_executor(kind: str, context: rclpy.Context) -> Executor:
    """Return the executor for hot nodes: ``events`` (fast) or ``single``."""
    if kind == 'events':
        return rclpy.experimental.EventsExecutor(context=context)
    return SingleThreadedExecutor(context=context)


@contextlib.contextmanager
def _one_sentence() -> Iterator[None]:
    """Raise what keeps ROS from starting, a keystore for example, as a ``StartError``."""
    try:
        yield
    except rclpy_implementation.RCLError as error:
        raise StartError(f'ROS does not start: {" ".join(str(error).split())}') from error


class Runtime:
    """
    A context, its nodes, and the threads that spin them until ``stop``.

    Use it as a context manager; leaving it tears everything down in the one order that works:
    slow thread joined, nodes destroyed, executors shut down, context shut down.

    :param executor: for the hot nodes; None: what the first one's parameter ``executor`` says
    :raises EnvironmentVariableError: if ROS cannot start by what a variable says
    :raises StartError: if it does not start for another reason
    """

    def __init__(self, args: Sequence[str] | None = None, executor: str | None = 'events'):
        check_environment(args)
        keep_to_this_machine()
        self.context = rclpy.Context()
        try:
            with _one_sentence():
                rclpy.init(args=None if args is None else list(args), context=self.context,
                           signal_handler_options=SignalHandlerOptions.NO)
        except rclpy_implementation.UnknownROSArgsError as error:
            raise StartError(f'unknown ROS arguments {error}; they follow --ros-args') from error
        self.claims = Claims(self.context)
        self._pulse = Pulse()
        self.stop = _STOPS[self.context] = Future()
        self.hot = make_executor(executor, self.context) if executor else None
        self.slow = SingleThreadedExecutor(context=self.context)
        self._nodes: list[tuple[Executor, Node]] = []
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._old_handlers: dict = {}
        self._watchdog: threading.Timer | None = None

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._old_handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_):
        self.close()

    def _on_signal(self, *_):
        if self._watchdog is None:
            self._watchdog = threading.Timer(END_S, _leave_anyway)
            self._watchdog.daemon = True
            self._watchdog.start()
        self.request_stop()

    @property
    def signalled(self) -> bool:
        """Tell whether a signal asked this runtime to end."""
        return self._watchdog is not None

    def request_stop(self):
        """End ``spin`` in the main thread and in the slow one; callable from any thread."""
        if not self.stop.done():
            self.stop.set_result(None)
        for executor in (self.hot, self.slow):
            if executor is not None:
                executor.wake()

    def claim(self, parts: Collection[str]):
        """
        Claim the parts of nodes that are to be added.

        :raises OccupiedError: if another node plays one of them in this domain
        """
        with _one_sentence():
            self.claims.take(parts)

    def add(self, build: Callable[..., Any], **arguments) -> Any:
        """
        Build a node and return it; one with ``is_slow`` gets its place in the slow thread.

        :raises OccupiedError: if another node plays its part in this domain
        """
        part = part_of(build)
        self.claim([part])
        with _one_sentence():
            node = build(context=self.context, **arguments)
        executor: Executor = self.slow
        if not is_slow(build):
            executor = self.hot = self.hot or make_executor(
                node.parameters.executor, self.context)
        executor.add_node(node)
        if not self._nodes:
            node.get_logger().info(f'{reach()} (ROS domain {self.context.get_domain_id()})')
        self._nodes.append((executor, node))
        if part in PARTS:
            self._pulse.add(part, node)
        return node

    def spin(self):
        """Run until ``stop``; a failure in the slow thread is raised here."""
        if any(executor is self.slow for executor, _ in self._nodes):
            # A daemon: should it hang in a read, the process ends in spite of it.
            self._thread = threading.Thread(target=self._spin_slow, name='slow', daemon=True)
            self._thread.start()
        if self.hot is None:
            self.hot = make_executor('events', self.context)
        try:
            spin_until(self.hot, self.stop)
        finally:
            self._join()
        if self._failure is not None:
            raise self._failure

    def _spin_slow(self):
        try:
            spin_until(self.slow, self.stop)
        except ExternalShutdownException:
            pass
        except BaseException as error:  # noqa: B902 - raised again by spin in the main thread
            self._failure = error
        finally:
            self.request_stop()

    def _join(self):
        self.request_stop()
        if self._thread is not None:
            self._thread.join(JOIN_TIMEOUT_S)
            self._thread = None

    def close(self):
        """Tear everything down; safe to call twice."""
        self._join()
        self._pulse.stop()
        for _, node in reversed(self._nodes):
            if hasattr(node, 'shut_down'):
                node.shut_down()
        for executor, node in reversed(self._nodes):
            take_down(executor, node)
        self._nodes.clear()
        for executor in (self.hot, self.slow):
            if executor is not None:
                executor.shutdown()
        self.context.try_shutdown()
        self.claims.release()
        if self._watchdog is not None:
            self._watchdog.cancel()
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self._old_handlers.clear()


def is_slow(build: Callable[..., Node]) -> bool:
    """Tell whether a node's class serves actions or awaits."""
    return getattr(build, 'is_slow', False)


def part_of(build: Callable[..., Node]) -> str:
    """Return the part that a node's class plays in a graph, by its name."""
    return getattr(build, 'part', build.__name__.removesuffix('Node').lower())


def stopping(context: rclpy.Context) -> bool:
    """Tell whether the runtime of a context was asked to end."""
    stop = _STOPS.get(context)
    return stop is not None and stop.done()


def _leave_anyway():
    print(f'il_ros: does not end within {END_S:g} s, a disk or a mount may hang; left as it is',
          file=sys.stderr, flush=True)
    os._exit(1)


def take_down(executor: Executor, node: Node):
    """Destroy a node and all that it has; what is left over would haunt the graph."""
    executor.remove_node(node)
    # destroy_node leaves these to the garbage collector; until then others see them as alive.
    for part in list(node.waitables):
        if isinstance(part, (ActionClient, ActionServer)):
            part.destroy()
    node.destroy_node()


def spin_until(executor: Executor, stop: Future):
    """
    Run an executor's callbacks until ``stop`` is done.

    Each callback that an executor of rclpy 7.1 runs leaves a function with the future that it is
    spun for. So that these do not pile up with ``stop``, that future lasts for one spin.
    """
    spins = [Future()]
    stop.add_done_callback(lambda _: spins[0].set_result(None))
    while not stop.done():
        spins[0] = Future()
        if not stop.done():
            executor.spin_until_future_complete(spins[0], timeout_sec=SPIN_TIMEOUT_S)


def run(build: type[Node], args: Sequence[str] | None = None) -> int:
    """
    Run one node in this process until a signal, and return the exit code.

    :param build: the node's class
    """
    runtime = None
    try:
        with Runtime(args, executor=None) as runtime:
            runtime.add(build)
            # What a node was built of stays: a full collection of it would take a control step.
            gc.collect()
            gc.freeze()
            runtime.spin()
    except OutputError:
        raise  # the command line says it
    except ImitationError as error:
        if runtime is not None and runtime.signalled:
            return 0  # asked to end while it started
        print(f'{build.__name__}: {error}', file=sys.stderr)
        return 1
    return 0
