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
Command adapters against the stand-ins of their controllers: ``python -m benchmarks.adapters``.

The expert drives in real time. Lag is the time from a state to when the arm is where the command
that answers it sends it; the tracking error is how far the arm then is from there a period later.
"""

import argparse
import contextlib
import os
from pathlib import Path
import sys
import tempfile

from benchmarks.size import RUN
from il_ros.contract.contract import ContractError
from il_ros.contract.episode_spec import DrivePlan, episode_id, EpisodeSpec, EXPERT, LABEL_NONE
from il_ros.contract.episode_spec import ROLLOUT
from il_ros.episodes.episode import Episode
from il_ros.episodes.reader import read_episode
from il_ros.errors import ImitationError
from il_ros.graph.client import Client, run_command
from il_ros.graph.graph_options import GraphOptions
from il_ros.reports.table import Table
from il_ros.robots.controllers import CONTROLLERS
from il_ros.robots.kinematics import Kinematics
from il_ros.robots.model import DEFAULT, find_robot
from il_ros.tasks.contracts import contract_name
import numpy as np

LONGEST_LAG_S = 0.5
HEADINGS = ('command', 'success', 'steps', 'lag, s', 'joints, rad: rms', 'largest',
            'tool, mm: rms', 'largest')


def specs(task: str, count: int) -> list[EpisodeSpec]:
    """Return episodes that the expert drives alone."""
    return [EpisodeSpec(
        episode_id=episode_id(ROLLOUT, 0, seed), run=RUN, task=task, purpose=ROLLOUT, round=0,
        seed=seed, horizon=0, continuing=False, plan=DrivePlan(driver=EXPERT, labels=LABEL_NONE))
        for seed in range(count)]


def arm_joints(episode: Episode) -> np.ndarray:
    """Return the measured positions of the arm's joints, shape ``(T + 1, n)``."""
    for feature in episode.contract.features:
        if feature.name == 'joint_position':
            return episode.observations[:, feature.start:feature.stop].astype(np.float64)
    raise ContractError(f'contract {episode.contract.name} has no joint_position')


def lag_s(episode: Episode) -> float:
    """Return by how much the measured joints come after the targets, s, to a millisecond."""
    times = (episode.stamps_ns - episode.stamps_ns[0]) * 1e-9
    joints = arm_joints(episode)
    targets = episode.commands[:, :joints.shape[1]]
    asked = times[:len(targets)]

    def apart(lag: float) -> float:
        inside = (times >= asked[0] + lag) & (times <= asked[-1] + lag)
        if not inside.any():
            return np.inf
        shifted = np.array([np.interp(times[inside] - lag, asked, column)
                            for column in targets.T])
        return float(np.square(joints[inside].T - shifted).mean())
    return min(np.arange(0.0, LONGEST_LAG_S, 1e-3), key=apart)


def figures(command: str, episodes: list[Episode], kinematics: Kinematics) -> tuple[str, ...]:
    """Return a row of the table."""
    joints, tool = [], []
    for episode in episodes:
        reached = arm_joints(episode)[1:]
        targets = episode.commands[:, :reached.shape[1]]
        joints += np.abs(reached - targets).max(axis=1).tolist()
        tool += [1e3 * float(np.linalg.norm(kinematics.forward(one)[0]
                                            - kinematics.forward(other)[0]))
                 for one, other in zip(reached, targets)]
    return (command, f'{sum(episode.success for episode in episodes)} of {len(episodes)}',
            f'{np.mean([episode.steps for episode in episodes]):.0f}',
            f'{np.mean([lag_s(episode) for episode in episodes]):.3f}',
            f'{np.sqrt(np.mean(np.square(joints))):.3f}', f'{max(joints):.3f}',
            f'{np.sqrt(np.mean(np.square(tool))):.1f}', f'{max(tool):.1f}')


def run(task: str, robot: str, command: str, count: int, runs: Path) -> list[Episode]:
    """
    Record episodes through one adapter.

    :raises ImitationError: with the graph's sentence
    """
    receipts = []

    async def collect(client: Client):
        receipts.extend(await client.collect(specs(task, count), lambda _: None))
    code = run_command(collect, GraphOptions(
        task=task, contract=contract_name(task, robot), runs=str(runs), mode='realtime',
        command=command, training=False, policy=False))
    if code:
        raise ImitationError(f'{command}: the graph ended with code {code}')
    return [read_episode(runs / RUN / receipt.path) for receipt in receipts]


def main(args: list[str] | None = None) -> int:
    """Measure and print the table as Markdown."""
    parser = argparse.ArgumentParser(prog='benchmarks.adapters', description=__doc__)
    commands = ('joint_state', *CONTROLLERS)
    parser.add_argument('--task', default='push', help='Task (default: %(default)s)')
    parser.add_argument('--robot', default=DEFAULT, help='Robot (default: %(default)s)')
    parser.add_argument('--episodes', type=int, default=5,
                        help='Episodes through each adapter (default: %(default)s)')
    parser.add_argument('--commands', nargs='+', choices=commands, default=commands,
                        help='Adapters to measure (default: all)')
    words = parser.parse_args(args)
    os.environ.pop('ROS_DOMAIN_ID', None)
    rows = []
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(
            Kinematics(find_robot(words.robot))) as kinematics:
        for command in words.commands:
            try:
                episodes = run(words.task, words.robot, command, words.episodes,
                               Path(folder) / command)
            except ImitationError as error:
                print(f'benchmarks.adapters: {error}', file=sys.stderr)
                return 1
            rows.append(figures(command, episodes, kinematics))
    print(Table(HEADINGS, rows).markdown())
    return 0


if __name__ == '__main__':
    sys.exit(main())
