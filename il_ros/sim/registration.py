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
The tasks' names in Gymnasium's registry.

``il_ros.gymnasium_hook`` imports this when both packages are imported, so it imports no physics.
"""

from gymnasium.envs.registration import register, registry

ENVIRONMENTS = {
    'il_ros/Reach-v0': 'reach',
    'il_ros/Push-v0': 'push',
    'il_ros/PickPlace-v0': 'pick_place',
    'il_ros/Stack-v0': 'stack',
    'il_ros/Insert-v0': 'insert',
    'il_ros/Tower-v0': 'tower',
}
"""Task of each registered environment."""


def register_environments():
    """Register the environments that are not registered yet."""
    for name, task in ENVIRONMENTS.items():
        if name not in registry:
            register(id=name, entry_point='il_ros.sim.environment:Environment',
                     kwargs={'task': task})


register_environments()
