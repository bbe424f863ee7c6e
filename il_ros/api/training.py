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

"""Training in this process: from pairs to a policy."""

from collections.abc import Callable

from il_ros.api.demonstration_set import DemonstrationSet
from il_ros.dataset.dataset import Demonstrations
from il_ros.learning.config import TrainConfig
from il_ros.learning.fit import fit, one_thread, Progress, silent
from il_ros.learning.policy import Policy
from il_ros.learning.shift import augmented


def train(data: Demonstrations, config: TrainConfig | None = None, *, seed: int = 0,
          progress: Callable[[Progress], None] | None = None) -> Policy:
    """
    Train a policy by behavioural cloning.

    The same data, configuration and seed give the same weights, bit for bit, on one machine. The
    number of steps is fixed beforehand; a small loss is no success, which `evaluate` measures.

    >>> import il_ros
    >>> env = il_ros.make_env('reach')
    >>> data = il_ros.demonstrate(env, il_ros.make_expert('reach', env.contract), range(2))
    >>> config = il_ros.TrainConfig(inputs=('goal_position - tool_position',), steps=100)
    >>> policy = il_ros.train(data, config, seed=1)
    >>> policy(data.observations[0]).shape
    (3,)

    :param data: what `demonstrate` returns, or `il_ros.dataset.dataset.load`
    :param config: None: the package's own for the contract, or else for the task
    :param seed: of initial weights and batches
    :param progress: called every 50 steps and after the last
    :raises TrainConfigError: if there is no configuration for the task
    :raises InputsError: if the contract lacks an input of the configuration
    :raises NoDataError: if there is no pair, or episodes or images are needed and missing
    :raises NotFiniteError: if data, loss or weights are not finite
    """
    if config is None:
        name = data.contract.name
        config = TrainConfig.of(data.task if isinstance(data, DemonstrationSet) else name, name)
    pairs = augmented(data, config.shift, config.inputs, seed)
    with one_thread():
        policy = fit(pairs, None, data.contract, config, seed, progress or silent).policy
    policy.info.update(labels=len(data), synthetic=len(pairs) - len(data))
    return policy
