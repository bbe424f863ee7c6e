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

"""``il_ros doctor``: gather facts, judge them, print the findings."""

import argparse
from collections.abc import Callable, Iterable
import json
import os
from pathlib import Path
import platform
import time

from il_ros.doctor import graph_checks, system_checks, system_facts
from il_ros.doctor.findings import Finding, findings_of, Level
from il_ros.robots.model import find_robot, RobotModel
from il_ros.ros.environment import check_environment, discovery_range, domain
from il_ros.ros.environment import enforces_security, reach
from il_ros.ros.presence.graph_facts import GraphFacts, RobotFacts

Check = Callable[[], Iterable[Finding]]


def doctor(args: argparse.Namespace) -> int:
    """Run every check, print what it found, and return 1 if anything fails."""
    found = {'environment': findings_of(_environment)}
    found |= {name: findings_of(check) for name, check in _system(args).items()}
    if not _fails(found['environment']):
        found |= _graph(args.robot, args.command, args.command_topic)
    levels = [finding.level for findings in found.values() for finding in findings]
    failed = Level.FAIL in levels
    if args.json:
        print(json.dumps({'passed': not failed, 'findings': [
            {'check': name, 'level': finding.level, 'text': finding.text}
            for name, findings in found.items() for finding in findings]}, indent=2))
    else:
        for name, findings in found.items():
            for finding in findings:
                print(f'{finding.level:4}  {name:13}  {finding.text}')
        print(f'{levels.count(Level.FAIL)} failures, {levels.count(Level.WARN)} warnings')
    return 1 if failed else 0


def _system(args: argparse.Namespace) -> dict[str, Check]:
    """Return the checks of this machine."""
    environ, facts, checks = os.environ, system_facts, system_checks
    return {
        'interfaces': lambda: checks.interfaces(facts.interfaces_error()),
        'versions': lambda: checks.versions(facts.versions(), platform.python_version()),
        'middleware': lambda: checks.middleware(environ.get('RMW_IMPLEMENTATION', '')),
        'discovery': lambda: checks.discovery(discovery_range(), reach(), enforces_security()),
        'security': lambda: checks.security(environ.get('ROS_SECURITY_ENABLE', ''),
                                            environ.get('ROS_SECURITY_STRATEGY', '')),
        'ports': lambda: checks.ports(facts.udp_sockets(), domain()),
        'shared memory': lambda: checks.shared_memory(facts.shared_memory()),
        'clock': lambda: checks.clock(time.time()),
        'cores': lambda: checks.cores(len(os.sched_getaffinity(0))),
        'GPU': lambda: checks.graphics(facts.graphics_cards()),
        'runs': lambda: checks.runs(facts.folder(Path(args.runs)))}


def _fails(findings: Iterable[Finding]) -> bool:
    return any(finding.level == Level.FAIL for finding in findings)


def _environment() -> Iterable[Finding]:
    check_environment()
    yield Finding(Level.OK, 'ROS_DOMAIN_ID, discovery, security and the log folder can be used')


def _graph(name: str, command: str, topic: str) -> dict[str, list[Finding]]:
    """
    Return what the checks of the graph found; where ROS does not start that is all.

    :param name: of the robot; empty: none is checked
    :param command: of the command adapter; empty: joint positions by name
    :param topic: of the commands; empty: the adapter's own
    """
    looked: list[GraphFacts] = []

    def look() -> Iterable[Finding]:
        # Where ROS is not installed that is a finding, not the end.
        from il_ros.ros.presence import survey
        looked.append(survey.look(survey.command_of(command, topic) if name else None))
        return ()

    found = {'graph': findings_of(look)}
    for facts in looked:
        found['nodes'] = findings_of(lambda: graph_checks.nodes(facts))
        found['use_sim_time'] = findings_of(lambda: graph_checks.sim_time(facts))
        if facts.robot is not None:
            found |= _robot(name, facts.robot)
    return found


def _robot(name: str, facts: RobotFacts) -> dict[str, list[Finding]]:
    found = {'states': findings_of(lambda: graph_checks.states(facts)),
             'writers': findings_of(lambda: graph_checks.writers(facts)),
             'subscribers': findings_of(lambda: graph_checks.readers(facts))}
    robots: list[RobotModel] = []

    def find() -> Iterable[Finding]:
        robots.append(find_robot(name))
        return ()

    found['robot'] = findings_of(find)
    for robot in robots:
        found['joints'] = findings_of(lambda: graph_checks.joints(facts, robot))
        found['limits'] = findings_of(lambda: graph_checks.description(facts, robot))
    return found
