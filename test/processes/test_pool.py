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

"""Jobs in processes: all are done, failures are named, and nobody stays behind."""

import os
from pathlib import Path
import threading

from il_ros.errors import ImitationError
from il_ros.processes.child import ONE_THREAD
from il_ros.processes.pool import map_processes, ProcessError, Workers
import pytest


def make_multiplier(factor: int):
    """Return a function that a process works with."""
    print('what a library prints')

    def multiply(number: int) -> tuple[int, int]:
        if number == 13:
            raise ImitationError('13 is not multiplied')
        if number == 666:
            os._exit(7)
        return factor * number, os.getpid()
    return multiply


def look_around():
    """Return a function that tells what its process inherited."""
    return lambda name: (os.environ.get(name), os.getsid(0) == os.getpid())


def children() -> list[str]:
    """Return the processes that this one has."""
    return Path(f'/proc/self/task/{os.getpid()}/children').read_text().split()


def refuse():
    """Raise before any work is done."""
    raise ImitationError('there is nothing to work with')


def test_every_job_is_done_by_one_of_so_many_processes():
    done = dict(map_processes(make_multiplier, (3,), range(20, 28), processes=2))
    assert {job: result for job, (result, _) in done.items()} == {n: 3 * n for n in range(20, 28)}
    processes = {process for _, process in done.values()}
    assert 1 <= len(processes) <= 2 and os.getpid() not in processes
    assert not children()


def test_without_jobs_no_process_is_started():
    assert list(map_processes(refuse, (), (), processes=4)) == []


def test_an_error_of_ours_comes_back_as_its_sentence():
    with pytest.raises(ProcessError, match='^13 is not multiplied$'):
        list(map_processes(make_multiplier, (3,), (1, 13), processes=1))
    with pytest.raises(ProcessError, match='nothing to work with'):
        list(map_processes(refuse, (), (1,), processes=1))
    assert not children()


def test_a_process_that_dies_is_named_with_its_exit_code_and_the_others_are_ended():
    with pytest.raises(ProcessError, match='exit code 7'):
        list(map_processes(make_multiplier, (3,), (1, 2, 666, 4), processes=2))
    assert not children()


def last_words():
    """End this process with one line."""
    os.write(2, b'il_ros: out of paper')
    os._exit(3)


def test_the_only_line_of_a_process_that_died_is_said_whole():
    with pytest.raises(ProcessError, match='exit code 3; last output: out of paper$'):
        list(map_processes(last_words, (), (1,), processes=1))


def test_a_bug_in_a_process_is_named_by_the_last_line_of_its_traceback(capfd):
    with pytest.raises(ProcessError, match='exit code 1; .*: TypeError: .*NoneType'):
        list(map_processes(make_multiplier, (None,), (2,), processes=1))
    assert capfd.readouterr() == ('', '')


def test_whoever_stops_listening_leaves_no_process_behind():
    results = map_processes(make_multiplier, (3,), range(20, 120), processes=1)
    next(results)
    results.close()
    assert not children()


def test_a_process_has_a_session_and_one_thread_of_its_own_and_prints_nowhere(capfd):
    (_, seen), = map_processes(look_around, (), ('OMP_NUM_THREADS',), processes=1)
    assert seen == (ONE_THREAD['OMP_NUM_THREADS'], True)
    list(map_processes(make_multiplier, (3,), (1,), processes=1))
    assert capfd.readouterr() == ('', '')


def make_fragile(folder: str, tries_to_start: int):
    """Return a function whose process dies at the first sight of a job that has 666 in it."""
    starts = Path(folder, f'starts-{os.getpid()}')
    starts.write_text('')
    if len(list(Path(folder).glob('starts-*'))) < tries_to_start:
        os._exit(4)

    def work(job: int) -> int:
        seen = Path(folder, f'seen-{job}')
        if 666 <= job < 700 and not seen.exists():
            seen.write_text('')
            os._exit(7)
        if job == 700:
            os._exit(8)
        return -job
    return work


def test_a_process_that_dies_is_started_again_and_its_job_is_dealt_again(tmp_path):
    with Workers(make_fragile, [(str(tmp_path), 0)] * 2) as workers:
        done = list(workers.run(range(660, 670)))
        assert sorted(done) == [(job, -job) for job in range(660, 670)]
        assert len(workers.lost) == 4 and all('exit code 7' in one for one in workers.lost)
        assert list(workers.run([5])) == [(5, -5)]
    assert not children()


def test_a_job_that_kills_each_process_fails_and_so_does_a_start_that_fails_again_and_again(
        tmp_path):
    with Workers(make_fragile, [(str(tmp_path), 2)]) as workers:
        assert list(workers.run([1])) == [(1, -1)]
        assert len(workers.lost) == 1 and 'exit code 4' in workers.lost[0]
        with pytest.raises(ProcessError, match='exit code 8'):
            list(workers.run([2, 700, 3]))
        assert len(workers.lost) == 3
    with Workers(make_fragile, [(str(tmp_path), 99)]) as workers:
        with pytest.raises(ProcessError, match='exit code 4'):
            list(workers.run([1]))
    assert not children()


def test_processes_stay_for_the_next_jobs_whichever_thread_asked_for_them(tmp_path):
    found = []
    with Workers(make_multiplier, [(3,)]) as workers:
        def ask():
            found.extend(workers.run([20, 21]))
        for _ in range(2):
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()
        assert not workers.lost
    assert len({process for _, (_, process) in found}) == 1 and len(found) == 4


def test_jobs_that_others_have_taken_meanwhile_are_not_waited_for():
    jobs = [1, 2, 3]

    def taken():
        while jobs:
            yield jobs.pop()

    with Workers(make_multiplier, [(3,)]) as workers:
        assert list(workers.run(taken(), jobs.clear, lambda: bool(jobs))) == []
        assert [job for job, _ in workers.run([7])] == [7]


def test_a_check_that_fails_ends_the_work():
    def check():
        raise ImitationError('canceled')
    with Workers(make_multiplier, [(3,)]) as workers:
        with pytest.raises(ImitationError, match='canceled'):
            list(workers.run([1], check))
        assert not children()
