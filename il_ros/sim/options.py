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

"""Options of a task's episodes: which it has, and whether their values can be."""

from il_ros.contract.options import read_options
from il_ros.errors import SimulationError
from il_ros.sim.bumps import bumps_of
from il_ros.tasks.base import Task

_OPTIONS = ('bumps', 'expert')
"""Of every task; ``expert`` is for the expert alone (``il_ros/tasks/biased.py``)."""


def task_options(task: Task, text: str) -> dict:
    """
    Return the options of an episode of a task.

    :param text: their canonical JSON; '': none
    :raises SimulationError: naming an option that the task does not have, or a wrong value
    """
    options = read_options(text, SimulationError, f'options of task {task.name}')
    known = (*_OPTIONS, *task.options)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise SimulationError(f'task {task.name} has no option {", ".join(unknown)}; it has '
                              f'{", ".join(known)}')
    bumps_of(options, 0)
    return options
