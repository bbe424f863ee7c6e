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

"""What trainer and worker say to each other."""

import dataclasses

from il_ros.errors import JobError
from il_ros.learning.training_worker.protocol import Cancel, from_line, Job, JobDone, JobFailed
from il_ros.learning.training_worker.protocol import JobProgress, Ready, to_line
import pytest


@pytest.fixture
def job() -> Job:
    """Return a job that would be taken."""
    return Job(dataset='d.hdf5', filter_key='round_0', config='c.yaml', output='policy', seed=3)


@pytest.mark.parametrize('change, part', [
    ({'dataset': ''}, "job.dataset is ''; expected a path"),
    ({'config': 3}, 'job.config is 3; expected a path'),
    ({'seed': True}, 'job.seed is True; expected 0 to'),
    ({'seed': -1}, 'job.seed is -1'),
    ({'replace': 1}, 'job.replace is 1; expected true or false')])
def test_a_job_with_a_wrong_field_is_refused_where_it_is_made(job, change, part):
    with pytest.raises(JobError) as refusal:
        dataclasses.replace(job, **change)
    assert part in str(refusal.value)


@pytest.mark.parametrize('line', [
    b'', b'{', b'[]', b'{"kind": "Job"}', b'{"kind": "os.system"}', b'{"kind": ["Job"]}',
    b'{"kind": "Ready", "pid": 1, "more": 2}', b'\xff', b'[' * 100_000])
def test_a_line_of_another_protocol_is_refused(line):
    with pytest.raises(JobError, match='no message'):
        from_line(line)


def test_messages_survive_the_way_to_the_other_side(job):
    for message in (job, Cancel(3), Ready(17), JobProgress(1, 50, 100, 0.25, -1.0),
                    JobDone(1, 'p', 'aa', 2**64 - 1, 7, 0.1, -1.0, 2, 30, 2.5),
                    JobFailed(1, 705, 'no')):
        assert from_line(to_line(message)) == message
