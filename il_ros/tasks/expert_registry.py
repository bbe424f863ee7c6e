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

"""The experts by task name."""

from il_ros.contract.contract import Contract
from il_ros.errors import ImitationError
from il_ros.tasks.biased import bias_of, BiasedExpert
from il_ros.tasks.expert import Expert
from il_ros.tasks.insert.expert import InsertExpert
from il_ros.tasks.pick_place.expert import PickPlaceExpert
from il_ros.tasks.push.expert import PushExpert
from il_ros.tasks.reach.expert import ReachExpert
from il_ros.tasks.stack.expert import StackExpert
from il_ros.tasks.tower.expert import TowerExpert

EXPERTS = {expert.task: expert for expert in (
    ReachExpert, PushExpert, PickPlaceExpert, StackExpert, InsertExpert, TowerExpert)}


class UnknownExpertError(ImitationError):
    """A task that no expert knows."""

    code = 400


def make_expert(task: str, contract: Contract, options: str = '') -> Expert:
    """
    Return the expert of a task, reading observations laid out as ``contract`` says.

    >>> import il_ros
    >>> env = il_ros.make_env('reach')
    >>> expert = il_ros.make_expert('reach', env.contract)
    >>> observation, _ = env.reset(seed=0)
    >>> expert.act(observation).shape
    (3,)

    :param options: canonical JSON of the episodes' options, which may handicap it
        (``tasks/biased.py``); '': none
    :raises UnknownExpertError: if no expert knows the task; the sentence lists those that do
    :raises MissingFeatureError: if the contract lacks what the law needs
    :raises BiasError: if the options ask for a handicap that is none
    """
    if task not in EXPERTS:
        raise UnknownExpertError(
            f'there is no expert for the task {task!r}; there are {", ".join(EXPERTS)}')
    expert, bias = EXPERTS[task](contract), bias_of(options)
    return BiasedExpert(expert, contract, bias) if bias else expert
