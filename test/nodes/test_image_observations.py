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

"""Images on their way: out of the camera, into observations, onto the disk, as in process."""

from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from il_ros.contract.episode_spec import EXPERT
from il_ros.episodes.reader import read_episode
from il_ros.errors import ImitationError
from il_ros.nodes.observer import ObserverNode
from il_ros.nodes.simulator import SimulatorNode
from il_ros.ros.conversion.images import images_of
from il_ros.ros.conversion.messages import to_ns
from il_ros.sim.environment import Environment
from il_ros.tasks.contracts import contract_text, find_contract
from il_ros.tasks.expert_registry import make_expert
from il_ros_interfaces.msg import Observation
import numpy as np
import pytest
from seam import Bench, episode, Graph
from sensor_msgs.msg import Image

HORIZON = 8


def contract_with(folder: Path, **changes) -> str:
    """Return the path of the image contract of reach with another ``camera`` line."""
    fields = {'name': 'camera', 'topic': 'camera/image_raw', 'height': 64, 'width': 64,
              'encoding': 'rgb8', **changes}
    line = ', '.join(f'{name}: {value}' for name, value in fields.items())
    text = contract_text('reach_image').splitlines()
    path = folder / 'changed.yaml'
    path.write_text('\n'.join(f'  - {{{line}}}' if 'name: camera' in old else old
                              for old in text) + '\n')
    return str(path)


def roll_out(task: str, contract: str, spec) -> tuple[np.ndarray, np.ndarray]:
    """Return the values and images of an episode that the expert drives in the environment."""
    environment = Environment(task, contract=contract)
    act = make_expert(task, environment.contract).act
    seen, _ = environment.reset(
        seed=spec.seed, options={'horizon': spec.horizon, 'continuing': spec.continuing})
    rows, over = [seen], False
    while not over:
        seen, _, terminated, truncated, _ = environment.step(act(seen['values']))
        rows.append(seen)
        over = terminated or truncated
    environment.close()
    return np.array([row['values'] for row in rows]), np.array([row['camera'] for row in rows])


@pytest.mark.parametrize('task, every', [('push', 1), ('reach', 1), ('reach', 3)])
def test_a_recorded_episode_has_the_images_of_the_environment(tmp_path, task, every):
    name = f'{task}_image' if every == 1 else contract_with(tmp_path, every=every)
    spec = episode(5, HORIZON, task, EXPERT)
    with Bench('events') as bench:
        graph = Graph(bench, tmp_path, task, contract=name)
        receipt = graph.run(spec)
        again = graph.run(episode(6, HORIZON, task, EXPERT))
    values, images = roll_out(task, name, spec)
    recorded = read_episode(graph.path(receipt))
    assert recorded.images['camera'].shape == (HORIZON + 1, 64, 64, 3)
    assert recorded.observations.tobytes() == values.tobytes()
    np.testing.assert_array_equal(recorded.images['camera'], images)
    assert len(np.unique(images, axis=0)) >= HORIZON / every - 1, 'the picture stands still'
    assert again.content_sha256 != receipt.content_sha256


def test_who_observes_from_the_midst_on_gets_the_image_that_stands(bench, tmp_path):
    name = contract_with(tmp_path, every=4)
    graph = Graph(bench, tmp_path, contract=name)
    spec = episode(1, 40)
    graph.begin(spec)
    assert bench.until(lambda: graph.simulator.session.status.step >= 6)
    graph.expert._driver._actions.publish = lambda _: None
    bench.until(lambda: False, timeout_s=0.1)
    stuck = graph.simulator.session.status.step
    late = bench.add(ObserverNode, contract=name)
    seen = []
    late._send = seen.append
    assert bench.until(lambda: seen)
    assert (seen[0].step, seen[0].episode_id) == (stuck, spec.episode_id)
    taken_ns = to_ns(seen[0].images[0].header.stamp)
    period_ns = graph.simulator._simulation.dt_ns
    assert taken_ns == to_ns(seen[0].header.stamp) - stuck % 4 * period_ns


def test_in_realtime_observations_have_images_no_older_than_the_contract_allows(tmp_path):
    contract, _ = find_contract('reach_image')
    with Bench('events') as bench:
        seen = bench.listen(Observation, 'observation')
        bench.add(ObserverNode, contract='reach_image', pairing='as_of')
        simulator = bench.add(SimulatorNode, task='reach', contract='reach_image',
                              mode='realtime')
        assert bench.until(lambda: len(seen) >= 5)
    assert simulator.parameters.camera is False, 'the contract alone starts the camera'
    for message in seen:
        assert images_of(message, contract)['camera'].shape == (64, 64, 3)
        age_ns = to_ns(message.header.stamp) - to_ns(message.images[0].header.stamp)
        assert 0 <= age_ns <= 100_000_000


@pytest.mark.parametrize('changes, sentence', [
    ({'encoding': 'mono8'}, "has encoding 'rgb8'; feature camera wants 'mono8'"),
    ({'height': 99}, 'has 64x64 pixels; feature camera wants 99x64'),
    ({'frame_id': 'wrist'}, "camera/image_raw is in frame 'camera_optical'; expected 'wrist'")])
def test_an_image_that_does_not_fit_gives_no_observation_and_one_sentence(
        bench, tmp_path, capfd, changes, sentence):
    seen = bench.listen(Observation, 'observation')
    observer = bench.add(ObserverNode, contract=contract_with(tmp_path, **changes))
    bench.add(SimulatorNode, task='reach', contract='reach_image')
    assert bench.until(lambda: observer._rejected)
    assert not seen
    assert sentence in capfd.readouterr().err


def test_a_camera_that_says_nothing_is_named_in_the_diagnostics(bench, monkeypatch):
    monkeypatch.setattr('il_ros.nodes.observer.LATE_S', 0.0)
    reports = bench.listen(DiagnosticArray, '/diagnostics')
    observer = bench.add(ObserverNode, contract='reach_image')
    bench.add(SimulatorNode, task='reach')
    assert bench.until(lambda: observer._pairing.missing() == ['camera/image_raw'])
    observer.diagnostics.publish()
    assert bench.until(lambda: any(
        'camera/image_raw' in report.status[0].message for report in reports))
    assert reports[-1].status[0].level == DiagnosticStatus.WARN


def test_a_larger_image_is_made_smaller(bench, tmp_path):
    seen = bench.listen(Observation, 'observation')
    images = bench.listen(Image, 'camera/image_raw')
    bench.add(ObserverNode, contract=contract_with(tmp_path, height=16, width=24))
    bench.add(SimulatorNode, task='reach', camera=True, camera_width=48, camera_height=32)
    assert bench.until(lambda: seen and images)
    assert (seen[0].images[0].height, seen[0].images[0].width) == (16, 24)
    large = np.frombuffer(images[0].data, np.uint8).reshape(32, 48, 3)
    small = np.frombuffer(seen[0].images[0].data, np.uint8).reshape(16, 24, 3)
    mean = large.reshape(16, 2, 24, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - mean).max() <= 0.5


@pytest.mark.parametrize('changes, sentence', [
    ({'encoding': 'mono8'}, 'feature camera is mono8; the simulated camera takes rgb8'),
    ({'encoding': 'jpeg'}, "encoding 'jpeg'; expected one of rgb8, mono8"),
    ({'height': 0}, '0x64 pixels'), ({'every': 0}, 'every is 0'),
    ({'topic': 'object_poses', 'index': 0}, 'camera wants object 0; the task reach has 0')])
def test_a_simulator_refuses_a_contract_whose_images_it_cannot_take(tmp_path, changes, sentence):
    with Bench('single') as bench, pytest.raises(ImitationError, match=sentence):
        bench.add(SimulatorNode, task='reach', contract=contract_with(tmp_path, **changes))
