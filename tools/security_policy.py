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
Write the SROS 2 policy of the graph: what each node publishes, subscribes, serves and calls.

``python tools/security_policy.py`` builds every node and asks ROS what it has; a test compares
the file with them. ``docs/how-to/security.md`` says how to use it.
"""

from collections.abc import Iterator
import importlib
import os
from pathlib import Path
from typing import NamedTuple
from unittest import mock
from xml.sax.saxutils import escape, quoteattr

ROOT = Path(__file__).resolve().parent.parent
POLICY = ROOT / 'config' / 'security' / 'policy.xml'
VERSION = '0.2.0'
"""Of the format, as ``ros2 security generate_policy`` writes it."""

BEGIN = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!-- Made by tools/security_policy.py; docs/how-to/security.md says how to use it. -->
<policy version="{VERSION}">
  <enclaves>
"""
END = """\
  </enclaves>
</policy>
"""
NODES = ('simulator', 'operator_task', 'observer', 'policy', 'expert', 'teleop', 'supervisor',
         'recorder', 'collector', 'trainer', 'coordinator')
OTHERS = {'view': 'il_ros.nodes.view:ViewNode', 'command': 'il_ros.graph.client:Client',
          'doctor': 'il_ros.ros.presence.survey:Survey'}
"""Nodes of commands, by their enclave."""

WHOLE = 'graph'
"""The enclave of a process that has all nodes and the command's own."""

SETTINGS = {'simulator': {'camera': True, 'publish_clock': True},
            'observer': {'contract': 'push_image'}}
"""With these a node has all its topics."""

LATER = {
    'policy': {('topic', 'subscribe'): {'/executed'}},
    'command': {('service', 'request'): {'/recorder/get_parameters', '/label_observations'}},
    'doctor': {('service', 'request'): {f'/{name}/get_parameters' for name in NODES}}}
"""What a node makes only when it needs it."""

RULES = (('action', 'call'), ('action', 'execute'), ('service', 'reply'), ('service', 'request'),
         ('topic', 'publish'), ('topic', 'subscribe'))

Names = dict[tuple[str, str], set[str]]
"""Names with their namespaces, by rule."""


class Profile(NamedTuple):
    """What one node may do."""

    node: str
    names: Names


def profiles() -> dict[str, Profile]:
    """Build each node once and return what it has, by enclave."""
    from il_ros.learning.training_worker.worker_client import WorkerClient
    import rclpy
    context = rclpy.Context()
    # Nobody else's nodes are to be seen, and no worker process is wanted.
    with mock.patch.dict(os.environ, ROS_AUTOMATIC_DISCOVERY_RANGE='OFF'), \
            mock.patch.object(WorkerClient, 'start', lambda self: None):
        rclpy.init(context=context)
        found = {name: _profile(name, context) for name in (*NODES, *OTHERS)}
    context.try_shutdown()
    return found


def _profile(name: str, context) -> Profile:
    from il_ros.graph.executables import class_of
    from il_ros.graph.graph import overrides
    from il_ros.ros.presence.occupancy import PARTS
    from il_ros.ros.presence.pulse import TOPIC
    module, _, kind = OTHERS.get(
        name, f'il_ros.nodes.{name}:{class_of(name)}').partition(':')
    looks = {'command': ('joint_command', 'sensor_msgs/msg/JointState')}
    more = looks if name == 'doctor' else {} if name == 'command' else {
        'parameter_overrides': overrides(SETTINGS.get(name, {}))}
    node = getattr(importlib.import_module(module), kind)(context=context, **more)
    own = node.get_name()
    try:
        names = _names_of(node)
    finally:
        if name in PARTS and hasattr(node, 'shut_down'):
            node.shut_down()
        node.destroy_node()
    if name in PARTS:
        names['topic', 'publish'].add(f'/{TOPIC}')
    for rule, later in LATER.get(name, {}).items():
        names[rule] |= later
    return Profile(own, names)


def _names_of(node) -> Names:
    from rclpy.action import get_action_client_names_and_types_by_node as calls
    from rclpy.action import get_action_server_names_and_types_by_node as executes
    who = node.get_name(), node.get_namespace()
    found = {
        ('action', 'call'): calls(node, *who), ('action', 'execute'): executes(node, *who),
        ('service', 'reply'): node.get_service_names_and_types_by_node(*who),
        ('service', 'request'): node.get_client_names_and_types_by_node(*who),
        ('topic', 'publish'): node.get_publisher_names_and_types_by_node(*who),
        ('topic', 'subscribe'): node.get_subscriber_names_and_types_by_node(*who)}
    names = {rule: {name for name, _ in pairs} for rule, pairs in found.items()}
    # Who only listens to feedback counts as a client in ROS; it sends no goals.
    names['action', 'call'] = {name for name in names['action', 'call']
                               if f'{name}/_action/send_goal' in names['service', 'request']}
    own = names['action', 'call'] | names['action', 'execute']
    # What an action consists of is said by its own name.
    return {rule: {name for name in those if name.partition('/_action/')[0] not in own
                   or rule[0] == 'action'} for rule, those in names.items()}


def policy() -> str:
    """Return the policy: an enclave a node, and one of a process that has them all."""
    found = profiles()
    enclaves = {name: [profile] for name, profile in found.items()}
    enclaves[WHOLE] = [found[name] for name in (*NODES, 'command')]
    return BEGIN + ''.join(_enclave(name, inside) for name, inside in enclaves.items()) + END


def _enclave(name: str, inside: list[Profile]) -> str:
    lines = [f'    <enclave path="/il_ros/{name}">', '      <profiles>']
    for profile in inside:
        lines += [f'        <profile ns="/" node={quoteattr(profile.node)}>',
                  *_rules(profile), '        </profile>']
    return '\n'.join([*lines, '      </profiles>', '    </enclave>', ''])


def _rules(profile: Profile) -> Iterator[str]:
    for kind, rule in RULES:
        if profile.names[kind, rule]:
            yield f'          <{kind}s {rule}="ALLOW">'
            for name in sorted(profile.names[kind, rule]):
                yield f'            <{kind}>{escape(_relative(name, profile.node))}</{kind}>'
            yield f'          </{kind}s>'


def _relative(name: str, node: str) -> str:
    """Return a name as seen from a node of any namespace; ``/diagnostics`` and the like stay."""
    if name in ('/diagnostics', '/rosout', '/parameter_events'):
        return name
    own = f'/{node}/'
    return f'~/{name.removeprefix(own)}' if name.startswith(own) else name.removeprefix('/')


if __name__ == '__main__':
    POLICY.write_text(policy())
