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
The tasks' names in Gymnasium's registry, ours and those of other packages.

``il_ros.gymnasium_hook`` imports this when both packages are imported, so it imports neither
physics nor any task.
"""

import re

from gymnasium.envs.registration import register, registry
from il_ros import plugins


def environment_name(task: str) -> str:
    """Return what Gymnasium calls a task: ``pick_place`` is ``il_ros/PickPlace-v0``."""
    words = re.findall('[A-Za-z0-9]+', task)
    return f'il_ros/{"".join(word[0].upper() + word[1:] for word in words)}-v0'


def register_environments():
    """Register the environments that are not registered yet, ours before those of others."""
    for task in plugins.table('tasks'):
        name = environment_name(task)
        if name not in registry:
            register(id=name, entry_point='il_ros.sim.environment:Environment',
                     kwargs={'task': task})


register_environments()
