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


"""Exports hold what the episodes hold, in the structure that the other side documents."""

import json

import h5py
from il_ros.contract.episode_spec import DrivePlan, EXPERT, LABEL_EXPERT_DRIVEN, POLICY
from il_ros.episodes.mcap import read_mcap
from il_ros.episodes.reader import read_episode
from il_ros.errors import ExportError
from il_ros.runs.export.lerobot import export_lerobot, png
from il_ros.runs.export.robomimic import export_robomimic
from il_ros.runs.export.rosbag2 import export_rosbag2
from il_ros.runs.export.segments import runs_of
from il_ros.runs.inventory import episodes_of
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
import numpy as np
import pytest
from recordings import messages, record, spec
import yaml

DRIVERS = [POLICY, EXPERT, EXPERT, POLICY, POLICY, EXPERT, EXPERT, EXPERT]
"""Only what the expert drove is a label: steps 1 to 2 and 5 to 7."""


@pytest.fixture
def run(tmp_path):
    """Return a run of two rounds; in the second one only corrections are labels."""
    folder = tmp_path / 'demo'
    for round_, plan, drivers in ((0, DrivePlan(), [EXPERT] * 8),
                                  (1, DrivePlan(labels=LABEL_EXPERT_DRIVEN), DRIVERS)):
        of = spec(f'rollout-r0{round_}-000001', seed=1, round=round_, plan=plan)
        record(folder / 'episodes' / 'main', of, messages(of, 8, drivers))
    return folder


def test_runs_of_true_ones_are_found():
    assert runs_of(np.array([0, 1, 1, 0, 1], bool)) == [(1, 3), (4, 5)]
    assert runs_of(np.zeros(3, bool)) == [] and runs_of(np.ones(2, bool)) == [(0, 2)]


def test_robomimic_gets_unbroken_demos_and_the_keys_of_the_rounds(run, tmp_path):
    assert export_robomimic(run, tmp_path / 'out') == {'demos': 3, 'steps': 13}
    episode = read_episode(episodes_of(run)[1])
    with h5py.File(tmp_path / 'out' / 'dataset.hdf5') as file:
        demo = file['data/demo_2']
        np.testing.assert_array_equal(demo['obs/goal_position'],
                                      episode.observations[5:8, 3:])
        np.testing.assert_array_equal(demo['next_obs/goal_position'],
                                      episode.observations[6:9, 3:])
        np.testing.assert_array_equal(demo['actions'], episode.expert.actions[5:8])
        assert demo['rewards'][()].tolist() == [0, 0, 1]
        assert file['data/demo_1/rewards'][()].tolist() == [0, 0]
        assert demo['dones'][()].tolist() == [0, 0, 1]
        assert demo.attrs['num_samples'] == 3 and file['data'].attrs['total'] == 13
        assert json.loads(file['data'].attrs['env_args'])['env_name'] == 'push'
        assert {key: [name.decode() for name in file['mask'][key]] for key in file['mask']} == {
            'round_0': ['demo_0'], 'round_1': ['demo_0', 'demo_1', 'demo_2']}


def test_held_out_demonstrations_are_not_exported(run, tmp_path):
    of = spec('validation-r00-000009', seed=9, purpose='validation')
    record(run / 'episodes' / 'main', of, messages(of, 8, [EXPERT] * 8))
    assert export_robomimic(run, tmp_path / 'out') == {'demos': 3, 'steps': 13}
    with h5py.File(tmp_path / 'out' / 'dataset.hdf5') as file:
        assert 'held_out' not in file['mask']
        assert 'validation' not in {file['data'][name].attrs['purpose'] for name in file['data']}


def test_executed_actions_are_exported_whole(run, tmp_path):
    assert export_robomimic(run, tmp_path / 'out', 'executed') == {'demos': 2, 'steps': 16}


def test_a_bag_has_the_messages_of_the_episode_with_nothing_between_their_fields(run, tmp_path):
    path = episodes_of(run)[0]
    original = read_mcap(path)
    count = sum(len(channel.spots) for channel in original.channels.values())
    export_rosbag2(run, tmp_path / 'out')
    folder = tmp_path / 'out' / path.stem
    noted = yaml.safe_load((folder / 'metadata.yaml').read_text())[
        'rosbag2_bagfile_information']
    assert noted['message_count'] == count and noted['storage_identifier'] == 'mcap'
    with open(folder / noted['relative_file_paths'][0], 'rb') as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        found = [(channel.topic, message.log_time, decoded) for _, channel, message, decoded in
                 reader.iter_decoded_messages()]
    wire = sorted(original.in_order(), key=lambda one: one[2])
    assert [(topic, log) for topic, log, _ in found] == [(f'/{t}', log) for t, _, log in wire]
    steps = [decoded.step for topic, _, decoded in found if topic == '/executed']
    assert steps == list(range(8))


def test_an_id_that_two_shards_have_makes_two_bags(run, tmp_path):
    of = spec('rollout-r01-000001', seed=2)
    record(run / 'episodes' / 'other', of, messages(of, 4))
    assert export_rosbag2(run, tmp_path / 'out')['bags'] == 3
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        'other-rollout-r01-000001', 'rollout-r00-000001', 'rollout-r01-000001']


def test_a_place_that_is_taken_is_left_alone(run, tmp_path):
    (tmp_path / 'out').mkdir()
    for export in (export_robomimic, export_rosbag2):
        with pytest.raises(ExportError, match='out exists already; nothing is overwritten'):
            export(run, tmp_path / 'out')
    assert list((tmp_path / 'out').iterdir()) == []


def test_a_run_without_labels_is_refused_and_leaves_nothing(tmp_path):
    of = spec(plan=DrivePlan(labels=LABEL_EXPERT_DRIVEN))
    record(tmp_path / 'demo' / 'episodes' / 'main', of, messages(of))
    with pytest.raises(ExportError, match='demo has nothing to export'):
        export_robomimic(tmp_path / 'demo', tmp_path / 'out')
    assert [path.name for path in tmp_path.iterdir()] == ['demo']


def test_without_pyarrow_one_sentence_says_what_to_install(run, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'pyarrow', None)
    with pytest.raises(ExportError, match=r"needs pyarrow.*pip install 'il_ros\[export\]'"):
        export_lerobot(run, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('channels', [1, 3])
def test_a_picture_survives_as_png(channels):
    image = pytest.importorskip('PIL.Image', reason='needs pillow: make test')
    import io
    frame = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    read = np.asarray(image.open(io.BytesIO(png(frame))))
    np.testing.assert_array_equal(read.reshape(frame.shape), frame)
