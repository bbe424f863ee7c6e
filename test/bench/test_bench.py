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

"""The bench: it measures what it says, and its table says what was missed. No figure is judged."""

import json
from pathlib import Path
import subprocess
import sys

from il_ros.bench.child import Child, ChildError
from il_ros.bench.command import median_ratio, pooled
from il_ros.bench.size import specs
from il_ros.bench.table import format_report, TARGETS
import pytest


def report_with(**values) -> dict:
    rate = {'steps_per_s': 1000.0}
    latency = {'p50_ms': 2.0, 'p99_ms': 5.0}
    return {
        'bare': rate, 'loop': rate, 'composed': rate, 'processes': rate, 'loop_ratio': 0.9,
        'composed_ratio': 0.6, 'processes_ratio': 0.2, 'cores': 2,
        'realtime': {'rate_hz': 50.0, 'composed': latency, 'processes': latency},
        'training': {'steps_per_s': 900.0, 'bare_steps_per_s': 1000.0, 'ratio': 0.95},
        'loading': {'steps': 100_000, 'episodes': 1250, 'cold_s': 2.0, 'aggregated_s': 0.3},
        'load_average': {'start': (0.1, 0.1, 0.1), 'end': (0.5, 0.1, 0.1)}, **values}


def test_the_table_marks_nothing_where_every_target_is_reached():
    table = format_report(report_with())
    assert 'missed' not in table
    assert table.count('at least') + table.count('at most') == len(TARGETS)


def test_the_table_marks_the_figure_that_misses_its_target():
    table = format_report(report_with(composed_ratio=0.42))
    [line] = [line for line in table.splitlines() if 'missed' in line]
    assert '0.42' in line and 'at least 0.5: missed' in line


def test_slices_are_pooled_by_their_steps_and_seconds():
    slices = [{'steps': 100, 'seconds': 1.0, 'wall_s': 2.0},
              {'steps': 300, 'seconds': 1.0, 'wall_s': 2.0}]
    total = pooled(slices)
    assert total['steps_per_s'] == 200.0
    assert total['steps_per_s_with_resets'] == 100.0
    assert total['slices_steps_per_s'] == [100.0, 300.0]


def test_a_ratio_is_the_median_over_slices_so_that_one_bad_moment_does_not_count():
    one = [{'steps': 50, 'seconds': 1.0}, {'steps': 60, 'seconds': 1.0},
           {'steps': 1, 'seconds': 1.0}]
    other = [{'steps': 100, 'seconds': 1.0}] * 3
    assert median_ratio(one, other) == 0.5


def test_every_episode_asks_both_and_no_id_comes_twice():
    episodes = [*specs('push', [1, 2], 30), *specs('push', [1, 2], 30, round_=1)]
    assert len({spec.episode_id for spec in episodes}) == 4
    assert {(spec.plan.beta, spec.continuing) for spec in episodes} == {(0.5, True)}


def test_a_child_answers_line_by_line_whatever_it_prints(tmp_path):
    code = ('from il_ros.bench.child import Conversation\n'
            'talk = Conversation()\n'
            'print("chatter")\n'
            'for request in talk.requests():\n'
            '    talk.answer(twice=2 * request["number"])\n')
    with Child(('-c', code), tmp_path / 'log') as child:
        assert [child.ask(number=n)['twice'] for n in (1, 2)] == [2, 4]
    assert 'chatter' in (tmp_path / 'log').read_text()


def test_a_child_that_dies_is_named_with_its_last_words(tmp_path):
    with Child(('-c', 'raise SystemExit("out of paper")'), tmp_path / 'log') as child:
        with pytest.raises(ChildError, match='out of paper'):
            child.ask(number=1)


@pytest.mark.system
@pytest.mark.timeout(200)
def test_loading_alone_also_tells_what_a_training_takes_and_the_memory(tmp_path):
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    done = subprocess.run(
        [sys.executable, '-m', 'il_ros.cli', 'bench', '--quick', '--only', 'loading', '--pairs',
         '400', '--runs', str(tmp_path)],
        capture_output=True, text=True, timeout=180, cwd=Path(__file__).resolve().parents[2])
    assert done.returncode == 0, done.stderr
    loading = json.loads((tmp_path / 'bench_loading.json').read_text())['loading']
    assert 400 <= loading['steps'] < 430 and loading['fit']['steps'] == loading['steps']
    assert loading['fit']['seconds'] > loading['fit']['load_s'] > 0.0
    assert loading['fit']['training_steps'] == 20
    for part in ('cold', 'aggregate', 'aggregated'):
        assert loading[f'{part}_s'] > 0.0 and loading[f'{part}_peak_mib'] > 20.0
    assert loading['fit']['peak_mib'] > loading['aggregated_peak_mib']
    assert 'and 20 steps of training' in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ['bench_loading.json']


@pytest.mark.system
@pytest.mark.timeout(300)
def test_a_quick_bench_writes_every_figure(tmp_path):
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    done = subprocess.run(
        [sys.executable, '-m', 'il_ros.cli', 'bench', '--quick', '--runs', str(tmp_path)],
        capture_output=True, text=True, timeout=280, cwd=Path(__file__).resolve().parents[2])
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / 'bench.json').read_text())
    assert report['same_episodes']
    for name in ('loop_ratio', 'composed_ratio', 'processes_ratio'):
        assert report[name] > 0.0
    for kind in ('composed', 'processes'):
        latency = report['realtime'][kind]
        assert 0.0 < latency['p50_ms'] <= latency['p99_ms']
        assert latency['samples'] > 0
    assert report['training']['ratio'] > 0.0
    assert report['loading']['steps'] >= 200
    assert report['loading']['cold_s'] > 0.0 and report['loading']['aggregated_s'] > 0.0
    assert len(report['load_average']['start']) == 3
    assert 'one process a node' in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ['bench.json']
