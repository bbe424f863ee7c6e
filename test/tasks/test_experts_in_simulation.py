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

"""The experts drive the simulated tasks: a fast subset of ``tools/measure_experts.py``."""

import contextlib
import importlib.util
from pathlib import Path
import sys

from il_ros.sim.environment import Environment
from il_ros.tasks.expert_registry import make_expert
from il_ros.tasks.registry import TASKS
import pytest

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'measure_experts.py'
RESETS, TAKEOVERS = 30, 20
SHARES = [0.3, pytest.param(1.0, marks=pytest.mark.drill)]


@pytest.fixture(scope='module')
def tool():
    """Yield the measuring script as a module."""
    spec = importlib.util.spec_from_file_location('measure_experts', TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(params=TASKS)
def driven(request):
    """Yield the environment of each task with its expert."""
    environment = Environment(request.param)
    yield environment, make_expert(request.param, environment.contract)
    environment.close()


def shortened(episodes: float, driven) -> int:
    """Return how many episodes the tests of a task take: a third of them where they are long."""
    return round(episodes / 3 if driven[0].simulation.task.horizon > 200 else episodes)


@pytest.mark.parametrize('share', SHARES)
def test_the_expert_succeeds_from_reset(tool, driven, share):
    score = tool.from_reset(*driven, shortened(RESETS * share, driven))
    assert score.successes >= score.episodes - 1, score


@pytest.mark.parametrize('share', SHARES)
def test_the_expert_succeeds_from_where_held_random_actions_led(tool, driven, share):
    score = tool.after_held_actions(*driven, shortened(TAKEOVERS * share, driven))
    assert score.successes >= score.episodes - 1, score


@pytest.mark.drill
def test_the_tool_turns_as_it_should_in_300_episodes(tool):
    with contextlib.closing(Environment('lay')) as environment:
        score = tool.from_reset(environment, make_expert('lay', environment.contract), 300)
    assert score.successes >= 295, score
