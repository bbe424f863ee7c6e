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

"""The measurements: what they measure, and which targets their table marks as missed."""

import dataclasses
import json
from pathlib import Path
import subprocess
import sys

from benchmarks.child import Child, ChildError
from benchmarks.command import Bench, median_ratio, pooled
from benchmarks.loading import answer_to, make_episodes
from benchmarks.loop import Loop
from benchmarks.size import QUICK, specs
from benchmarks.table import format_report, TARGETS
from il_ros.learning.config import training_path
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


def test_a_child_that_fails_is_named_with_its_sentence():
    code = ('from benchmarks.child import Parent\n'
            'from il_ros.errors import ImitationError\n'
            'def do(request):\n'
            '    if request["number"] == 2:\n'
            '        raise ImitationError("out of paper")\n'
            '    return {"twice": 2 * request["number"]}\n'
            'raise SystemExit(Parent().serve(do))\n')
    with Child(('-c', code)) as child:
        assert child.ask(number=1) == {'twice': 2}
        with pytest.raises(ChildError, match=': out of paper$'):
            child.ask(number=2)
        with pytest.raises(ChildError, match='ended with exit code 1'):
            child.ask(number=3)


@pytest.mark.system
def test_the_loop_and_the_graph_see_the_same_episode_and_its_copies_load(tmp_path):
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    bench = Bench('reach', dataclasses.replace(QUICK, training_steps=10), tmp_path)
    data = bench._clone()
    with bench._graph('composed', 'policy', 'lockstep', data.contract.rate) as graph:
        found = graph.ask(do='run', seeds=[1], horizon=10)
        bench._record_originals(graph)
    loop = Loop('reach', tmp_path / 'policy')
    assert loop.run([1], 10)['observed'] == found['observed']
    assert loop.bare()['steps'] == 10 and 0.0 < found['seconds'] < found['wall_s']

    copies, dataset = str(tmp_path / 'copies'), str(tmp_path / 'all.hdf5')
    make_episodes(bench._originals, Path(copies), 200)
    steps = answer_to({'episodes': copies})['steps']
    assert 200 <= steps < 230
    assert answer_to({'episodes': copies, 'output': dataset})['steps'] == steps
    config = str(training_path('', 'reach'))
    fitted = answer_to({'dataset': dataset, 'config': config, 'steps': 2})
    assert (fitted['steps'], fitted['training_steps']) == (steps, 2)
    assert fitted['seconds'] > fitted['load_s'] > 0.0


def measure(folder: Path, *words: str) -> tuple[dict, str]:
    """Run the command in a folder; return its only file and what it printed."""
    done = subprocess.run(
        [sys.executable, '-m', 'benchmarks', '--quick', '--runs', str(folder), *words],
        capture_output=True, text=True, timeout=280, cwd=Path(__file__).resolve().parents[2])
    assert done.returncode == 0, done.stderr
    [written] = folder.iterdir()
    return json.loads(written.read_text()), done.stdout


@pytest.mark.drill
@pytest.mark.timeout(300)
def test_a_quick_run_measures_every_figure(tmp_path):
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    report, said = measure(tmp_path)
    assert report['same_episodes']
    for name in ('loop_ratio', 'composed_ratio', 'processes_ratio'):
        assert report[name] > 0.0
    for kind in ('composed', 'processes'):
        latency = report['realtime'][kind]
        assert 0.0 < latency['p50_ms'] <= latency['p99_ms'] and latency['samples'] > 0
    assert report['training']['ratio'] > 0.0
    assert report['loading']['cold_s'] > 0.0 and report['loading']['aggregated_s'] > 0.0
    assert 'one process a node' in said


@pytest.mark.drill
@pytest.mark.timeout(300)
def test_loading_alone_is_measured_with_a_fit_and_the_memory(tmp_path):
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    report, said = measure(tmp_path, '--only', 'loading', '--pairs', '400')
    loading = report['loading']
    assert 400 <= loading['steps'] < 430 and loading['fit']['steps'] == loading['steps']
    for part in ('cold', 'aggregate', 'aggregated'):
        assert loading[f'{part}_s'] > 0.0 and loading[f'{part}_peak_mib'] > 20.0
    assert loading['fit']['peak_mib'] > loading['aggregated_peak_mib']
    assert 'and 20 steps of training' in said
