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

"""The back end in this process: thresholds go on, bad labels are named, a fit is followed."""

from pathlib import Path
import types

from il_ros.contract.episode_spec import ABORTED, EpisodeSpec
from il_ros.episodes.receipts import Receipt
from il_ros.errors import ImitationError, JobError
from il_ros.learning.training_worker.protocol import JobDone, JobFailed, JobProgress
from il_ros.loop.backend import Episodes, finish, FitOrder
from il_ros.loop.failures import COLLECT_FAILED, LABEL_FAILED, RunError
from il_ros.loop.failures import TRAIN_FAILED
from il_ros.loop.local import backend as backends
from il_ros.loop.local.backend import LocalBackend, LocalFit
import numpy as np
import pytest
import recordings


class Played:
    """A player that gives receipts with these changes, one after the other."""

    contract = recordings.CONTRACT
    expert = types.SimpleNamespace(name='push 1.0')

    def __init__(self, *changes):
        self.changes, self.thresholds, self.taken = [*changes], [], []

    def play(self, spec, folder, threshold):
        self.thresholds.append(threshold)
        return Receipt(spec, **self.changes.pop(0))

    def load(self, *checkpoint):
        self.taken.append(checkpoint)


@pytest.fixture
def backend(tmp_path):
    """Return a function from a player to a back end without a simulation."""
    def make(player) -> LocalBackend:
        made = object.__new__(LocalBackend)
        made._player, made._shard = player, types.SimpleNamespace(folder=tmp_path)
        made._workers = 1
        made._worker = types.SimpleNamespace(submit=lambda job: made.jobs.append(job))
        made.jobs = []
        return made
    return make


def episodes(count: int, threshold: float = -1.0) -> Episodes:
    """Return what is to be run."""
    specs = [EpisodeSpec(f'e-{seed}', 'r', 'push', seed=seed) for seed in range(count)]
    return Episodes('r01-collect', Path('run'), specs, threshold, None)


def test_a_threshold_that_was_adapted_goes_on_in_the_next_episode(backend):
    player = Played({'gate_threshold': -1.0}, {'gate_threshold': 0.0}, {'gate_threshold': 0.5},
                    {})
    kept, finished = [], []
    finish(backend(player).collect(episodes(4, 0.25), kept.append, finished.append))
    assert player.thresholds == [0.25, 0.25, 0.0, 0.5]
    assert [receipt.spec.seed for receipt in kept] == [0, 1, 2, 3] and finished == [1, 2, 3, 4]


def test_an_episode_that_was_aborted_ends_the_stage_and_is_kept(backend):
    player, kept, finished = Played({}, {'end': ABORTED, 'error_msg': 'why'}, {}), [], []
    with pytest.raises(RunError, match='^e-1: why$') as failed:
        finish(backend(player).collect(episodes(3), kept.append, finished.append))
    assert failed.value.code == COLLECT_FAILED
    assert len(kept) == 2 and finished == [1] and player.changes == [{}]


def test_a_checkpoint_is_handed_to_the_player(backend, tmp_path):
    made = backend(Played())
    finish(made.load(tmp_path / 'there', 'cd'))
    assert made._player.taken == [(tmp_path / 'there', 'cd')]


def label(backend, monkeypatch, actions, valid):
    """Return the labels of steps 3, 4, ... whose observations say their step."""
    def answered(expert, observations):
        assert observations[:, 0].tolist() == [3 + at for at in range(len(valid))]
        return np.array(actions, np.float32), np.array(valid)
    monkeypatch.setattr(backends, 'relabel', answered)
    episode = types.SimpleNamespace(
        spec=EpisodeSpec('e-0', 'r', 'push'),
        observations=np.arange(9, dtype=np.float32)[:, None])
    return finish(backend(Played()).label(episode, np.arange(3, 3 + len(valid))))


def test_answers_that_are_no_numbers_are_no_labels(backend, monkeypatch):
    found = label(backend, monkeypatch, [(0.5, -0.5), (np.nan, 0.1), (9.0, 9.0)],
                  [True, True, False])
    assert found.valid.tolist() == [True, False, False] and found.labeller == 'push 1.0'
    assert found.actions.tolist() == [[0.5, -0.5], [0.0, 0.0], [0.0, 0.0]]
    assert 0.0 <= found.seconds < 60.0


def test_an_answer_outside_the_bounds_is_named_with_its_step(backend, monkeypatch):
    with pytest.raises(RunError, match='e-0: the push 1.0 answers step 4 outside') as failed:
        label(backend, monkeypatch, [(0.1, 0.1), (0.6, 0.1)], [True, True])
    assert failed.value.code == LABEL_FAILED


def test_an_expert_that_fails_is_named_with_the_episode(backend, monkeypatch):
    def fails(*_):
        raise ImitationError('no idea')
    monkeypatch.setattr(backends, 'relabel', fails)
    episode = types.SimpleNamespace(spec=EpisodeSpec('e-0', 'r', 'push'),
                                    observations=np.zeros((2, 1)))
    with pytest.raises(RunError, match='^e-0: no idea$') as failed:
        finish(backend(Played()).label(episode, np.arange(2)))
    assert failed.value.code == LABEL_FAILED


class Worker:
    """A worker that tells these events, one a look."""

    def __init__(self, *events):
        self.events, self.cancelled = [*events], False

    def poll(self, wait_s):
        assert 0.0 < wait_s <= 1.0
        return [self.events.pop(0)] if self.events else []

    def cancel(self):
        self.cancelled = True


def event(kind, **fields):
    """Return an event of a kind with these fields alone."""
    made = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made


def test_a_fit_tells_its_steps_and_ends_with_its_result():
    done, told = event(JobDone), []
    worker = Worker(event(JobProgress, step=3, steps=4, train_loss=0.5),
                    event(JobProgress, step=0, steps=0, train_loss=0.25), done)
    assert finish(LocalFit(worker, lambda *words: told.append(words)).outcome()) is done
    assert told == [(0.75, 0.5), (0.0, 0.25)] and not worker.cancelled


def test_a_fit_that_fails_says_why_and_one_that_is_abandoned_is_waited_for():
    worker = Worker(event(JobFailed, message='no room', code=705))
    with pytest.raises(RunError, match=r'^no room \(code 705\)$') as failed:
        finish(LocalFit(worker, lambda *_: None).outcome())
    assert failed.value.code == TRAIN_FAILED
    worker = Worker(event(JobProgress, step=1, steps=2, train_loss=0.5), event(JobDone))
    finish(LocalFit(worker, lambda *_: None).abandon())
    assert worker.cancelled and not worker.events


def test_a_fit_is_ordered_unless_its_run_is_done_with_the_checkpoint(backend, tmp_path):
    order = FitOrder('r00-train', 'r', tmp_path, 'round_0', tmp_path / 'training.yaml', 5,
                     tmp_path / 'checkpoints' / 'round_00')
    made = backend(Played())
    assert isinstance(made.start_fit(order, lambda *_: None), LocalFit)
    job, = made.jobs
    assert job.dataset == str(tmp_path / 'dataset.hdf5') and job.held_out_key == 'held_out'
    assert (job.filter_key, job.seed, job.replace) == ('round_0', 5, True)
    assert (job.config, job.output) == (str(order.config), str(order.output))
    (tmp_path / 'run.json').write_text('["checkpoints/round_00"]')
    with pytest.raises(JobError, match='a checkpoint that its run is done with'):
        made.start_fit(order, lambda *_: None)
    assert len(made.jobs) == 1


def test_work_is_done_at_once_and_its_result_returned(backend):
    made = backend(Played())

    async def work():
        return 7
    assert finish(made.carry_out('r00-load', work)) == 7
    assert finish(made.beside(lambda check: (check(), 8)[1])) == 8
    assert finish(made.contract()) is recordings.CONTRACT and finish(made.pause()) is None
