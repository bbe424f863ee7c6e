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

import dataclasses

from il_ros import plugins
from il_ros.contract.contract import Contract, TOOL_VELOCITY
from il_ros.errors import ImitationError
from il_ros.tasks.biased import bias_of, BiasedExpert
from il_ros.tasks.converted import ConvertedExpert
from il_ros.tasks.expert import Expert


class UnknownExpertError(ImitationError):
    """A task that no expert knows."""

    code = 400


def expert_class(task: str) -> type[Expert]:
    """
    Return the expert of a task: the one of its name, else the one that the task brings along.

    :raises UnknownExpertError: listing the experts that there are, or saying why it is not usable
    """
    try:
        return _plugin_of(task).load_class(Expert)
    except plugins.UnknownPluginError as error:
        known = ', '.join(plugins.table('experts'))
        raise UnknownExpertError(
            f'there is no expert for the task {task!r}; there are {known}') from error
    except plugins.PluginError as error:
        raise UnknownExpertError(str(error)) from error


def _plugin_of(task: str) -> plugins.Plugin:
    experts = plugins.table('experts')
    if task in experts:
        return experts[task]
    found = plugins.find('tasks', task)
    return dataclasses.replace(found, kind='experts', target=f'{found.target}.expert')


def make_expert(task: str, contract: Contract, options: str = '') -> Expert:
    """
    Make the expert of a task, for observations laid out as ``contract`` says.

    >>> import il_ros
    >>> env = il_ros.make_env('reach')
    >>> expert = il_ros.make_expert('reach', env.contract)
    >>> observation, _ = env.reset(seed=0)
    >>> expert.act(observation).shape
    (3,)

    :param options: options of the episodes, as JSON, which may bias it; '': none
    :raises UnknownExpertError: if the task has no expert
    :raises MissingFeatureError: if the contract lacks what the expert reads
    :raises BiasError: if the options ask for a bias that cannot be
    """
    law, bias = expert_class(task), bias_of(options)
    own = contract.action_space == TOOL_VELOCITY
    expert = law(contract) if own else ConvertedExpert(law, task, contract)
    return BiasedExpert(expert, contract, bias) if bias else expert
