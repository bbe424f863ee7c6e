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
Episodes for tests, message by message, without ROS.

The bytes come from another implementation of the format (``mcap_ros2``) than the one that is
tested.
"""

import functools
from pathlib import Path

from il_ros.contract.contract import ActionElement, Contract, Feature, TOOL_VELOCITY
from il_ros.contract.episode_spec import ENDED, EpisodeSpec, EXPERT, POLICY, RUNNING, SUCCESS
from il_ros.contract.episode_spec import TERMINATED
from il_ros.episodes.wire.schema import ACTION, EXECUTED, OBSERVATION, Schema, SEPARATOR, STATUS
from il_ros.episodes.writer import EpisodeWriter
from mcap_ros2._dynamic import serialize_dynamic
import numpy as np

INTERFACES = Path(__file__).parents[2] / 'il_ros_interfaces' / 'msg'
PERIOD_NS = 50_000_000
BEGIN_NS = 3_000_000_000

STANDARD = {
    'std_msgs/Header': 'builtin_interfaces/Time stamp\nstring frame_id',
    'builtin_interfaces/Time': 'int32 sec\nuint32 nanosec',
    'sensor_msgs/Image': 'std_msgs/Header header\nuint32 height\nuint32 width\n'
                         'string encoding\nuint8 is_bigendian\nuint32 step\nuint8[] data',
    'sensor_msgs/JointState': 'std_msgs/Header header\nstring[] name\nfloat64[] position\n'
                              'float64[] velocity\nfloat64[] effort'}
"""The standard messages in ours, without their comments."""

CONTRACT = Contract(
    name='push', rate=20.0, action_space=TOOL_VELOCITY, action_frame_id='panda_link0',
    features=(Feature('tool_position', 0, 0, ('x', 'y', 'z'), 'm', 'panda_link0'),
              Feature('goal_position', 0, 3, ('x', 'y', 'z'), 'm', 'panda_link0')),
    actions=(ActionElement('linear_x', 'm/s', -0.5, 0.5),
             ActionElement('linear_y', 'm/s', -0.5, 0.5)))

JOINTS = ('panda_joint1', 'panda_joint2')


def schema_of(type_name: str, *parts: str) -> Schema:
    """Return a schema from the definitions in this source tree."""
    text = (INTERFACES / f'{type_name.rpartition("/")[2]}.msg').read_text()
    known = {**STANDARD, 'il_ros_interfaces/Action': (INTERFACES / 'Action.msg').read_text()}
    parts = [text, *(f'MSG: {name}\n{known[name]}' for name in parts)]
    return Schema(type_name, f'\n{SEPARATOR}\n'.join(parts))


HEADER = ('std_msgs/Header', 'builtin_interfaces/Time')
SCHEMAS = {
    'observation': schema_of(OBSERVATION, *HEADER, 'sensor_msgs/Image'),
    'executed': schema_of(EXECUTED, *HEADER, 'sensor_msgs/JointState', 'il_ros_interfaces/Action'),
    'episode': schema_of(STATUS, *HEADER)}
ACTION_SCHEMA = schema_of(ACTION, *HEADER)


@functools.cache
def encoder(schema: Schema):
    """Return the function that serialises a dictionary by ``schema``."""
    return serialize_dynamic(schema.name, schema.text)[schema.name]


def header(step: int) -> dict:
    """Return the header of what belongs to ``step``."""
    stamp_ns = BEGIN_NS + step * PERIOD_NS
    return {'stamp': {'sec': stamp_ns // 10**9, 'nanosec': stamp_ns % 10**9},
            'frame_id': 'panda_link0'}


def spec(episode_id: str = 'rollout-r01-000007', **fields) -> EpisodeSpec:
    """Return the specification of an episode of the run ``demo``."""
    return EpisodeSpec(episode_id, 'demo', 'push', **{'purpose': 'rollout', **fields})


def observation(of: EpisodeSpec, step: int, steps: int, **fields) -> bytes:
    """Return the observation of ``step``, whose values say step and seed."""
    values = np.array([step, of.seed, 0.25, -step, 0.5, 1.0], np.float32)
    return encoder(SCHEMAS['observation'])({
        'header': header(step), 'contract_id': CONTRACT.id, 'step': step,
        'phase': RUNNING if step < steps else ENDED, 'episode_id': of.episode_id,
        'values': values.tolist(), 'images': [], **fields})


def action(source: int, values, **fields) -> dict:
    """Return what one driver answered."""
    return {'header': header(0), 'contract_id': CONTRACT.id, 'source': source, 'engaged': True,
            'policy_id': 99 if source == POLICY else 0, 'values': [float(v) for v in values],
            'uncertainty': -1.0, **fields}


def executed(of: EpisodeSpec, step: int, driver: int = POLICY, candidates=None,
             **fields) -> bytes:
    """Return the step that was executed, by default the policy's beside the expert's answer."""
    if candidates is None:
        candidates = [action(EXPERT, (0.1, step / 100)), action(POLICY, (-0.2, 0.3))]
    return encoder(SCHEMAS['executed'])({
        'header': header(step), 'step': step, 'driver': driver, 'chosen': driver, 'limits': 0,
        'beta': 0.25, 'gate': -1.0, 'episode_id': of.episode_id, 'values': [-0.2, 0.3],
        'noise': [], 'candidates': candidates,
        'command': {'header': header(step), 'name': list(JOINTS), 'position': [step * 0.1, 0.2],
                    'velocity': [], 'effort': []}, **fields})


def status(of: EpisodeSpec, step: int, steps: int, **fields) -> bytes:
    """Return the task's word on ``step``; the last one is a success."""
    last = step == steps
    return encoder(SCHEMAS['episode'])({
        'header': header(step), 'episode_id': of.episode_id, 'task': of.task, 'seed': of.seed,
        'step': step, 'horizon': 80, 'phase': ENDED if last else RUNNING,
        'end': TERMINATED if last else 0, 'cause': SUCCESS if last else 0, 'success': last,
        'goals_reached': int(last), **fields})


def messages(of: EpisodeSpec, steps: int = 12, drivers=None) -> list[tuple[str, bytes]]:
    """Return a whole episode as topics and messages, in the order of the wire."""
    drivers = drivers or [POLICY] * steps
    wire = []
    for step in range(steps + 1):
        wire.append(('episode', status(of, step, steps)))
        wire.append(('observation', observation(of, step, steps)))
        if step < steps:
            wire.append(('executed', executed(of, step, drivers[step])))
    return wire


def record(folder: Path, of: EpisodeSpec, wire=None, log_ns: int = 10**18, **close) -> Path:
    """Record and close an episode; return its file."""
    writer = EpisodeWriter(folder, of, CONTRACT, SCHEMAS, min_free_bytes=0)
    for count, (topic, raw) in enumerate(messages(of) if wire is None else wire):
        writer.write(topic, raw, log_ns + count * PERIOD_NS // 3)
    writer.close(**close)
    return writer.path
