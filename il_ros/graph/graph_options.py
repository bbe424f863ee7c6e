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

"""What a graph in one process is for."""

import dataclasses

GRAPH, PROCESS = 'graph', 'process'
"""How evaluation episodes are run: by the nodes, or without ROS."""


@dataclasses.dataclass(frozen=True)
class GraphOptions:
    """What the graph is for."""

    task: str = 'push'
    runs: str = 'runs'
    mode: str = 'lockstep'
    rate_hz: float = 0.0
    """Control rate; 0: that of the contract."""
    command: str = 'joint_state'
    """Message to the arm, which stands in for the controller of that name (realtime)."""
    gui: bool = False
    contract: str = ''
    """A contract file, or a task's name, with _image and @ROBOT; empty: the task's own."""
    options: str = ''
    """Canonical JSON of the episodes' options, for the expert; empty: none."""
    training: bool = True
    """Trainer and coordinator, too."""
    policy: bool = True
    """The policy node; without it somebody else plays its part."""
    teleop: str = ''
    """``joy`` or ``keyboard``: a person drives, too, and sees the live view; empty: nobody."""
    mapping: str = ''
    """What buttons or keys mean; empty: the device's usual mapping."""
    streams: str = ''
    """Additional topics that the recorder keeps in full, ``TOPIC:TYPE,...``; empty: none."""
    require_streams: bool = False
    """Refuse an episode in which one of them brings nothing."""

    shard: str = 'main'
    """The recorder's own part of a run."""

    workers: int = 1
    """Simulated arms of a run: this graph's, and others in processes of their own (lockstep)."""

    evaluate_over: str = GRAPH
    """``process``: without ROS (lockstep); the first of each evaluation over the graph as well."""

    cluster: str = ''
    """Address of a Ray cluster whose cells run episodes; ``auto``: on this machine; '': none."""
