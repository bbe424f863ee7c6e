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

"""Episodes over cells: all of them once, those of an evaluation compared, errors named."""

from pathlib import Path

from il_ros.contract.episode_spec import ABORTED, DrivePlan, EpisodeSpec, POLICY
from il_ros.episodes.receipts import INCOMPLETE, Receipt, write_receipt
from il_ros.errors import ImitationError
from il_ros.interactive.outcomes import Trained
from il_ros.loop import cells as rooms
from il_ros.loop.backend import Episodes, finish
from il_ros.loop.cells import CellJob, Cells, evaluate, jobs_of, put_aside, share, worth
from il_ros.loop.failures import COLLECT_FAILED, LOAD_FAILED, RunError
import pytest


def jobs(*seeds: int) -> list[CellJob]:
    """Return jobs by seed."""
    return [CellJob(EpisodeSpec(f'evaluation-r00-{seed}', 'run', 'push', seed=seed))
            for seed in seeds]


class Here(Cells):
    """Cells that work in this process; a job's receipt has the content of its seed."""

    def __init__(self, **changes):
        super().__init__(lambda: None, [])
        self.jobs, self.changes = [], changes
        self.workers = self

    def run(self, given, check, left):
        for job in given:
            check()
            if isinstance(self.changes.get('error'), Exception):
                raise self.changes['error']
            self.jobs.append(job)
            fields = {'content_sha256': str(job.spec.seed), **self.changes}
            yield job, Receipt(job.spec, **fields)


async def over_graph(specs):
    """Return what the graph makes of episodes."""
    return [Receipt(spec, content_sha256=str(spec.seed)) for spec in specs]


def beside(work):
    """Do the work at once."""
    work(lambda: None)

    async def done():
        """Return at once."""
    return done()


def test_each_episode_of_an_evaluation_counts_once_and_the_first_are_compared(tmp_path):
    cells, kept = Here(), []
    finish(evaluate(cells, jobs(*range(5)), over_graph, beside, kept.append))
    assert [receipt.spec.seed for receipt in kept] == [0, 1, 2, 3, 4]
    assert [job.spec.seed for job in cells.jobs] == [0, 1, 2, 3, 4]
    assert [bool(job.folder) for job in cells.jobs] == [True, True, False, False, False]
    assert not Path(cells.jobs[0].folder).exists()


def test_an_episode_that_is_another_one_over_the_graph_is_an_error():
    with pytest.raises(RunError, match='evaluation-r00-0: .*differs.*--evaluate-over') as found:
        finish(evaluate(Here(content_sha256='x'), jobs(0, 1, 2), over_graph, beside,
                        lambda _: None))
    assert found.value.code == COLLECT_FAILED


def test_what_the_cells_take_the_graph_does_not_run_and_all_are_run_once():
    cells, kept, mine = Here(), [], []

    async def over(specs):
        mine.extend(specs)
        return await over_graph(specs)

    def later(work):
        async def wait():
            work(lambda: None)
        return wait()
    finish(share(cells, jobs(*range(6)), over, beside, kept.append))
    assert len(kept) == len(cells.jobs) == 6 and not mine
    finish(share(cells, jobs(*range(6)), over, later, kept.append))
    assert len(mine) == 6 and len(kept) == 12


def test_when_the_graph_fails_the_cells_take_no_more():
    cells = Here()

    async def fails(_):
        raise ImitationError('no arm')

    def later(work):
        async def wait():
            work(lambda: None)
        return wait()
    with pytest.raises(ImitationError, match='no arm'):
        finish(share(cells, jobs(1, 2, 3), fails, later, lambda _: None))
    assert not cells.jobs


@pytest.mark.parametrize('changes, code, sentence', [
    ({'end': ABORTED, 'error_msg': 'fault'}, COLLECT_FAILED, 'evaluation-r00-1: fault'),
    ({'error': rooms.ProcessError('it died')}, COLLECT_FAILED, 'it died'),
    ({'error': rooms.ProcessError('policy refused: torn')}, LOAD_FAILED, 'torn')])
def test_what_fails_in_a_cell_has_the_code_of_the_run(changes, code, sentence):
    with pytest.raises(RunError, match=sentence) as found:
        Here(**changes).play(jobs(1), lambda _: None)
    assert found.value.code == code


def test_a_job_names_the_checkpoint_of_its_run(tmp_path):
    trained = Trained('checkpoints/round_00', 'ab', 1, 9, 0.1, 0.1, 0, 9, 1.0)
    job, = jobs_of(Episodes('s', tmp_path, [jobs(3)[0].spec], 0.5, trained))
    assert job == CellJob(job.spec, 0.5, str(tmp_path.resolve() / trained.path), 'ab')
    job, = jobs_of(Episodes('s', tmp_path, [jobs(3)[0].spec], -1.0, None))
    assert (job.policy, job.sha256, job.folder) == ('', '', '')


def test_few_episodes_and_those_that_depend_on_each_other_are_left_to_one_arm():
    specs = [job.spec for job in jobs(*range(rooms.FEW + 1))]
    assert worth(specs) and not worth(specs[1:])
    adapted = DrivePlan(POLICY, gate='novelty', target_rate=0.2)
    assert not worth([EpisodeSpec('e-1', 'r', 'push', plan=adapted), *specs])


def test_what_is_unfinished_is_put_aside_and_nothing_else(tmp_path):
    for number, flags in enumerate((INCOMPLETE, 0, INCOMPLETE)):
        path = tmp_path / f'cell_{number}' / f'evaluation-r00-{number}.mcap'
        path.parent.mkdir()
        path.write_bytes(b'')
        write_receipt(path, Receipt(jobs(number)[0].spec, flags=flags))
    put_aside(tmp_path, [job.spec for job in jobs(0, 1)])
    assert not (tmp_path / 'cell_0/evaluation-r00-0.mcap').exists()
    assert len(list((tmp_path / 'cell_0').iterdir())) == 2
    assert (tmp_path / 'cell_1/evaluation-r00-1.mcap').exists()
    assert (tmp_path / 'cell_2/evaluation-r00-2.json').exists()
