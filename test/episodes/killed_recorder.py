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
A recorder that is going to be killed: episode after episode, saying what it acknowledged.

Lines on standard output: ``begun`` before it takes the folder, ``open ID``, ``step N`` once an
action of it was handed over, ``saving ID``, and ``closed ID`` once its receipt is there.
"""

import itertools
import os
from pathlib import Path
import sys
import threading
import time

from il_ros.episodes.output_file import QueuedFile
from il_ros.episodes.writer import EpisodeWriter
from il_ros.runs.shard import Shard
from recordings import CONTRACT, messages, SCHEMAS, spec

STEPS = 60


def say(line: str):
    """Hand over a whole line or none of it, whenever the kill comes."""
    os.write(sys.stdout.fileno(), f'{line}\n'.encode())


def main():
    """Record into the folder of the first argument until somebody ends it."""
    folder, first, period_s = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    template = spec('rollout-r01-000000')
    wire = messages(template, STEPS)
    say('begun')
    shard = Shard(folder)
    pause = threading.Event()
    for number in itertools.count(first):
        of = spec(f'rollout-r01-{number:06d}')
        writer = EpisodeWriter(
            shard.folder, of, CONTRACT, SCHEMAS, min_free_bytes=0, create=QueuedFile)
        say(f'open {of.episode_id}')
        for count, (topic, raw) in enumerate(wire):
            raw = raw.replace(template.episode_id.encode(), of.episode_id.encode())
            writer.write(topic, raw, time.time_ns())
            if topic == 'executed':
                say(f'step {count // 3}')
                pause.wait(period_s)
        say(f'saving {of.episode_id}')
        writer.close()
        say(f'closed {of.episode_id}')


if __name__ == '__main__':
    main()
