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

"""A training worker without torch: a job's ``config`` says what becomes of it."""

import threading
import time

from il_ros.learning.training_worker.protocol import Alive, from_line, Job, JobDone, JobFailed
from il_ros.learning.training_worker.protocol import JobProgress, Ready, to_line
from il_ros.processes.conversation import Answers, lines_of

BEAT_S = 0.05

answers = Answers()
stepped_s = time.monotonic()


def beat():
    """Say that this process lives, and take a step of a job that goes on."""
    global stepped_s
    pause = threading.Event()
    while not pause.wait(BEAT_S):
        if job.config == 'goes on':
            stepped_s = time.monotonic()
            answers.put(to_line(JobProgress(job.number, 1, 2, 0.0, 0.0)))
        answers.put(to_line(Alive(time.monotonic() - stepped_s)))


job = Job('data', 'key', 'ends', 'output')
threading.Thread(target=beat, daemon=True).start()
answers.put(to_line(Ready(0)))
for line in lines_of(0):
    message = from_line(line)
    stepped_s = time.monotonic()
    if not isinstance(message, Job):
        job = Job('data', 'key', 'ends', 'output')
        answers.put(to_line(JobFailed(message.number, 705, 'cancelled')))
        continue
    job = message
    if job.config == 'ends':
        answers.put(to_line(JobDone(job.number, job.output, '', 0, 0, 0.0, 0.0, 0, 0, 0.0)))
