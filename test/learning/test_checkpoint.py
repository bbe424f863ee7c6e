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

"""Checkpoints: what comes back, and what is refused."""

import contextlib
import hashlib
import json
import os
import pickle
import shutil
import signal
import threading

from hypothesis import given, HealthCheck, settings, strategies
from il_ros.errors import DamagedError, LearningError, NoCheckpointError
from il_ros.learning import checkpoint
from il_ros.learning.checkpoint import DOCUMENT, WEIGHTS
from il_ros.learning.heads import Categorical, QUANTILE
from il_ros.learning.horizons import Horizons
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.policy import Policy
import numpy as np
import pytest
import safetensors.numpy


@pytest.fixture
def saved(tmp_path, policy):
    """Return the folder of a checkpoint."""
    checkpoint.save(tmp_path / 'policy', policy)
    return tmp_path / 'policy'


def test_a_loaded_policy_answers_as_the_saved_one(tmp_path, policy, observations):
    sha256 = checkpoint.save(tmp_path / 'run' / 'policy', policy, {'round': 3})
    loaded = checkpoint.load(tmp_path / 'run' / 'policy', sha256)
    np.testing.assert_array_equal(loaded.act_batch(observations), policy.act_batch(observations))
    np.testing.assert_array_equal(loaded.act(observations[0]), policy.act(observations[0]))
    assert loaded.contract == policy.contract
    assert loaded.inputs.names == policy.inputs.names
    assert loaded.info == {'seed': 0, 'round': 3}
    assert loaded.sha256 == sha256
    assert loaded.policy_id == int(sha256[:16], 16)


def test_the_same_policy_gives_the_same_checkpoint(tmp_path, policy):
    first = checkpoint.save(tmp_path / 'a', policy)
    second = checkpoint.save(tmp_path / 'b', checkpoint.load(tmp_path / 'a'))
    assert first == second
    for name in (DOCUMENT, WEIGHTS):
        assert (tmp_path / 'a' / name).read_bytes() == (tmp_path / 'b' / name).read_bytes()


def test_the_sha256_is_the_documented_one(saved):
    document = json.loads((saved / DOCUMENT).read_text())
    sha256 = document.pop('sha256')
    canonical = json.dumps(document, sort_keys=True, separators=(',', ':'))
    content = (saved / WEIGHTS).read_bytes() + canonical.encode()
    assert hashlib.sha256(content).hexdigest() == sha256


def test_another_checkpoint_is_replaced_only_when_asked(saved, make_policy):
    before = checkpoint.load(saved).sha256
    assert checkpoint.save(saved, make_policy(0)) == before
    with pytest.raises(LearningError, match='exists already'):
        checkpoint.save(saved, make_policy(1))
    assert checkpoint.load(saved).sha256 == before
    after = checkpoint.save(saved, make_policy(1), replace=True)
    assert checkpoint.load(saved).sha256 == after != before
    assert [path.name for path in saved.parent.iterdir()] == ['policy']


def test_another_sha256_than_the_expected_one_is_refused(saved):
    with pytest.raises(DamagedError, match='expected 00'):
        checkpoint.load(saved, '00' * 32)


def test_a_full_disk_leaves_nothing_behind(tmp_path, policy, monkeypatch):
    def full(descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space left'):
        checkpoint.save(tmp_path / 'policy', policy)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('make, part', [
    (lambda path: None, 'is not there'),
    (lambda path: path.write_bytes(b''), 'is a file'),
    (lambda path: path.mkdir(), 'policy.json is not there')])
def test_where_no_checkpoint_is_none_is_found(tmp_path, make, part):
    make(tmp_path / 'policy')
    with pytest.raises(NoCheckpointError, match=part):
        checkpoint.load(tmp_path / 'policy')


@pytest.mark.parametrize('name', [DOCUMENT, WEIGHTS])
def test_a_truncated_file_is_named(saved, name):
    whole = (saved / name).read_bytes()
    # The very last byte of the document is the end of its last line.
    for length in (*np.linspace(0, len(whole) - 2, 40, dtype=int),):
        (saved / name).write_bytes(whole[:length])
        with pytest.raises(DamagedError, match=name):
            checkpoint.load(saved)


def test_a_flipped_bit_is_never_another_policy(saved, observations):
    expected = checkpoint.load(saved).act_batch(observations)
    rng = np.random.default_rng(0)
    for name in (DOCUMENT, WEIGHTS):
        whole = (saved / name).read_bytes()
        for at in rng.integers(0, 8 * len(whole), 150):
            flipped = bytearray(whole)
            flipped[at // 8] ^= 1 << at % 8
            (saved / name).write_bytes(flipped)
            try:
                loaded = checkpoint.load(saved)
            except DamagedError as error:
                assert name in str(error)
            else:
                # A blank between two keys became another blank.
                assert name == DOCUMENT
                np.testing.assert_array_equal(loaded.act_batch(observations), expected)
        (saved / name).write_bytes(whole)


def test_two_checkpoints_with_their_weights_swapped_are_refused(tmp_path, make_policy):
    for name, seed in (('a', 0), ('b', 1)):
        checkpoint.save(tmp_path / name, make_policy(seed))
    shutil.copy(tmp_path / 'b' / WEIGHTS, tmp_path / 'a' / WEIGHTS)
    with pytest.raises(DamagedError, match=WEIGHTS):
        checkpoint.load(tmp_path / 'a')


def _forge(folder, change=lambda document: None, weights: bytes | None = None):
    """Rewrite a checkpoint with hashes that fit."""
    document = json.loads((folder / DOCUMENT).read_text())
    if weights is not None:
        (folder / WEIGHTS).write_bytes(weights)
    weights = (folder / WEIGHTS).read_bytes()
    document['weights_sha256'] = hashlib.sha256(weights).hexdigest()
    change(document)
    document.pop('sha256')
    canonical = json.dumps(document, sort_keys=True, separators=(',', ':'))
    document['sha256'] = hashlib.sha256(weights + canonical.encode()).hexdigest()
    (folder / DOCUMENT).write_text(json.dumps(document))


@pytest.mark.parametrize('change, part', [
    (lambda d: d.update(version=3), 'schema version is 3; this il_ros reads version 1 and 2'),
    (lambda d: d.update(members=2), WEIGHTS),
    (lambda d: d['head'].update(kind='oracle'), "head 'oracle' is unknown"),
    (lambda d: d.update(head={'kind': 'mixture', 'components': 2}), 'expected 14'),
    (lambda d: d.update(head={'kind': 'categorical', 'edges': [[1.0, 0.0]] * 3,
                              'centres': [[0.0] * 3] * 3}), 'ascending'),
    (lambda d: d.update(head={'kind': 'categorical', 'edges': [[]], 'centres': [[0.0]]}),
     'expected of 3 elements'),
    (lambda d: d.update(head={'kind': 'mixture', 'components': True}), 'components is True'),
    (lambda d: d['horizons'].update(history=0), 'history is 0; expected'),
    (lambda d: d['horizons'].update(history=2), 'expected 8'),
    (lambda d: d['horizons'].update(memory=2), DOCUMENT),
    (lambda d: d.update(format='other'), 'not a policy of il_ros'),
    (lambda d: d.update(architecture='transformer'), "architecture 'transformer' is unknown"),
    (lambda d: d.update(widths=[4, 64, 3]), WEIGHTS),
    (lambda d: d.update(widths=7), WEIGHTS),
    (lambda d: d.pop('widths'), WEIGHTS),
    (lambda d: d.pop('contract'), DOCUMENT),
    (lambda d: d.pop('info'), DOCUMENT),
    (lambda d: d['contract'].update(rate='fast'), DOCUMENT),
    (lambda d: d['contract']['actions'][0].update(upper=1e999), DOCUMENT),
    (lambda d: d['contract']['features'][0].update(start=3), 'expected 0'),
    (lambda d: d.update(inputs=['goal_position', 'gripper_opening']), 'input_names'),
    (lambda d: d.update(inputs=['nowhere']), "no feature 'nowhere'"),
    (lambda d: d['normaliser']['mean'].pop(), DOCUMENT),
    (lambda d: d['normaliser']['sd'].__setitem__(0, 0.0), 'not positive'),
    (lambda d: d['normaliser']['sd'].__setitem__(0, 'wide'), DOCUMENT),
    (lambda d: d['normaliser']['mean'].__setitem__(0, 1e200), 'not finite'),
    (lambda d: d.update(action_normaliser={'mean': [0.0], 'sd': [1.0]}), 'expected 3')])
def test_a_document_that_is_wrong_behind_a_valid_hash_is_refused(saved, change, part):
    _forge(saved, change)
    with pytest.raises(DamagedError) as refusal:
        checkpoint.load(saved)
    assert part in str(refusal.value)
    assert str(saved) in str(refusal.value)


@pytest.mark.parametrize('change, part', [
    (lambda t: t.pop('layers.1.bias'), 'layers.1.bias is missing'),
    (lambda t: t.update(extra=np.zeros(1, np.float32)), 'extra is surplus'),
    (lambda t: t.update({'layers.0.bias': np.zeros(3, np.float32)}), 'layers.0.bias is float32'),
    (lambda t: t.update({'layers.0.bias': np.zeros(64)}), 'layers.0.bias is float64'),
    (lambda t: t['layers.1.weight'].__setitem__((5, 5), np.nan), 'layers.1.weight')])
def test_weights_that_are_wrong_behind_a_valid_hash_are_refused(saved, change, part):
    tensors = {name: array.copy() for name, array in
               safetensors.numpy.load((saved / WEIGHTS).read_bytes()).items()}
    change(tensors)
    _forge(saved, weights=safetensors.numpy.save(tensors))
    with pytest.raises(DamagedError, match=part):
        checkpoint.load(saved)


json_values = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers(-5, 2**70)
    | strategies.floats(allow_nan=False, allow_infinity=False) | strategies.text(max_size=4),
    lambda inner: strategies.lists(inner, max_size=3)
    | strategies.dictionaries(strategies.text(max_size=4), inner, max_size=3), max_leaves=4)


@settings(max_examples=200, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=strategies.data())
@pytest.mark.parametrize('elaborate', [False, True])
def test_no_forged_value_causes_another_error(saved, observations, elaborate, data):
    if elaborate and not (saved.parent / 'elaborate').exists():
        _save_elaborate(saved.parent / 'elaborate', checkpoint.load(saved))
    saved = saved.parent / 'elaborate' if elaborate else saved
    original = (saved / DOCUMENT).read_text()

    def change(document):
        place, key = document, data.draw(strategies.sampled_from(sorted(document)))
        while isinstance(place[key], (dict, list)) and place[key] and data.draw(
                strategies.booleans()):
            place = place[key]
            keys = sorted(place) if isinstance(place, dict) else range(len(place))
            key = data.draw(strategies.sampled_from(keys))
        if (place, key) != (document, 'sha256'):
            place[key] = data.draw(json_values)

    try:
        _forge(saved, change)
        with contextlib.suppress(DamagedError):
            checkpoint.load(saved).act_batch(observations)
    finally:
        (saved / DOCUMENT).write_text(original)


def _save_elaborate(folder, policy):
    """Write an ensemble with a history, chunks and bins."""
    horizons = Horizons(history=2, chunk=2, execute=2)
    head = Categorical.fit(np.random.default_rng(0).normal(size=(50, 3)), 4, QUANTILE, 2)
    net = Mlp((np.zeros((2, 8, head.width), np.float32),),
              (np.zeros((2, head.width), np.float32),))
    checkpoint.save(folder, Policy(
        policy.contract, policy.inputs, policy.normaliser, policy.action_normaliser, net,
        head=head, horizons=horizons))


@pytest.mark.parametrize('text', ['[' * 100_000, '"' + '9' * 10_000, '9' * 10_000, 'null',
                                  '{"format": NaN}'])
def test_a_document_that_is_no_policy_is_refused(saved, text):
    (saved / DOCUMENT).write_text(text)
    with pytest.raises(DamagedError, match=DOCUMENT):
        checkpoint.load(saved)


class Hostile:
    """Runs code when it is unpickled."""

    def __init__(self, sentinel):
        self.sentinel = sentinel

    def __reduce__(self):
        """Ask the reader to create the sentinel."""
        return os.mkdir, (str(self.sentinel),)


@pytest.mark.parametrize('name', [f'policy{end}' for end in ('.pt', '.pth', '.pkl', '.ckpt',
                                                             '.npz', '.safetensors', '')])
def test_a_hostile_pickle_never_runs(tmp_path, policy, name):
    sentinel = tmp_path / 'sentinel'
    poison = pickle.dumps(Hostile(sentinel))
    (tmp_path / name).write_bytes(poison)
    with pytest.raises(LearningError, match='is a file; expected a folder'):
        checkpoint.load(tmp_path / name)
    folder = tmp_path / 'folder'
    checkpoint.save(folder, policy)
    for victim in (WEIGHTS, DOCUMENT):
        whole = (folder / victim).read_bytes()
        (folder / victim).write_bytes(poison)
        with pytest.raises(DamagedError, match=victim):
            checkpoint.load(folder)
        (folder / victim).write_bytes(whole)
    _forge(folder, weights=poison)
    with pytest.raises(DamagedError, match='not a safetensors file'):
        checkpoint.load(folder)
    assert not sentinel.exists()


def test_a_huge_file_is_refused_unread(saved):
    with (saved / DOCUMENT).open('r+b') as file:
        file.truncate(1 << 40)
    with pytest.raises(DamagedError, match='expected at most'):
        checkpoint.load(saved)


def test_a_saver_killed_at_any_moment_leaves_a_checkpoint(tmp_path, make_policy):
    folder = tmp_path / 'latest'
    policies = [make_policy(seed) for seed in (0, 1)]
    known = {checkpoint.save(tmp_path / str(at), policy) for at, policy in enumerate(policies)}
    checkpoint.save(folder, policies[0])
    rng = np.random.default_rng(0)
    for _ in range(40):
        child = os.fork()
        if child == 0:
            try:
                while True:
                    for policy in policies:
                        checkpoint.save(folder, policy, replace=True)
            finally:
                os._exit(1)
        threading.Event().wait(rng.uniform(0.0, 0.03))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0) == (child, signal.SIGKILL)
        assert checkpoint.load(folder).sha256 in known
    checkpoint.save(folder, policies[0], replace=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['0', '1', 'latest']
