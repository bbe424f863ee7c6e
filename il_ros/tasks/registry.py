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

"""The tasks by name."""

from il_ros.errors import UnknownTaskError
from il_ros.tasks.base import Task
from il_ros.tasks.insert.task import Insert
from il_ros.tasks.pick_place.task import PickPlace
from il_ros.tasks.push.task import Push
from il_ros.tasks.reach.task import Reach
from il_ros.tasks.stack.task import Stack
from il_ros.tasks.tower.task import Tower

TASKS: dict[str, type[Task]] = {task.name: task for task in (
    Reach, Push, PickPlace, Stack, Insert, Tower)}


def make_task(name: str) -> Task:
    """
    Make a task.

    :raises UnknownTaskError: listing the tasks that there are
    """
    if name not in TASKS:
        raise UnknownTaskError(f'there is no task {name!r}; there are {", ".join(TASKS)}')
    return TASKS[name]()
