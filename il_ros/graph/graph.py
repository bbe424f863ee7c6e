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
The whole graph in one process: every node, real topics, one simulated arm.

Safety figures hold for one process a node (one interpreter lock cannot stop itself), so that this
graph has a simulator in it and refuses any other arm.
"""

import argparse
from collections.abc import Sequence
import dataclasses
import sys

from il_ros import plugins
from il_ros.contract.contract import Contract, ContractError
from il_ros.errors import ImitationError, StreamError
from il_ros.graph.cell import cell_plan
from il_ros.graph.graph_options import GraphOptions
from il_ros.nodes.collector import CollectorNode
from il_ros.nodes.coordinator import CoordinatorNode
from il_ros.nodes.expert import ExpertNode
from il_ros.nodes.observer import ObserverNode
from il_ros.nodes.policy import PolicyNode
from il_ros.nodes.recorder import RecorderNode
from il_ros.nodes.simulator import SimulatorNode
from il_ros.nodes.supervisor import SupervisorNode
from il_ros.nodes.teleop import TeleopNode
from il_ros.nodes.trainer import TrainerNode
from il_ros.nodes.view import ViewNode
from il_ros.ros.runtime import part_of, Runtime, StartError
from il_ros.tasks.contracts import find_contract, robot_name
from il_ros.tasks.expert_registry import make_expert
from il_ros.tasks.registry import make_task
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.parameter import Parameter

RCLError = rclpy_implementation.RCLError
OPERATOR_TIMEOUT_S = 86_400.0
"""A person decides when an episode ends."""


def contract_of(options: GraphOptions) -> Contract:
    """
    Return the contract that a graph publishes.

    :raises ContractError: if there is none of that name, or no node takes its rate
    """
    contract, _ = find_contract(options.contract or options.task)
    contract = dataclasses.replace(contract, rate=options.rate_hz or contract.rate)
    if not 1.0 <= contract.rate <= 200.0:
        raise ContractError(f'{options.contract or options.task}: rate is {contract.rate:g} Hz; '
                            'expected 1 to 200')
    return contract


def build(runtime: Runtime, options: GraphOptions):
    """
    Add every node to the runtime: the hot ones and, in the slow thread, those with actions.

    :raises ImitationError: if there is no such task or contract, its expert cannot use the
        contract, a node refuses its parameters, or another graph has this ROS domain
    """
    make_task(options.task)
    realtime = options.mode == 'realtime'
    contract, published = options.contract or options.task, contract_of(options)
    # Refused now, if at all.
    make_expert(options.task, published, options.options)
    runs = {'runs': options.runs}
    parts: list[tuple[type, dict]] = [
        (SupervisorNode, {'mode': options.mode, 'estop_file': '', 'robot': robot_name(contract),
                          'command': options.command}),
        (ExpertNode, {'task': options.task, 'mode': options.mode,
                      'options': options.options}),
        *([(PolicyNode, {'mode': options.mode})] if options.policy else []),
        (RecorderNode, {**runs, 'shard': options.shard, 'write_behind': realtime,
                        'streams': options.streams, 'require_streams': options.require_streams}),
        (ObserverNode, {'contract': contract, 'rate_hz': published.rate,
                        'pairing': 'as_of' if realtime else 'exact',
                        'command': options.command}),
        (SimulatorNode, {'task': options.task, 'mode': options.mode, 'gui': options.gui,
                         'rate_hz': published.rate, 'contract': contract,
                         'controller': options.command}),
        (CollectorNode, {'operator_start': True, 'episode_deadline_s': OPERATOR_TIMEOUT_S}
         if options.teleop else {'stop_on_fault': False}),
        *([(TrainerNode, runs), (CoordinatorNode, runs)] if options.training else [])]
    # First of all, while nothing is running yet: keyboard or mapping may be refused.
    first = [(TeleopNode, {'device': options.teleop, 'mode': options.mode,
                           'mapping': options.mapping}), (ViewNode, {})] if options.teleop else []
    runtime.claim([part_of(kind) for kind, _ in (*parts, *first)])
    cells: dict[type, dict] = {CoordinatorNode: {'cells': cell_plan(options)}}
    for kind, values in (*first, *parts):
        try:
            runtime.add(kind, parameter_overrides=overrides(values), **cells.get(kind, {}))
        except StartError as error:
            if not options.streams or not isinstance(error.__cause__, RCLError):
                raise
            # One process cannot know a topic by two types.
            raise StreamError(f'--stream {options.streams}: the graph itself has a topic of that '
                              'name with another type; give the type that it has') from error


def overrides(values: dict) -> list[Parameter]:
    """Return parameter overrides as a node's constructor takes them."""
    return [Parameter(name, value=value) for name, value in values.items()]


def main(args: Sequence[str] | None = None) -> int:
    """Run the whole graph until it is asked to stop."""
    parser = argparse.ArgumentParser(prog='graph', description=__doc__)
    parser.add_argument('--task', default='push',
                        help='Task of the simulator (default: %(default)s)')
    parser.add_argument('--runs', default='runs', help='Folder of the runs (default: %(default)s)')
    parser.add_argument('--mode', default='lockstep', choices=('lockstep', 'realtime'),
                        help='Clock of the simulator (default: %(default)s)')
    parser.add_argument('--contract', default='',
                        help="Contract file, or a task's name, with _image for images (default: "
                             "the task's)")
    parser.add_argument('--gui', action='store_true', help="Open PyBullet's window")
    known, ros = parser.parse_known_args(args)
    plugins.trust(known.task, known.contract)
    try:
        with Runtime([sys.argv[0], *ros]) as runtime:
            build(runtime, GraphOptions(known.task, known.runs, known.mode, gui=known.gui,
                                        contract=known.contract))
            runtime.spin()
    except ImitationError as error:
        print(f'graph: {error}', file=sys.stderr)
        return 1
    return 0
