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
Find the training set of a checkpoint, and measure how far the policy drifts from it.

A checkpoint stores its filter key and the number of labels; the data set lies in the folder of its
run (``run/checkpoints/name``). The drift is unknown, and reported so, if the checkpoint was moved
or its data set was rebuilt with other recordings.
"""

from pathlib import Path
from typing import Sequence

from il_ros.dataset.dataset import ALL_RECORDINGS, DATASET, filter_keys, load
from il_ros.errors import ImitationError
from il_ros.experiments.error_growth.drift import Drift, held, nearest
from il_ros.experiments.rollouts import Rollout
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
import numpy as np

STEPS = 400
"""Largest number of steps used of an episode."""


class NoTrainingSetError(ImitationError):
    """A checkpoint whose training set is missing or different."""


def training_states(folder: Path, policy: Policy) -> np.ndarray:
    """
    Return the states that a checkpoint was trained on, shape ``(M, obs_dim)``, float32.

    :param folder: of the checkpoint
    :raises NoTrainingSetError: saying what is missing or different
    """
    key, labels = (policy.info.get(name) for name in ('filter_key', 'labels'))
    if not isinstance(key, str):
        raise NoTrainingSetError('its checkpoint does not name its training set')
    run = folder.resolve().parents[1]
    for path in (run / DATASET, run / ALL_RECORDINGS):
        if path.exists() and key in filter_keys(path):
            states = load(path, key).observations
            if len(states) != labels:
                raise NoTrainingSetError(f'{path} has {len(states)} labels under {key!r}; the '
                                         f'checkpoint was trained on {labels}')
            if not _fitted_to(policy, states):
                raise NoTrainingSetError(f'{path} has other states under {key!r} than those that '
                                         'the checkpoint was trained on')
            return states
    raise NoTrainingSetError(f'there is no data set with the filter key {key!r} in {run}')


def _fitted_to(policy: Policy, states: np.ndarray) -> bool:
    """Return whether the policy's normaliser agrees with these states."""
    if policy.info.get('synthetic'):
        return True  # made-up states were among them
    again = Normaliser.fit(policy.inputs.apply(states), policy.inputs.units)
    return all(np.allclose(found, own, rtol=1e-4, atol=1e-6) for found, own in (
        (again.mean, policy.normaliser.mean), (again.sd, policy.normaliser.sd)))


def drift(policy: Policy, training: np.ndarray, episodes: Sequence[Rollout],
          shown: Sequence[Rollout], horizon: int) -> Drift:
    """
    Measure how far a policy's episodes lie from its training set.

    :param training: as from ``training_states``
    :param episodes: its own, observations kept, at most ``horizon`` steps each
    :param shown: of the expert, observations kept
    """
    def seen(observations: np.ndarray) -> np.ndarray:
        return policy.normaliser.apply(policy.inputs.apply(observations))

    known = seen(training)
    rows = [nearest(seen(one.observations), known) for one in episodes]
    theirs = np.concatenate([nearest(seen(one.observations), known) for one in shown])
    return Drift(held(rows, horizon), len(training), float(theirs.mean()))
