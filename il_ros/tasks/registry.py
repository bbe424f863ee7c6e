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

from il_ros import plugins
from il_ros.errors import UnknownTaskError
from il_ros.tasks.base import Task

TASKS = tuple(plugins.BUILT_IN['tasks'])
"""The names of our own."""


def task_class(name: str) -> type[Task]:
    """
    Return the class of a task of ours, of another package, or as ``module:Object``.

    :raises UnknownTaskError: listing the tasks that there are, or saying why it is not usable
    """
    try:
        return plugins.find('tasks', name).load_class(Task)
    except plugins.PluginError as error:
        raise UnknownTaskError(str(error)) from error


def make_task(name: str) -> Task:
    """
    Make a task; it answers to the name that it was asked for by, which episodes bear.

    :raises UnknownTaskError: as ``task_class``
    """
    task = task_class(name)()
    task.name = name
    return task
