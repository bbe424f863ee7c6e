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

"""Folders of runs: where a command writes, and which runs it refuses to touch."""

import argparse
import os
from pathlib import Path
import time

from il_ros.contract.episode_spec import EVALUATION
from il_ros.errors import CommandError
from il_ros.graph.client import CALL_S, Client
from il_ros.graph.graph import contract_of
from il_ros.graph.graph_options import GraphOptions
from il_ros.interactive.run_state import FILE_NAME as RUN_FILE
from il_ros.ros.calls import CallError
from il_ros.ros.environment import LOCALHOST, RANGE
from il_ros.ros.presence.occupancy import may_be_here, PARTS
from il_ros.ros.recording.parameters import RUNS_FOLDER
from il_ros.runs.run_kind import kind_of_run, refuse_other_kind as refuse, RunKind
from il_ros.runs.shard import receipts_in
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import GetParameters
from rclpy.node import NodeNameNonExistentError


ALONE_S = 1.5
"""How long a graph is looked for of which this machine's lock files know nothing."""

FAR_S = 6.0
"""The same where graphs of other machines may answer; discovery repeats itself every 3 s."""

REPLAY = 'replay'
"""Name of the node by which a command drives a graph that it attaches to."""


async def runs_of(client: Client, runs: str | Path, attach: bool, wait_s: float = 0.0) -> Path:
    """
    Return the folder of the runs: ``runs``, or that of the graph which is attached to.

    :param wait_s: how long to wait for a graph that is still starting, at least
    :raises CallError: if nobody records in this ROS domain
    """
    own = Path(runs)
    if not attach:
        return own
    recorder = await server_of(client, 'open_episode', wait_s)
    getter = client.create_client(GetParameters, f'{recorder}/get_parameters',
                                  callback_group=client.waiter.group)
    try:
        response = await client.waiter.call(
            getter, GetParameters.Request(names=[RUNS_FOLDER]), CALL_S)
    finally:
        client.destroy_client(getter)
    found = [value.string_value for value in response.values
             if value.type == ParameterType.PARAMETER_STRING]
    return Path(found[0]) if found and Path(found[0]) != own.absolute() else own


async def server_of(client: Client, name: str, wait_s: float = 0.0) -> str:
    """
    Return the full name of the node that serves ``name`` in the graph that is attached to.

    :param name: of the service
    :param wait_s: how long to wait for a graph that is still starting, at least
    :raises CallError: soon, if no part of a graph and no other node is in this ROS domain; else
        after ``CALL_S``
    """
    service = client.resolve_service_name(name)
    began, own = time.monotonic(), {client.get_name(), REPLAY}
    here = any(may_be_here(part, client) for part in PARTS)
    alone_s = ALONE_S if os.environ.get(RANGE, LOCALHOST) == LOCALHOST else FAR_S
    while True:
        nodes = client.get_node_names_and_namespaces()
        for node, namespace in nodes:
            if service in _services(client, node, namespace):
                return f'{namespace.rstrip("/")}/{node}'
        others = {node for node, _ in nodes} - own
        known_s = CALL_S if here or others else alone_s
        if time.monotonic() > began + max(wait_s, known_s):
            domain = os.environ.get('ROS_DOMAIN_ID') or '0'
            raise CallError(f'no graph is found in ROS domain {domain}: no server for {service}; '
                            'start one (ros2 launch il_ros record.launch.py), wait '
                            'for it (--wait), or set ROS_DOMAIN_ID to its domain')
        await client.waiter.pause(0.1)


def _services(client: Client, name: str, namespace: str) -> set[str]:
    try:
        return {served for served, _ in
                client.get_service_names_and_types_by_node(name, namespace)}
    except NodeNameNonExistentError:
        return set()  # it has ended meanwhile


def refuse_other_kind(folder: Path, args: argparse.Namespace, options: GraphOptions | None):
    """
    Refuse a run of another task, contract or options than the command line's.

    :param options: None: the graph is attached, and its recorder compares the contract
    :raises RunKindError: naming what differs, with both values
    """
    found = kind_of_run(folder)
    if found is not None:
        contract = contract_of(options) if options is not None else None
        refuse(folder, found[0], RunKind(args.task, args.options, contract))


def refuse_other_run(folder: Path, args: argparse.Namespace, options: GraphOptions | None):
    """Refuse to add demonstrations to a run that they do not belong to."""
    if (folder / RUN_FILE).exists():
        raise CommandError(f'{folder} was made by dagger, not by record; give --run another name')
    refuse_other_kind(folder, args, options)


def refuse_other_episodes(folder: Path):
    """Refuse a folder that holds anything but an earlier evaluation, which will be replaced."""
    if not folder.exists():
        return
    others = [path for path, receipt in receipts_in(folder / 'episodes')
              if receipt.spec.purpose != EVALUATION]
    if others or not (folder / 'episodes').is_dir() or (folder / 'run.json').exists():
        raise CommandError(f'{folder} holds more than evaluation episodes, which would be '
                           'replaced; give --run another name')
