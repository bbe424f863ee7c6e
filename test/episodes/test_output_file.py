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

"""What is handed over reaches the disk in order; a slow disk holds nobody up."""

import errno
import time
import types

from il_ros.episodes import output_file
from il_ros.episodes.output_file import QueuedFile
from il_ros.episodes.receipts import DISCARDED, Receipt, verify
from il_ros.episodes.saving import Saver
from il_ros.episodes.writer import EpisodeWriter
import pytest
from recordings import CONTRACT, messages, SCHEMAS, spec


def written(folder, create=QueuedFile) -> EpisodeWriter:
    """Return a writer that has been handed a whole episode."""
    writer = EpisodeWriter(folder, spec(), CONTRACT, SCHEMAS, 0, create=create)
    for topic, raw in messages(spec()):
        writer.write(topic, raw, 1)
    return writer


def test_what_was_handed_over_is_on_the_disk_in_order_once_it_is_closed(tmp_path):
    file = QueuedFile(tmp_path / 'a')
    blocks = [bytes([number]) * 1000 for number in range(100)]
    assert [file.write(block) for block in blocks] == [1000] * 100
    assert file.tell() == 100_000
    file.close()
    file.close()
    assert (tmp_path / 'a').read_bytes() == b''.join(blocks) and file.backlog == 0


def test_a_disk_that_does_not_answer_is_not_waited_for(tmp_path, disk):
    disk.clear()
    file = QueuedFile(tmp_path / 'a')
    begun = time.monotonic()
    for _ in range(1000):
        file.write(b'x' * 1000)
    assert time.monotonic() - begun < 1.0
    assert file.backlog == 1_000_000
    disk.set()
    file.close()
    assert (tmp_path / 'a').stat().st_size == 1_000_000


def test_what_is_given_up_is_not_waited_for(tmp_path, disk):
    disk.clear()
    file = QueuedFile(tmp_path / 'a')
    file.write(b'x')
    file.write(b'y')
    file.close(sync=False)
    disk.set()


def test_a_write_that_failed_is_told_at_the_next_one_and_at_the_end(tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(errno.ENOSPC, 'No space left on device')
    monkeypatch.setattr('il_ros.episodes.output_file.write_all', fails)
    file = QueuedFile(tmp_path / 'a')
    with pytest.raises(OSError, match='No space'):
        for _ in range(1000):
            file.write(b'x')
            file._thread.join(0.01)
    with pytest.raises(OSError, match='No space'):
        file.close()
    file.close()


def test_what_an_operator_takes_back_while_an_episode_is_saved_is_taken_back(tmp_path, disk):
    writer, saver, saved = written(tmp_path), Saver(), []
    disk.clear()
    saver.save(writer, saved.append, [(0, 0)], error_msg='why')
    assert saver.saving == 'rollout-r01-000007' and not saved
    assert not saver.discard('rollout-r01-000008', 3, 4)
    assert saver.discard('rollout-r01-000007', 3, 40)
    disk.set()
    saver.close()
    receipt, = saved
    assert isinstance(receipt, Receipt) and receipt == verify(writer.path)
    assert receipt.flags == DISCARDED and receipt.error_msg == 'why'
    assert writer.path.with_suffix('.discarded.json').read_text() == '[[3, 11]]'
    assert not saver.saving and not saver.discard('rollout-r01-000007', 3, 4)


def test_a_mistake_in_the_savers_thread_is_not_lost(tmp_path):
    saver = Saver()
    saver.check()
    saver.save(written(tmp_path), lambda outcome: outcome.no_such_thing)
    with pytest.raises(AttributeError):
        saver.wait()
    with pytest.raises(AttributeError):
        saver.check()
    saver.close()


@pytest.mark.parametrize('answered_s, waits_from_s, waits', [
    (9.9375, 0.0, True), (9.875, 0.0, False), (10.0, 9.9, True), (10.0, 10.0, False)])
def test_a_thread_that_fell_behind_is_waited_for_while_the_disk_answers_and_not_at_once_again(
        monkeypatch, answered_s, waits_from_s, waits):
    file, waited = object.__new__(output_file.QueuedFile), []
    file._answered_s, file._waits_from_s, file.backlog = answered_s, waits_from_s, 9
    file._changed = types.SimpleNamespace(
        wait_for=lambda done, patience_s: waited.append(patience_s) or done())
    monkeypatch.setattr(output_file, 'time', types.SimpleNamespace(monotonic=lambda: 10.0))
    file._let_it_catch_up()
    assert waited == [output_file.PATIENCE_S] * waits
    assert (file._waits_from_s > 10.0) == waits, 'the next write does not wait'
    file.backlog, file._waits_from_s = 0, waits_from_s
    file._let_it_catch_up()
    assert file._waits_from_s == waits_from_s, 'a thread that has caught up is waited for again'
