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

"""Fakes at the seam: a probe that talks to nodes, drivers by a function, and short episodes."""

from collections.abc import Callable
import subprocess
import sys
import time

from il_ros.contract.episode_spec import DrivePlan, episode_id, EpisodeSpec, EXPERT, POLICY
from il_ros.contract.episode_spec import ROLLOUT, RUNNING
from il_ros.episodes.receipts import Receipt
from il_ros.graph.graph import overrides
from il_ros.nodes.expert import ExpertNode
from il_ros.nodes.observer import ObserverNode
from il_ros.nodes.recorder import RecorderNode
from il_ros.nodes.simulator import SimulatorNode
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.ros import qos
from il_ros.ros.conversion.messages import float32s, NS, receipt_from_message, spec_to_message
from il_ros.ros.conversion.messages import to_ns, to_stamp
from il_ros.ros.runtime import make_executor, take_down
from il_ros_interfaces.msg import Action, EpisodeStatus, Executed, Observation, RecordedEpisode
from il_ros_interfaces.srv import OpenEpisode, ResetTask, SetDriver
import numpy as np
import rclpy
from rclpy.action import ActionClient
from sensor_msgs.msg import JointState
from shipped_arms import PANDA

PERIOD_NS = NS // 20
RUN = 'run'
POLL_S = 0.02


class Bench:
    """Nodes and a probe in a private context on one executor, spun by whoever waits."""

    def __init__(self, executor: str):
        self.kind = executor
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.executor = make_executor(executor, self.context)
        self._nodes = []
        self._clients = {}
        self._beside = []
        self.probe = self.keep(rclpy.create_node('probe', context=self.context))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for other in self._beside:
            other.close()
        self.close()

    def close(self):
        """Take everything down, in the order that works; a second call does nothing."""
        for node in reversed(self._nodes):
            if hasattr(node, 'shut_down'):
                node.shut_down()
            take_down(self.executor, node)
        self._nodes.clear()
        self.executor.shutdown()
        self.context.try_shutdown()

    def beside(self) -> 'Bench':
        """Return a bench like another process: it may go, while this one stays."""
        self._beside.append(Bench(self.kind))
        return self._beside[-1]

    def keep(self, node):
        """Spin a node that was built elsewhere, until the end."""
        self.executor.add_node(node)
        self._nodes.append(node)
        return node

    def add(self, build: Callable, **parameters):
        """Build a node with these parameters."""
        return self.keep(build(context=self.context, parameter_overrides=overrides(parameters)))

    def until(self, predicate: Callable[[], object], timeout_s: float = 5.0) -> bool:
        """Spin until the predicate holds; False: it did not in time."""
        deadline = time.monotonic() + timeout_s
        benches = [self, *(other for other in self._beside if other._nodes)]
        while not predicate():
            if time.monotonic() >= deadline:
                return False
            for bench in benches:
                bench.executor.spin_once(timeout_sec=POLL_S if len(benches) == 1 else 1e-3)
        return True

    def listen(self, kind: type, topic: str, profile=qos.STREAM) -> list:
        """Return the list that every message of a topic comes to."""
        heard = []
        self.probe.create_subscription(kind, topic, heard.append, profile)
        return heard

    def listen_timed(self, kind: type, topic: str, profile=qos.STREAM) -> list:
        """Return the list that messages come to, each after the time of its arrival, s."""
        heard = []
        self.probe.create_subscription(
            kind, topic, lambda message: heard.append((time.monotonic(), message)), profile)
        return heard

    def talk(self, kind: type, topic: str, profile=qos.STREAM, readers: int = 1):
        """Return a publisher that somebody reads."""
        publisher = self.probe.create_publisher(kind, topic, profile)
        assert self.until(lambda: publisher.get_subscription_count() >= readers), topic
        return publisher

    def call(self, kind: type, name: str, request):
        """Call a service and return its response."""
        if name not in self._clients:
            self._clients[name] = self.probe.create_client(kind, name)
        client = self._clients[name]
        assert self.until(client.service_is_ready), f'{name} is not there'
        future = client.call_async(request)
        assert self.until(future.done), f'{name} did not answer'
        return future.result()

    def send(self, client: ActionClient, goal, feedback=None):
        """Send a goal to an action and return its handle."""
        future = client.send_goal_async(goal, feedback_callback=feedback)
        assert self.until(future.done)
        return future.result()

    def outcome(self, handle):
        """Return status and result of a goal."""
        future = handle.get_result_async()
        assert self.until(future.done)
        return future.result().status, future.result().result


class Process(subprocess.Popen):
    """
    The executable of a node; killed at the end.

    :param parameters: each ``name:=value``
    :param remapped: names, each ``name:=other``
    """

    def __init__(self, name: str, *parameters: str, remapped: tuple[str, ...] = ()):
        code = f'import sys; from il_ros.graph import executables; sys.exit(executables.{name}())'
        words = [word for setting in parameters for word in ('-p', setting)]
        words += [word for rule in remapped for word in ('-r', rule)]
        super().__init__([sys.executable, '-c', code, '--ros-args', *words],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __exit__(self, *_):
        self.kill()
        self.wait()


class Script:
    """A driver by a function: answers each RUNNING observation like a policy or an expert."""

    def __init__(self, bench: Bench, source: int, act: Callable,
                 uncertainty: Callable = lambda _: -1.0):
        topic = {EXPERT: 'expert/action', POLICY: 'policy/action'}[source]
        self.publisher = bench.probe.create_publisher(Action, topic, qos.STREAM)
        self.act = act
        self.uncertainty = uncertainty
        self.source = source
        self.last = -1
        bench.probe.create_subscription(
            Observation, 'observation', self._on_observation, qos.STREAM)

    def _on_observation(self, message: Observation):
        if message.phase != RUNNING or self.act is None:
            return
        action = self.act(message)
        if action is not None:
            self.publisher.publish(Action(
                header=message.header, contract_id=message.contract_id, source=self.source,
                engaged=True, uncertainty=self.uncertainty(message), values=float32s(action)))


class Graph:
    """The hot nodes around one task, with episodes to run on them."""

    def __init__(self, bench: Bench, runs, task: str = 'reach', simulator=SimulatorNode,
                 expert: bool = True, contract: str = '', observer: dict | None = None,
                 **supervisor):
        self.bench, self.runs, self.task = bench, runs, task
        self.observations = bench.listen(Observation, 'observation', qos.RECORD)
        self.executed = bench.listen(Executed, 'executed', qos.RECORD)
        self.statuses = bench.listen(EpisodeStatus, 'episode', qos.RECORD_STATUS)
        self.recorded = bench.listen(RecordedEpisode, 'recorded', qos.RECEIPTS)
        self.supervisor = bench.add(SupervisorNode, **supervisor)
        self.expert = bench.add(ExpertNode, task=task) if expert else None
        self.recorder = bench.add(RecorderNode, runs=str(runs))
        contract = contract or task
        self.observer = bench.add(ObserverNode, contract=contract, **(observer or {}))
        self.simulator = bench.add(simulator, task=task, contract=contract)
        assert bench.until(lambda: self.observations), 'the graph does not start'

    def open(self, spec: EpisodeSpec):  # noqa: A003
        """Ask the recorder to open an episode."""
        return self.bench.call(
            OpenEpisode, 'open_episode', OpenEpisode.Request(spec=spec_to_message(spec)))

    def arm(self, spec: EpisodeSpec):
        """Ask the supervisor to arm an episode."""
        return self.bench.call(SetDriver, 'set_driver', SetDriver.Request(
            spec=spec_to_message(spec), gate_threshold=-1.0))

    def reset(self, spec: EpisodeSpec):
        """Ask the task to reset."""
        return self.bench.call(
            ResetTask, 'reset_task', ResetTask.Request(spec=spec_to_message(spec)))

    def begin(self, spec: EpisodeSpec):
        """Open, arm and reset; each must be granted."""
        for ask in (self.open, self.arm, self.reset):
            response = ask(spec)
            assert response.error_code == 0, response.error_msg

    def finish(self, spec: EpisodeSpec, timeout_s: float = 20.0) -> Receipt:
        """Wait for the receipt of an episode."""
        def receipts():
            return [m for m in self.recorded if m.spec.episode_id == spec.episode_id]
        assert self.bench.until(receipts, timeout_s), f'no receipt of {spec.episode_id}'
        return receipt_from_message(receipts()[-1])

    def run(self, spec: EpisodeSpec) -> Receipt:
        """Run one episode to its receipt."""
        self.begin(spec)
        return self.finish(spec)

    def path(self, receipt: Receipt):
        """Return where an episode lies."""
        return self.runs / RUN / receipt.path


def episode(number: int = 1, horizon: int = 4, task: str = 'reach', driver: int = EXPERT,
            **plan) -> EpisodeSpec:
    """Return the specification of a short episode that does not end before its horizon."""
    return EpisodeSpec(
        episode_id=episode_id(ROLLOUT, 1, number), run=RUN, task=task, purpose=ROLLOUT, round=1,
        seed=number, horizon=horizon, continuing=True, plan=DrivePlan(driver=driver, **plan))


def stamps(messages) -> list[int]:
    """Return the stamps of messages, ns, repeats left out."""
    return list(dict.fromkeys(to_ns(message.header.stamp) for message in messages))


def towards(x: float = 0.2, y: float = 0.1, z: float = 0.0):
    """Return a driver that always wants the same velocity."""
    return lambda _: np.array([x, y, z], np.float32)


def reset(bench: Bench, spec: EpisodeSpec):
    """Ask the task for an episode."""
    return bench.call(ResetTask, 'reset_task', ResetTask.Request(spec=spec_to_message(spec)))


def command(stamp_ns: int, positions, names=PANDA.joint_names) -> JointState:
    """Return joint targets for a stamp."""
    message = JointState(name=list(names), position=[float(p) for p in positions])
    message.header.stamp = to_stamp(stamp_ns)
    return message
