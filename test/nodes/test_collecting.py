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

"""Ways of collecting in the graph: who is asked, who drives, and what the recording says of it."""

from il_ros.contract.episode_spec import EXPERT, LABEL_ALL, LABEL_EXPERT_DRIVEN, POLICY
from il_ros.driving.driving import Driving
from il_ros.episodes.reader import read_episode
from il_ros_interfaces.msg import Drive
import numpy as np
import pytest
from seam import episode, Graph, Script

SPREAD = (0.01, 0.5, 0.4, 0.01, 0.01, 0.01, 0.01, 0.6, 0.01, 0.01, 0.01, 0.01)
NOVELTY = {'gate': 'novelty', 'threshold': 0.2, 'release_threshold': 0.1, 'smoothing': 0.0,
           'release_patience': 2, 'hold_max': 5, 'labels': LABEL_EXPERT_DRIVEN}


def _still(_):
    return np.zeros(3, np.float32)


@pytest.fixture
def graph(bench, tmp_path) -> Graph:
    """Return a graph whose policy is unsure by a script."""
    made = Graph(bench, tmp_path)
    Script(bench, POLICY, _still, uncertainty=lambda seen: SPREAD[seen.step])
    return made


def _by_hand(spec, contract, recorded) -> Driving:
    """Go through an episode's answers without a graph."""
    driving = Driving(spec.plan, spec.episode_id, contract)
    for step in range(recorded.steps):
        driving.watch(_still(None), SPREAD[step])
        driving.choose({EXPERT: recorded.expert.actions[step], POLICY: _still(None)})
    return driving


def test_the_novelty_gate_asks_the_expert_only_while_it_drives(graph):
    drives = graph.bench.listen(Drive, 'drive')
    spec = episode(horizon=12, driver=POLICY, **NOVELTY)
    receipt = graph.run(spec)
    recorded = read_episode(graph.path(receipt))
    assert ''.join('-EP'[driver] for driver in recorded.driver) == 'PEEEPPPEEPPP'
    # On the step of the hand-back the expert has answered already: asked, but nothing is learnt.
    assert ''.join('.E'[int(valid)] for valid in recorded.expert.valid) == '.EEEE..EEE..'
    assert recorded.gate == pytest.approx(SPREAD)
    assert (receipt.labels, receipt.queries, receipt.watched) == (5, 7, 2)
    assert (receipt.expert_steps, receipt.takeovers, receipt.gate_threshold) == (5, 2, -1.0)
    assert [list(drive.required) for drive in drives if drive.episode_id] == [
        [POLICY], [EXPERT, POLICY], [POLICY], [EXPERT, POLICY], [POLICY]]


def test_an_adapted_threshold_is_in_the_receipt_and_goes_on_from_there(graph):
    spec = episode(horizon=12, driver=POLICY, target_rate=0.1, **NOVELTY)
    receipt = graph.run(spec)
    recorded = read_episode(graph.path(receipt))
    driving = _by_hand(spec, recorded.contract, recorded)
    assert receipt.gate_threshold == pytest.approx(driving.threshold)
    assert receipt.gate_threshold > 0.2, 'the expert drove more than a tenth of the steps'


def test_the_same_novelty_episode_is_the_same_again(graph):
    first = graph.run(episode(1, horizon=12, driver=POLICY, target_rate=0.3, **NOVELTY))
    graph.run(episode(2, horizon=12, driver=POLICY, target_rate=0.3, **NOVELTY))
    graph.path(first).unlink()
    graph.path(first).with_suffix('.json').unlink()
    again = graph.run(episode(1, horizon=12, driver=POLICY, target_rate=0.3, **NOVELTY))
    assert again.content_sha256 == first.content_sha256
    assert again.gate_threshold == first.gate_threshold


def test_an_expert_under_noise_is_recorded_with_its_intention_as_the_label(bench, tmp_path):
    graph = Graph(bench, tmp_path)
    covariance = (0.01, 0.0, 0.0, 0.0, 0.01, 0.0, 0.0, 0.0, 0.0)
    quiet = read_episode(graph.path(graph.run(episode(1, horizon=8, labels=LABEL_ALL))))
    receipt = graph.run(episode(2, horizon=8, labels=LABEL_ALL, noise_covariance=covariance))
    noisy = read_episode(graph.path(receipt))
    assert receipt.labels == receipt.queries == receipt.expert_steps == 8
    apart = noisy.executed - noisy.expert.actions
    assert np.abs(apart[:, :2]).max() > 0.02 > np.abs(apart[:, 2]).max()
    assert np.abs(quiet.executed - quiet.expert.actions).max() < 0.02
    noisy_id = noisy.spec.episode_id
    executed = [message for message in graph.executed if message.episode_id == noisy_id]
    drawn = Driving(noisy.spec.plan, noisy_id, noisy.contract)
    for message, action in zip(executed, noisy.expert.actions, strict=True):
        assert np.asarray(message.noise) == pytest.approx(drawn.choose({EXPERT: action}).noise)
