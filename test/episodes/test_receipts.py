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

import dataclasses

from il_ros.contract.episode_spec import ABORTED, CLOCK_JUMP as CLOCK_JUMPED, DrivePlan, EXPERT
from il_ros.contract.episode_spec import POLICY
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import CLOCK_JUMP, DROPS, INCOMPLETE, is_unfinished, read_receipt
from il_ros.episodes.receipts import Receipt, receipt_path, verify, write_receipt
from il_ros.episodes.wire.schema import fields_of
from il_ros.errors import EpisodeFileError
import pytest
from recordings import executed, header, INTERFACES, messages, observation, PERIOD_NS, record
from recordings import spec, status


def content(tmp_path, name, wire=None, of=None, **kwargs):
    """Return the content hash of an episode in a folder of its own."""
    return read_receipt(receipt_path(record(
        tmp_path / name, of or spec(), wire, **kwargs))).content_sha256


def test_a_receipt_says_what_the_message_says():
    text = (INTERFACES / 'RecordedEpisode.msg').read_text()
    message = [field.name for field in fields_of('il_ros_interfaces/RecordedEpisode', text)]
    assert [field.name for field in dataclasses.fields(Receipt)] == message


def test_a_receipt_survives_its_file(tmp_path):
    plan = DrivePlan(noise_covariance=(0.5, 0.0), gate='human', labels=1)
    receipt = Receipt(spec(plan=plan, options='{"a":1}'), 'episodes/main/x.mcap', 'ab', 'cd',
                      steps=3, success=True, gate_threshold=0.4, error_msg='the person said so')
    write_receipt(tmp_path / 'x.mcap', receipt)
    assert read_receipt(tmp_path / 'x.json') == receipt


@pytest.mark.parametrize('text', ['', '[]', '{}', '{"spec": 1}', '{"spec": {}}', '{"a": 1'])
def test_a_file_that_is_no_receipt_is_named(tmp_path, text):
    (tmp_path / 'x.json').write_text(text)
    with pytest.raises(EpisodeFileError, match='x.json is no receipt'):
        read_receipt(tmp_path / 'x.json')


def shifted(raw: bytes, seconds: int) -> bytes:
    """Move the stamp of a message by whole seconds."""
    old = int.from_bytes(raw[4:8], 'little')
    return raw[:4] + (old + seconds).to_bytes(4, 'little') + raw[8:]


def test_the_content_hash_knows_no_clock_and_no_run(tmp_path):
    reference = content(tmp_path, 'a')
    assert content(tmp_path, 'b', log_ns=5) == reference
    later = [(topic, shifted(raw, 1000)) for topic, raw in messages(spec())]
    assert content(tmp_path, 'c', later) == reference
    other = spec('rollout-r05-000007', round=5)
    assert content(tmp_path, 'd', messages(other), other) == reference


@pytest.mark.parametrize('position, message', [
    (4, ('observation', observation(spec(seed=1), 1, 12))),
    (5, ('executed', executed(spec(), 1, EXPERT))),
    (5, ('executed', executed(spec(), 1, values=[-0.2, 0.31]))),
    (-2, ('episode', status(spec(), 12, 12, success=False)))])
def test_the_content_hash_sees_every_change_of_what_happened(tmp_path, position, message):
    wire = messages(spec())
    assert wire[position][0] == message[0]
    assert wire[position] != message
    wire[position] = message
    assert content(tmp_path, 'changed', wire) != content(tmp_path, 'reference')


def test_the_content_hash_sees_stamps(tmp_path):
    wire = messages(spec())
    late = header(12)
    late['stamp']['nanosec'] += PERIOD_NS
    wire[-1] = ('observation', observation(spec(), 12, 12, header=late))
    wire[-2] = ('episode', status(spec(), 12, 12, header=late))
    assert content(tmp_path, 'late', wire) != content(tmp_path, 'reference')


def test_an_episode_that_has_no_end_is_incomplete(tmp_path):
    path = record(tmp_path, spec(), messages(spec())[:-2])
    receipt = read_receipt(receipt_path(path))
    assert receipt.flags == INCOMPLETE
    assert (receipt.steps, receipt.end, receipt.success) == (11, 0, False)


def test_a_jump_of_the_clock_is_flagged(tmp_path):
    wire = messages(spec())
    wire[-2] = ('episode', status(spec(), 12, 12, end=3, cause=CLOCK_JUMPED, success=False))
    assert read_receipt(receipt_path(record(tmp_path, spec(), wire))).flags == CLOCK_JUMP


def test_costs_are_in_the_receipt(tmp_path):
    wire = messages(spec(), 6, [POLICY, EXPERT, EXPERT, POLICY, POLICY, EXPERT])
    path = record(tmp_path, spec(plan=DrivePlan(driver=POLICY, labels=1)), wire)
    receipt = read_receipt(receipt_path(path))
    assert (receipt.labels, receipt.queries, receipt.watched) == (3, 6, 3)
    assert (receipt.expert_steps, receipt.takeovers) == (3, 2)
    assert receipt.path == f'{tmp_path.parent.name}/{tmp_path.name}/rollout-r01-000007.mcap'


def test_files_that_changed_places_are_told_apart_by_their_receipts(tmp_path):
    first = record(tmp_path, spec('rollout-r01-000001'))
    second = record(tmp_path, spec('rollout-r01-000002'))
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    with pytest.raises(EpisodeFileError, match='000001.mcap does not match the SHA-256'):
        verify(first)
    receipt_path(second).rename(receipt_path(first))
    with pytest.raises(EpisodeFileError, match='is the receipt of rollout-r01-000002'):
        verify(first)
    with pytest.raises(EpisodeFileError, match='rollout-r01-000001'):
        read_episode(second)


def test_a_flipped_bit_is_found_by_the_receipt(tmp_path):
    path = record(tmp_path, spec())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(EpisodeFileError, match='SHA-256'):
        verify(path)


@pytest.mark.parametrize('fields, unfinished', [
    ({}, False), ({'flags': INCOMPLETE}, True), ({'flags': DROPS}, False),
    ({'end': ABORTED}, True), ({'error_code': 501}, True)])
def test_what_was_cut_off_or_aborted_has_to_be_run_again(fields, unfinished):
    assert is_unfinished(Receipt(spec(), **fields)) == unfinished
