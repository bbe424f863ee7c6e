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

"""Checks of the ROS graph and of an arm in it: from facts to findings."""

import collections
from collections.abc import Iterator
import statistics

from il_ros.doctor.findings import fail, Finding, ok, warn
from il_ros.errors import RobotError
from il_ros.robots.model import RobotModel
from il_ros.robots.urdf import moving_joints
from il_ros.ros.presence.graph_facts import End, GraphFacts, RobotFacts, Stream
import numpy as np

LEAST_RATE_HZ = 10.0
"""Slower joint states do not make a control loop."""

CLOCKS_APART_S = 0.2
"""Stamps that are further from this machine's clock are another clock's."""

JOINT_STATES = 'joint_states'
SUPERVISOR = 'supervisor'


def nodes(facts: GraphFacts) -> Iterator[Finding]:
    """Check the other nodes of the domain."""
    twice = [name for name, count in collections.Counter(facts.nodes).items() if count > 1]
    if twice:
        yield fail(f'several nodes are called {", ".join(twice)}; end all but one, or give them '
                   'namespaces')
    listed = ', '.join(facts.nodes) or 'none'
    yield ok(f'other nodes in domain {facts.domain}: {listed}')


def sim_time(facts: GraphFacts) -> Iterator[Finding]:
    """Check that nodes run on the time of day."""
    if facts.in_sim_time:
        yield warn(f'{", ".join(facts.in_sim_time)} with use_sim_time; set it to false, as il_ros '
                   'has it, or stamps and deadlines are those of another clock')
    if facts.silent:
        yield ok(f'{", ".join(facts.silent)} did not say whether use_sim_time is set')
    elif not facts.in_sim_time:
        yield ok('no node has use_sim_time')


def states(facts: RobotFacts) -> Iterator[Finding]:
    """Check rates and ages of the state topics."""
    for topic, stream in facts.streams.items():
        if len(stream.arrivals_s) < 2:
            if topic == JOINT_STATES:
                yield fail(f'{topic} is silent; start the driver of the arm, or remap its topic')
            else:
                yield ok(f'{topic} is silent; il_ros computes it where tool_pose_from says so')
            continue
        yield from _stream(topic, stream)


def _stream(topic: str, stream: Stream) -> Iterator[Finding]:
    age_s = statistics.median(stream.ages_s)
    said = f'{topic} comes at {stream.rate_hz:.1f} Hz, {1e3 * age_s:.0f} ms old'
    if stream.stands_still:
        yield warn(f'all messages of {topic} have the same stamp, as those of a simulator in '
                   'lockstep between two steps; correct the driver if this is a real arm')
    elif abs(age_s) > CLOCKS_APART_S:
        yield warn(f'{said}; synchronise the clocks (chrony), or turn use_sim_time off')
    elif stream.rate_hz < LEAST_RATE_HZ:
        yield warn(f'{said}; raise its rate to {LEAST_RATE_HZ:g} Hz at least')
    else:
        yield ok(said)


def writers(facts: RobotFacts) -> Iterator[Finding]:
    """Check who writes the commands."""
    names = ', '.join(end.node for end in facts.writers)
    if len(facts.writers) > 1:
        yield fail(f'{len(facts.writers)} nodes write {facts.command_topic}: {names}; end all but '
                   'the supervisor')
    elif facts.writers and facts.writers[0].node.rpartition('/')[2] != SUPERVISOR:
        yield warn(f'{names} writes {facts.command_topic}; end it before the supervisor starts')
    else:
        yield ok(f'{facts.command_topic} is written by {names or "nobody yet"}')


def readers(facts: RobotFacts) -> Iterator[Finding]:
    """Check who obeys the commands, and whether they arrive there."""
    topic = facts.command_topic
    if not facts.readers:
        yield fail(f'nobody subscribes to {topic}; start the controller of the arm, or remap its '
                   'topic')
    for end in facts.readers:
        yield _reader(topic, facts.command_type, end)


def _reader(topic: str, type_name: str, end: End) -> Finding:
    if end.type_name != type_name:
        return fail(f'{end.node} expects {end.type_name} on {topic}, which is {type_name}; use '
                    'the controller for this type')
    if end.mismatch:
        return fail(f'{end.node} does not receive {topic} ({end.mismatch}); '
                    'correct its quality of service')
    if end.lease_s > 1.0:
        return warn(f'{end.node} does not notice the end of the supervisor by its liveliness; '
                    'make sure that it stops by itself when no command comes')
    return ok(f'{end.node} obeys {topic}, {end.type_name}')


def joints(facts: RobotFacts, robot: RobotModel) -> Iterator[Finding]:
    """Check the joint states against the robot: names, order, positions."""
    if facts.joints is None:
        return
    names, wanted = facts.joints.names, robot.joint_names
    missing = [name for name in wanted if name not in names]
    twice = [name for name, count in collections.Counter(names).items() if count > 1]
    if missing or twice:
        what = f'lacks {", ".join(missing)}' if missing else f'repeats {", ".join(twice)}'
        yield fail(f'{JOINT_STATES} {what}; correct the names of {robot.name} or of its driver')
        return
    if len(facts.joints.positions) != len(names):
        yield fail(f'{JOINT_STATES} has {len(names)} names and {len(facts.joints.positions)} '
                   'positions; correct the driver of the arm')
        return
    order = [name for name in names if name in wanted]
    if order != list(wanted):
        yield warn(f'{JOINT_STATES} comes as {", ".join(order)}, the order of {robot.name} is '
                   f'{", ".join(wanted)}; il_ros reads by name, but a controller without names '
                   'must have the order of the robot: compare its parameter joints')
    else:
        yield ok(f'{JOINT_STATES} has the {len(wanted)} joints of {robot.name}, in its order')
    yield _positions(dict(zip(names, facts.joints.positions, strict=True)), robot)


def _positions(measured: dict[str, float], robot: RobotModel) -> Finding:
    positions = np.array([measured[name] for name in robot.joint_names])
    # Written so that a position that is not a number counts as outside.
    outside = ~(robot.beyond_start(positions) <= 0.0)
    if outside.any():
        worst = int(outside.argmax())
        return fail(f'{robot.joint_names[worst]} is at {positions[worst]:.3f}, outside '
                    f'{robot.lower[worst]:.3f} to {robot.upper[worst]:.3f} of {robot.name}; move '
                    'the arm inside, or correct the limits')
    return ok('an episode may begin where the joints are')


def description(facts: RobotFacts, robot: RobotModel) -> Iterator[Finding]:
    """Check the limits of the robot against the URDF that is on air."""
    if facts.description is None:
        yield ok('no robot_description on air; limits were not compared')
        return
    # It loads the physics, without which the other checks still run.
    from il_ros.robots.robot_check import limit_findings
    try:
        found = list(limit_findings(robot, moving_joints(facts.description)))
    except (RobotError, ValueError) as error:
        yield fail(f'robot_description: {error}; correct what publishes it')
        return
    for sentence in found:
        yield fail(f'{sentence} ({robot.name})')
    if not found:
        yield ok(f'the limits of {robot.name} are inside those of robot_description')
