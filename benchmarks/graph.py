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
The graph as ``make bench`` measures it, in a child process.

Composed, as every command composes it, or one process a node. What is measured is read from the
recorded episodes and from ``/diagnostics``: nothing listens that does not listen otherwise.
"""

import argparse
import contextlib
import hashlib
import itertools
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from benchmarks.child import Parent
from benchmarks.size import specs
from diagnostic_msgs.msg import DiagnosticArray
from il_ros.contract.episode_spec import EpisodeSpec
from il_ros.episodes.mcap import read_mcap
from il_ros.episodes.reader import decode
from il_ros.episodes.receipts import Receipt
from il_ros.errors import ImitationError
from il_ros.graph.client import Client, own_domain, RefusedError, run_command
from il_ros.graph.graph_options import GraphOptions
from il_ros.processes.child import end, start
from il_ros.ros import qos
from il_ros.ros.diagnostics import PERIOD_S
from il_ros.ros.listening import listen
from rclpy.node import Node

READY_S = 40.0
"""How long the nodes may take to find each other."""

END_S = 5.0
WARM_UP_HORIZON = 40
WARM_UP_ROUND = 99
NANOSECONDS = 1e-9


class Measurement:
    """
    What the bench asks of a graph, one request after the other.

    :param client: of a graph that is up, or comes up within ``READY_S``
    """

    def __init__(self, client: Client, words: argparse.Namespace):
        self._client = client
        self._task = words.task
        self._runs = Path(words.runs)
        self._simulator = Reports(client, 'simulator')
        self._supervisor = Reports(client, 'supervisor')

    async def warm_up(self, folder: Path):
        """
        Load the policy and run an episode, as soon as the nodes have found each other.

        :raises RefusedError: if they do not within ``READY_S``
        """
        until = time.monotonic() + READY_S
        await self._client.load_policy(folder)
        for seed in itertools.count():
            try:
                await self.run([seed], WARM_UP_HORIZON, WARM_UP_ROUND)
                return
            except RefusedError:
                if time.monotonic() > until:
                    raise
            await self._client.pause(0.5)

    async def run(self, seeds: list[int], horizon: int, round_: int = 0) -> dict:
        """
        Record episodes.

        :returns: steps and seconds from the first command of each episode to its last one as the
            recorder received them, the seconds with all resets, and the hash of what was observed
        """
        episodes = specs(self._task, seeds, horizon, round_)
        began_s = time.perf_counter()
        receipts = await self._client.collect(episodes, lambda _: None)
        wall_s = time.perf_counter() - began_s
        steps, seconds, digest = 0, 0.0, hashlib.sha256()
        for spec, receipt in zip(episodes, receipts):
            observations, apart_s = self._recorded(spec, receipt)
            digest.update(observations)
            steps += receipt.steps - 1
            seconds += apart_s
        return {'steps': steps, 'seconds': seconds, 'wall_s': wall_s,
                'observed': digest.hexdigest()}

    def _recorded(self, spec: EpisodeSpec, receipt: Receipt) -> tuple[bytes, float]:
        file = read_mcap(self._runs / spec.run / receipt.path)
        times = [time_ns for topic, _, time_ns in file.in_order() if topic == 'executed']
        return decode(file).observations.tobytes(), (times[-1] - times[0]) * NANOSECONDS

    async def realtime(self, seconds: float, rate_hz: float) -> dict:
        """
        Run episodes for a while.

        :returns: latency from the published state to the command that answers it, as the
            simulator measures it by the steady clock, and what the supervisor counted
        """
        wanted = round(seconds * rate_hz)
        steps, seed = 0, 0
        while steps < wanted:
            seed += 1
            steps += (await self.run([seed], wanted))['steps'] + 1
        await self._client.pause(1.5 * PERIOD_S)
        values, counts = self._simulator.newest, self._supervisor.newest
        return {'p50_ms': float(values['command_latency_p50_ms']),
                'p99_ms': float(values['command_latency_p99_ms']),
                'samples': int(values['command_latency_samples']), 'steps': steps,
                'late_answers': int(counts['late_answers']), 'holds': int(counts['holds'])}


class Reports:
    """The newest ``/diagnostics`` of one node."""

    def __init__(self, listener: Node, node: str):
        self.newest: dict[str, str] = {}
        self._name = f'il_ros: {node}'
        listen(listener, DiagnosticArray, '/diagnostics', self._keep, qos.STREAM)

    def _keep(self, array: DiagnosticArray):
        for status in array.status:
            if status.name == self._name:
                self.newest = {value.key: value.value for value in status.values}


class SeparateNodes:
    """One process a node; a context manager that ends them."""

    def __init__(self, options: GraphOptions):
        realtime = options.mode == 'realtime'
        self._processes = [_start(node, **parameters) for node, parameters in (
            ('simulator', {'task': options.task, 'mode': options.mode,
                           'rate_hz': options.rate_hz}),
            ('observer', {'contract': options.task, 'rate_hz': options.rate_hz,
                          'pairing': 'as_of' if realtime else 'exact'}),
            ('policy', {}),
            ('expert', {'task': options.task}),
            ('supervisor', {'mode': options.mode}),
            ('recorder', {'runs': options.runs}),
            ('collector', {}))]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self._processes, END_S)


def _start(node: str, **parameters) -> subprocess.Popen:
    code = f'import sys; from il_ros.graph.executables import {node}; sys.exit({node}())'
    words = ['--ros-args', '--log-level', 'warn']
    for name, value in parameters.items():
        words += ['-p', f'{name}:={value}']
    return start((sys.executable, '-c', code, *words), signal.SIGTERM)


def main(args: list[str]) -> int:
    """Serve requests ``{"do": "run" | "realtime", ...}`` until the input ends."""
    parent = Parent()
    parser = argparse.ArgumentParser(prog='benchmarks.graph', description=__doc__)
    parser.add_argument('kind', choices=('composed', 'processes'))
    for name in ('task', 'policy', 'runs', 'mode'):
        parser.add_argument(f'--{name}', required=True)
    parser.add_argument('--rate', type=float, required=True)
    words = parser.parse_args(args)
    # Two graphs are up at a time: each needs a domain of its own, whatever the user chose.
    os.environ.pop('ROS_DOMAIN_ID', None)
    options = GraphOptions(task=words.task, runs=words.runs, mode=words.mode,
                           rate_hz=words.rate, training=False)

    async def command(client: Client):
        try:
            measurement = Measurement(client, words)
            await measurement.warm_up(Path(words.policy))
            for request in parent.requests():
                ask = getattr(measurement, request.pop('do'))
                parent.answer(**await ask(**request))
        except ImitationError as error:
            parent.answer(error=str(error))
            raise

    if words.kind == 'composed':
        return run_command(command, options)
    with contextlib.ExitStack() as stack:
        stack.enter_context(own_domain())
        stack.enter_context(SeparateNodes(options))
        return run_command(command, None)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
