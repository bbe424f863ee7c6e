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

"""A policy in an episode: what it has seen, what it has planned, and what it answered last."""

from collections import deque

from il_ros.learning.policy import Images, NO_IMAGES, Policy, UNKNOWN
import numpy as np

ENSEMBLING_DECAY = 0.01
"""Weight ``exp(-m i)`` of the chunk that is ``i`` younger than the oldest (Zhao et al., RSS 2023,
section IV.A): a small m lets a new observation in fast."""


class Runner:
    """
    Answers the observations of one episode after the other.

    Only what it is asked about enters the history. Of chunks it carries out ``execute`` steps,
    then asks for the next one; with temporal ensembling an action is the weighted mean of all
    chunks that reach the step. A gripper is averaged before it is decided.
    """

    def __init__(self, policy: Policy):
        self.policy = policy
        self.uncertainty = UNKNOWN
        """Novelty of the last answer (``Policy.novelty``); -1: not estimated."""
        self._episode_id: str | None = None
        self._stamp = -1
        self._action: np.ndarray | None = None
        self._stateless = policy.horizons.plain and policy.net.members == 1
        self._seen: deque[np.ndarray] = deque(maxlen=policy.horizons.history)
        self._forget()

    def begin(self, episode_id: str, anew: bool = False):
        """
        Forget the last episode if this is another one.

        :param anew: also if it has the same id: a discarded attempt begins again
        """
        if anew or episode_id != self._episode_id:
            self._episode_id = episode_id
            self._forget()

    def act(self, stamp: int, values: np.ndarray, images: Images = NO_IMAGES) -> np.ndarray:
        """
        Answer the next observation of the episode.

        :param stamp: of the observation, or its step; one that is repeated gets the same answer
            again and advances nothing
        :param values: ``Observation.values``, shape ``(D,)``, float32
        :param images: of the observation, at least those that the policy sees
        :returns: shape ``(act_dim,)``, float32, in the contract's units and bounds
        :raises ImitationError: if the policy has no answer; what was planned is dropped then
        """
        if stamp == self._stamp and self._action is not None:
            return self._action
        if self._stateless:
            action = self.policy.act(values, images)
        else:
            action = self._next(values, images)
        self._stamp, self._action = stamp, action
        return action

    def discard_plan(self):
        """Discard the rest of the chunk: another driver drove the last step."""
        self._chunks.clear()
        self._left = 0

    def _forget(self):
        self._seen.clear()
        self._chunks: deque[tuple[np.ndarray, np.ndarray]] = deque()
        self._left = 0
        self._stamp, self._action = -1, None

    def _next(self, values: np.ndarray, images: Images) -> np.ndarray:
        self._seen.append(np.array(values, np.float32))
        if self.policy.horizons.chunk == 1:
            actions, novelty = self.policy.propose(self._window(), images)
            self.uncertainty = float(novelty[0])
            return self.policy.bounded(actions[0])
        if not self._left:
            self._plan(images)
        self._left -= 1
        planned = [chunk[0] for chunk, _ in self._chunks]
        self.uncertainty = float(self._chunks[-1][1][0])
        # From here on each chunk begins with the next step; those that end now are done.
        self._chunks = deque((chunk[1:], spread[1:]) for chunk, spread in self._chunks
                             if len(chunk) > 1)
        if len(planned) == 1:
            return self.policy.bounded(planned[0])
        weights = np.exp(-ENSEMBLING_DECAY * np.arange(len(planned), dtype=np.float32))
        return self.policy.bounded(weights @ np.array(planned) / weights.sum())

    def _window(self) -> np.ndarray:
        missing = self.policy.horizons.history - len(self._seen)
        return np.array([self._seen[0]] * missing + list(self._seen))

    def _plan(self, images: Images):
        horizons = self.policy.horizons
        planned = self._chunks if horizons.temporal_ensembling else deque()
        self._chunks = deque()  # gone already, should there be no answer
        proposal = self.policy.propose(self._window(), images)
        planned.append(proposal)
        self._chunks = planned
        self._left = horizons.execute
