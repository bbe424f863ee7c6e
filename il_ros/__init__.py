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
Imitation learning over ROS 2, and in this process: the public interface.

>>> import il_ros
>>> env = il_ros.make_env('reach')
>>> data = il_ros.demonstrate(env, il_ros.make_expert('reach', env.contract), seeds=range(5))
>>> config = il_ros.TrainConfig(inputs=('goal_position - tool_position',), steps=200)
>>> policy = il_ros.train(data, config, seed=0)
>>> il_ros.evaluate(env, policy, episodes=10).rate > 0.5
True

The tasks are Gymnasium environments too, ``il_ros/Push-v0`` .... What a name needs is imported
when it is first used, so that ``import il_ros`` loads neither numpy nor ROS, torch nor PyBullet.
"""

import importlib

from il_ros.gymnasium_hook import register_with_gymnasium

TYPE_CHECKING = False
"""As in ``typing``, which costs a third of ``il_ros --help``; type checkers take it for true."""

if TYPE_CHECKING:
    from il_ros.api.comparison import compare, Comparison  # noqa: I300
    from il_ros.api.dagger import dagger
    from il_ros.api.demonstration_set import Demonstration, DemonstrationSet
    from il_ros.api.demonstrations import demonstrate
    from il_ros.api.environments import make_env
    from il_ros.api.evaluation import evaluate, Evaluation
    from il_ros.api.runs import load_policy, open_run, Run, save_policy
    from il_ros.api.training import train
    from il_ros.contract.contract import Contract
    from il_ros.episodes.episode import Episode
    from il_ros.episodes.reader import read_episode
    from il_ros.errors import ImitationError
    from il_ros.interactive.strategy import Strategy
    from il_ros.learning.config import TrainConfig
    from il_ros.learning.policy import Policy
    from il_ros.sim.environment import Environment
    from il_ros.tasks.base import Task
    from il_ros.tasks.contracts import compose_contract
    from il_ros.tasks.expert import Expert
    from il_ros.tasks.expert_registry import make_expert

__all__ = [
    'Comparison', 'Contract', 'Demonstration', 'DemonstrationSet', 'Environment', 'Episode',
    'Evaluation', 'Expert', 'ImitationError', 'Policy', 'Run', 'Strategy', 'Task', 'TrainConfig',
    'compare', 'compose_contract', 'dagger', 'demonstrate', 'evaluate', 'load_policy', 'make_env',
    'make_expert', 'open_run', 'read_episode', 'save_policy', 'train']

_WHERE = {
    'Comparison': 'il_ros.api.comparison',
    'Contract': 'il_ros.contract.contract',
    'Demonstration': 'il_ros.api.demonstration_set',
    'DemonstrationSet': 'il_ros.api.demonstration_set',
    'Environment': 'il_ros.sim.environment',
    'Episode': 'il_ros.episodes.episode',
    'Evaluation': 'il_ros.api.evaluation',
    'Expert': 'il_ros.tasks.expert',
    'ImitationError': 'il_ros.errors',
    'Policy': 'il_ros.learning.policy',
    'Run': 'il_ros.api.runs',
    'Strategy': 'il_ros.interactive.strategy',
    'Task': 'il_ros.tasks.base',
    'TrainConfig': 'il_ros.learning.config',
    'compare': 'il_ros.api.comparison',
    'compose_contract': 'il_ros.tasks.contracts',
    'dagger': 'il_ros.api.dagger',
    'demonstrate': 'il_ros.api.demonstrations',
    'evaluate': 'il_ros.api.evaluation',
    'load_policy': 'il_ros.api.runs',
    'make_env': 'il_ros.api.environments',
    'make_expert': 'il_ros.tasks.expert_registry',
    'open_run': 'il_ros.api.runs',
    'read_episode': 'il_ros.episodes.reader',
    'save_policy': 'il_ros.api.runs',
    'train': 'il_ros.api.training',
}
"""Module of each public name (PEP 562)."""


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _WHERE:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, and what is imported already."""
    return sorted({*globals(), *__all__})


register_with_gymnasium()
