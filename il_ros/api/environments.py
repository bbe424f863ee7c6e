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

"""Environments of the public interface, and what may drive in them."""

from typing import Any

from il_ros import plugins
from il_ros.errors import ImitationError
from il_ros.sim.environment import Environment
from il_ros.tasks.expert import Expert
from il_ros.tasks.registry import make_task


class MismatchError(ImitationError):
    """An environment of another package, or an expert that was made for another one."""


def make_env(task: str, *, contract: str | None = None,
             render_mode: str | None = None, robot: str = '') -> Environment:
    """
    Return the Gymnasium environment of a task; its episodes are those of the ROS graph.

    Observations are the contract's values, shape ``(env.contract.width,)``, float32, in m, rad and
    m/s; with a contract that has images a dictionary of these (``values``) and the images, shape
    ``(height, width, 3)``, uint8. Actions have the shape ``(len(env.contract.actions),)``,
    float32, in m/s, and m for the gripper.

    >>> import il_ros
    >>> env = il_ros.make_env('reach')
    >>> env.contract.action_names
    ('linear_x', 'linear_y', 'linear_z')
    >>> observation, info = env.reset(seed=0)
    >>> observation.shape == (env.contract.width,)
    True

    :param task: e.g. ``'push'``
    :param contract: a file, or a task's name, with _image for images; None: the task's own
    :param render_mode: None, or ``'rgb_array'`` for ``env.render()``
    :param robot: name of a robot, ``module:Object``, or a robot's file; '': the contract's own
    :raises UnknownTaskError: listing the tasks that there are
    :raises ContractError: if there is no such contract, or it cannot be used
    :raises RobotError: listing the robots that there are
    :raises SimulationError: naming a feature that the simulation does not offer
    """
    plugins.trust(task, contract or '', robot)
    make_task(task)  # before the contract, which has the task's name
    return Environment(task, render_mode, contract=contract or '', robot=robot)


def refuse_other_environment(env: Any):
    """
    Refuse what is no environment of this package, or has a wrapper around it.

    :raises MismatchError: saying what was found
    """
    if not isinstance(env, Environment):
        raise MismatchError(f'env is a {type(env).__name__}; expected what il_ros.make_env '
                            'returns, or the .unwrapped of what gymnasium.make returns')


def refuse_other_expert(env: Environment, expert: Expert):
    """
    Refuse the expert of another task, or one that reads observations of another layout.

    :raises MismatchError: naming both
    """
    task, layout = env.simulation.task.name, env.contract.features
    # A task that was asked for as module:Object bears that name; its class has its own.
    names = (task, type(env.simulation.task).name)
    for what, found, same in (('task', expert.task, expert.task in names),
                              ('contract', expert.contract.name,
                               expert.contract.features == layout)):
        if not same:
            raise MismatchError(f'the expert was made for the {what} {found!r}, which is not that '
                                f'of env; expected make_expert({task!r}, env.contract)')
