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

"""What can be set at the recorder."""

import dataclasses

from il_ros.ros import runtime
from il_ros.ros.parameters import bounded, choice, flag, text
from rcl_interfaces.msg import ParameterDescriptor

RUNS_FOLDER = 'runs_folder'
"""Name of a parameter that the recorder itself sets: where its runs lie, for whoever asks."""

RUNS_FOLDER_DESCRIPTION = ParameterDescriptor(
    description='absolute path of the folder of the runs, made of runs', read_only=True)


@dataclasses.dataclass(frozen=True)
class RecorderParameters:
    """Parameters of the recorder node."""

    autostart: bool = flag(True, 'configure and activate at start')
    runs: str = text('runs', 'folder of the runs; an episode goes to RUN/episodes/SHARD')
    shard: str = text('main', "this recorder's own part of a run; one recorder each")
    write_behind: bool = flag(
        True, 'a thread writes; false only where the arm waits for this process, as composed')
    finish_s: float = bounded(
        1.0, 0.1, 60.0, 'how long the last messages of an ended episode are waited for [s]')
    min_free_mb: int = bounded(64, 0, 1_000_000, 'no episode is begun with less room [MiB]')
    queue_mb: int = bounded(
        64, 1, 4096, 'what may wait for a slow disk; more is dropped and counted [MiB]')
    stream_queue_mb: int = bounded(
        256, 1, 16384, 'what streams may have waiting for a slow disk beside that [MiB]')
    clock_jump_s: float = bounded(
        1.0, 0.1, 60.0, 'by how much a stamp may contradict both steps and steady clock [s]')
    stale_s: float = bounded(
        1.0, 0.1, 60.0, 'a topic of a running episode that is silent for longer is named [s]')
    streams: str = text(
        '', 'additional topics to record in full, TOPIC:TYPE[:best_effort],...')
    require_streams: bool = flag(
        False, 'refuse an episode in which a stream has no message')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')
