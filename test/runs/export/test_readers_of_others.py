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
Exports opened by the libraries that they are meant for.

They have an environment of their own (``make test-exports``); elsewhere these tests are skipped.
"""

from il_ros.episodes.reader import read_episode
from il_ros.runs.export.lerobot import export_lerobot
from il_ros.runs.export.robomimic import export_robomimic
from il_ros.runs.export.rosbag2 import export_rosbag2
from il_ros.runs.inventory import episodes_of
import numpy as np
import pytest
from recorded_streams import compressed, FRAMES, HEIGHT, record as record_with_streams, scene
from recorded_streams import STREAMS
from test_exports import run  # noqa: F401


def test_sequences_of_a_round_are_read_by_robomimic(run, tmp_path):  # noqa: F811
    obs_utils = pytest.importorskip(
        'robomimic.utils.obs_utils', reason='needs robomimic: make test-exports')
    from robomimic.utils.dataset import SequenceDataset
    export_robomimic(run, tmp_path / 'out')
    keys = ['tool_position', 'goal_position']
    obs_utils.initialize_obs_modality_mapping_from_dict({'low_dim': keys})
    sizes = {}
    for mask in ('round_0', 'round_1'):
        dataset = SequenceDataset(
            str(tmp_path / 'out' / 'dataset.hdf5'), keys, ['actions', 'rewards', 'dones'],
            seq_length=2, frame_stack=2, hdf5_cache_mode='all', hdf5_use_swmr=False,
            filter_by_attribute=mask)
        sizes[mask] = len(dataset)
    assert sizes == {'round_0': 8, 'round_1': 13}
    episode = read_episode(episodes_of(run)[0])
    item = dataset[3]
    np.testing.assert_array_equal(item['obs']['goal_position'][1:],
                                  episode.observations[3:5, 3:])
    np.testing.assert_array_equal(item['actions'][1:], episode.expert.actions[3:5])
    np.testing.assert_array_equal(item['next_obs']['goal_position'][1:],
                                  episode.observations[4:6, 3:])


def test_a_bag_is_read_by_rosbags_byte_for_byte(run, tmp_path):  # noqa: F811
    rosbag2 = pytest.importorskip('rosbags.rosbag2', reason='needs rosbags: make test-exports')
    from rosbags.typesys import get_types_from_msg, get_typestore, Stores
    export_rosbag2(run, tmp_path / 'out')
    store = get_typestore(Stores.ROS2_JAZZY)
    path = episodes_of(run)[0]
    with rosbag2.Reader(tmp_path / 'out' / path.stem) as reader:
        for connection in reader.connections:
            types = get_types_from_msg(connection.msgdef.data, connection.msgtype)
            store.register({name: fields for name, fields in types.items()
                            if name not in store.types})
        found = [(connection.topic, raw, store.deserialize_cdr(raw, connection.msgtype))
                 for connection, _, raw in reader.messages()]
        assert reader.message_count == len(found) == 9 + 8 + 9
        types = {connection.topic: connection.msgtype for connection in reader.connections}
    for topic, raw, message in found:
        assert bytes(store.serialize_cdr(message, types[topic])) == bytes(raw)
    values = np.stack([message.values for topic, _, message in found if topic == '/observation'])
    np.testing.assert_array_equal(values, read_episode(path).observations)


@pytest.fixture
def lerobot():
    """Return LeRobot's module of data sets."""
    torch = pytest.importorskip('torch', reason='needs torch: make test-exports')
    pytest.importorskip('lerobot', reason='needs lerobot: make test-exports')
    if not torch.version.cuda:
        # torchvision's wheels are built for CUDA: beside a CPU's torch two names are missing.
        library = torch.library.Library('torchvision', 'FRAGMENT')
        for name in ('nms', 'qnms'):
            library.define(f'{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
    from lerobot.datasets import lerobot_dataset
    return lerobot_dataset


def test_frames_and_chunks_are_read_by_lerobot(run, tmp_path, lerobot):  # noqa: F811
    assert export_lerobot(run, tmp_path / 'out') == {'episodes': 3, 'steps': 13}
    dataset = lerobot.LeRobotDataset('local/demo', root=tmp_path / 'out',
                                     delta_timestamps={'action': [0.0, 0.05, 0.1]})
    assert (len(dataset), dataset.num_episodes, dataset.fps) == (13, 3, 20)
    one, two = (read_episode(path) for path in episodes_of(run))
    item = dataset[10]
    assert item['task'] == 'push' and item['episode_index'] == 2
    np.testing.assert_array_equal(item['observation.state'], two.observations[5])
    np.testing.assert_array_equal(item['action'], two.expert.actions[5:8])
    assert item['timestamp'] == 0.0 and bool(item['intervention'])
    assert item['stamp_ns'] == two.stamps_ns[5]
    assert dataset[9]['action_is_pad'].tolist() == [False, True, True]
    episodes = dataset.meta.episodes
    assert list(episodes['filter_keys']) == [['round_0', 'round_1'], ['round_1'], ['round_1']]
    state = dataset.meta.stats['observation.state']
    rows = np.concatenate([one.observations[:8], two.observations[[1, 2, 5, 6, 7]]])
    np.testing.assert_allclose(state['mean'], rows.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(state['max'], rows.max(axis=0))


def test_cameras_beside_an_episode_are_read_by_rosbags(tmp_path):
    rosbag2 = pytest.importorskip('rosbags.rosbag2', reason='needs rosbags: make test-exports')
    from rosbags.typesys import get_typestore, Stores
    path = record_with_streams(tmp_path / 'demo')
    export_rosbag2(tmp_path / 'demo', tmp_path / 'out')
    store = get_typestore(Stores.ROS2_JAZZY)
    with rosbag2.Reader(tmp_path / 'out' / path.stem) as reader:
        found = {topic: [store.deserialize_cdr(raw, connection.msgtype) for connection, _, raw in
                         reader.messages() if connection.topic == f'/{topic.lstrip("/")}']
                 for topic in STREAMS}
    raw, packed = found['wrist/image_raw'], found['/head/image/compressed']
    assert len(raw) == len(packed) == FRAMES
    for number in range(FRAMES):
        assert (raw[number].encoding, raw[number].height) == ('bgr8', HEIGHT)
        np.testing.assert_array_equal(
            raw[number].data.reshape(HEIGHT, -1, 3)[..., ::-1], scene(number))
        form = 'PNG' if number % 2 else 'JPEG'
        assert packed[number].data.tobytes() == compressed(number, form)
