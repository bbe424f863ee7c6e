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
``make bench-peer``: labels and seconds to 95 % on ``pick_place``, theirs and ours.

The same Gymnasium environment and expert, in one process, without ROS; evaluated after each
round on the same held-out resets, with the clock stopped. Writes ``runs/bench_peer.json``, and
into ``runs/bench.json`` where there is one.
"""

import argparse
from collections.abc import Sequence
import dataclasses
import json
import os
from pathlib import Path
import sys

from benchmarks.imitation_dagger import defaults, matched
from benchmarks.race import ours, Rules
from il_ros.files.atomic import write_atomically
import torch

CONTESTANTS = {
    'ours': (ours, 'il_ros, strategy gated, in process'),
    'imitation_matched': (matched, 'imitation, our net, inputs, steps and rounds'),
    'imitation_defaults': (defaults, 'imitation, its defaults')}


def main(args: Sequence[str] | None = None) -> int:
    """Run the races and print their table."""
    words = parse(args)
    torch.set_num_threads(1)
    rules = Rules(task=words.task, seed=words.seed, cap_s=words.cap,
                  evaluation_episodes=words.episodes, most_labels=words.most_labels)
    report = {'rules': dataclasses.asdict(rules), 'load_average': {'start': os.getloadavg()}}
    for name, (race, what) in CONTESTANTS.items():
        print(what, flush=True)
        report[name] = race(rules, say)
    report['load_average']['end'] = os.getloadavg()
    write(report, Path(words.runs))
    print(f'\n{format_races(report)}\n\n{Path(words.runs) / "bench_peer.json"} has the numbers.')
    return 0


def parse(args: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog='bench-peer', description=__doc__)
    parser.add_argument('--task', default='pick_place', help='(pick_place)')
    parser.add_argument('--seed', type=int, default=0, help='Random seed (default: %(default)s)')
    parser.add_argument('--episodes', type=int, default=100, help='held-out resets (100)')
    parser.add_argument('--cap', type=float, default=600.0,
                        help='seconds of collecting and training after which one gives up (600)')
    parser.add_argument('--most-labels', type=int, default=10_000,
                        help='labels after which one gives up (10,000)')
    parser.add_argument('--runs', default='runs', help='folder that the figures go to (runs)')
    return parser.parse_args(args)


def say(judgement: dict):
    """Print one evaluation."""
    success = judgement['success']
    print(f'  {judgement["labels"]:6} labels {judgement["seconds"]:7.1f} s   '
          f'{success["k"]} of {success["n"]}', flush=True)


def write(report: dict, runs: Path):
    """Write the figures by themselves, and into those of ``make bench``."""
    runs.mkdir(parents=True, exist_ok=True)
    write_atomically(runs / 'bench_peer.json', (json.dumps(report, indent=1) + '\n').encode())
    bench = runs / 'bench.json'
    if bench.exists():
        whole = {**json.loads(bench.read_text()), 'peer': report}
        write_atomically(bench, (json.dumps(whole, indent=1) + '\n').encode())


def format_races(report: dict) -> str:
    """Return the table of a ``bench_peer.json``."""
    rows = [('to 95 % of held-out resets', 'labels', 'seconds', '')]
    for name, (_, what) in CONTESTANTS.items():
        result = report[name]
        if result['labels'] is None:
            last = result['last']
            rows.append((what, '-', '-', f'{100 * last["success"]["rate"]:.0f} % after '
                                         f'{last["labels"]} labels, {last["seconds"]:.0f} s'))
        else:
            rows.append((what, str(result['labels']), f'{result["seconds"]:.1f}', ''))
    return '\n'.join(f'{what:46}{labels:>8}{seconds:>10}  {note}'.rstrip()
                     for what, labels, seconds, note in rows)


if __name__ == '__main__':
    sys.exit(main())
