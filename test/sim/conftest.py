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

"""What the tests of the simulation share: one environment a task, since loading takes a while."""

from il_ros.sim.environment import Environment
from il_ros.tasks.registry import TASKS
import pytest


class Environments(dict):
    """The environments that were asked for."""

    def __missing__(self, task: str) -> Environment:
        self[task] = Environment(task, render_mode='rgb_array')
        return self[task]


@pytest.fixture(scope='session')
def environments():
    """Yield the environments by task; no episode may depend on the one before."""
    made = Environments()
    yield made
    for environment in made.values():
        environment.close()


@pytest.fixture(params=[
    task if task in ('push', 'pick_place') else pytest.param(task, marks=pytest.mark.drill)
    for task in TASKS])
def environment(request, environments):
    """Return the environment of each task in turn."""
    return environments[request.param]


@pytest.fixture
def push(environments):
    """Return the environment of the task push."""
    return environments['push']


@pytest.fixture
def pick_place(environments):
    """Return the environment of the task pick_place."""
    return environments['pick_place']
