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
Speed and latency of the graph against the same loop without ROS: ``make bench``.

In one run, on the same task, seeds, policy and expert, both asked at each step. The loops take
turns, a slice each, so that whatever else the machine does meets all of them; a ratio is the
median over the slices.
"""

import argparse
import contextlib
import dataclasses
import json
import os
from pathlib import Path
import platform
import statistics
import tempfile

from benchmarks.child import Child
from benchmarks.loading import DATASET, episodes_in, forget, make_episodes
from benchmarks.size import QUICK, RUN, Size
from benchmarks.table import format_loading, format_report
from benchmarks.training import bare_seconds, fit_seconds
from il_ros.dataset.dataset import Demonstrations
from il_ros.files.atomic import write_atomically
from il_ros.learning import checkpoint
from il_ros.learning.config import TrainConfig, training_path
from il_ros.learning.fit import fit
from il_ros.progress import Progress
from il_ros.sim.environment import Environment
from il_ros.sim.episode_loop import Observation, run_episode
from il_ros.tasks.expert_registry import make_expert
import numpy as np
import torch

DEMONSTRATIONS = 10
ORIGINALS = 5
REALTIME = 'realtime'
"""Folder of the checkpoint whose contract has the realtime rate; the weights are the same."""

LOADING = 'loading'
"""The one part that can be measured alone, and then with a fit to all that was loaded."""


def bench(words: argparse.Namespace) -> int:
    """Measure everything, or one part, write ``RUNS/bench.json`` and print the table."""
    size = QUICK if words.quick else Size()
    if words.pairs:
        size = dataclasses.replace(size, loaded_steps=words.pairs)
    alone = words.only == LOADING
    runs = Path(words.runs)
    runs.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    before = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix='.bench-', dir=runs) as folder:
        measured = Bench(words.task, size, Path(folder))
        report = measured.run_loading() if alone else measured.run()
    report = {'task': words.task, 'quick': words.quick, **report,
              'load_average': {'start': before, 'end': os.getloadavg()},
              'cores': os.cpu_count(), 'python': platform.python_version(),
              'machine': platform.machine()}
    peer = runs / 'bench_peer.json'
    if peer.exists() and not alone:
        report['peer'] = json.loads(peer.read_text())
    output = runs / ('bench_loading.json' if alone else 'bench.json')
    write_atomically(output, (json.dumps(report, indent=1) + '\n').encode())
    table = format_loading(report) if alone else format_report(report)
    print(f'\n{table}\n\n{output} has the numbers.')
    return 0


class Bench:
    """
    One bench.

    :param folder: for all that it records; gone afterwards
    """

    def __init__(self, task: str, size: Size, folder: Path):
        self._task, self._size, self._folder = task, size, folder

    def run(self) -> dict:
        """Return the report."""
        size = self._size
        with Progress(total=4 * size.slices + 5, unit='part') as self._progress:
            self._say('cloning a policy')
            data = self._clone()
            report = {'size': dataclasses.asdict(size), **self._loops(data.contract.rate),
                      'realtime': {
                          'rate_hz': size.realtime_hz, 'seconds': size.realtime_s,
                          **{kind: self._realtime(kind)
                             for kind in ('composed', 'processes')}}}
            self._say('training')
            report['training'] = training(data, self._config, size)
            report['loading'] = self._loading()
            self._say('done')
        return report

    def run_loading(self) -> dict:
        """Return the report of the loading alone, and of a fit to all that was loaded."""
        with Progress(total=7, unit='part') as self._progress:
            self._say('cloning a policy')
            data = self._clone()
            self._say('recording')
            with self._graph('composed', 'policy', 'lockstep', data.contract.rate) as graph:
                self._record_originals(graph)
            loading = self._loading()
            self._say('training')
            config = training_path('', self._task)
            loading['fit'] = self._asked(
                dataset=str(self._folder / DATASET), config=str(config),
                steps=self._size.loaded_training_steps)
            self._say('done')
        return {'size': dataclasses.asdict(self._size), 'loading': loading}

    def _say(self, what: str):
        self._progress.begin(what)
        self._progress.update()

    def _clone(self) -> Demonstrations:
        """Train the policy that all loops share, and return what it was trained on."""
        self._config = dataclasses.replace(
            TrainConfig.of(self._task), steps=self._size.training_steps, warmup_steps=10)
        data = demonstrate(self._task, DEMONSTRATIONS)
        policy = fit(data, None, data.contract, self._config, seed=0).policy
        checkpoint.save(self._folder / 'policy', policy, {})
        policy.contract = dataclasses.replace(policy.contract, rate=self._size.realtime_hz)
        checkpoint.save(self._folder / REALTIME, policy, {})
        return data

    def _loops(self, rate_hz: float) -> dict:
        parts: dict[str, list[dict]] = {'loop': [], 'bare': [], 'composed': [], 'processes': []}
        with contextlib.ExitStack() as stack:
            loop = stack.enter_context(Child(
                ('-m', 'benchmarks.loop', self._task, str(self._folder / 'policy'))))
            graphs = {kind: stack.enter_context(self._graph(kind, 'policy', 'lockstep', rate_hz))
                      for kind in ('composed', 'processes')}
            for index in range(self._size.slices):
                first = 1 + index * self._size.episodes
                what = {'seeds': list(range(first, first + self._size.episodes)),
                        'horizon': self._size.horizon}
                self._say(f'slice {index + 1} of {self._size.slices}: loop')
                parts['loop'].append(loop.ask(do='run', **what))
                parts['bare'].append(loop.ask(do='bare'))
                for kind, graph in graphs.items():
                    self._say(f'slice {index + 1} of {self._size.slices}: {kind}')
                    parts[kind].append(graph.ask(do='run', **what))
            self._record_originals(graphs['composed'])
        report = {name: pooled(slices) for name, slices in parts.items()}
        report['same_episodes'] = len({
            tuple(part['observed'] for part in parts[kind])
            for kind in ('loop', 'composed', 'processes')}) == 1
        for name, of, base in (('loop_ratio', 'loop', 'bare'),
                               ('composed_ratio', 'composed', 'loop'),
                               ('processes_ratio', 'processes', 'loop')):
            report[name] = median_ratio(parts[of], parts[base])
        return report

    def _record_originals(self, graph: Child):
        seeds = list(range(1, ORIGINALS + 1))
        graph.ask(do='run', seeds=seeds, horizon=self._size.loaded_horizon, round_=1)
        folder = self._folder / 'composed-policy' / RUN / 'episodes'
        self._originals = sorted(folder.rglob('rollout-r01-*.mcap'))

    def _realtime(self, kind: str) -> dict:
        self._say(f'realtime: {kind}')
        size = self._size
        with self._graph(kind, REALTIME, 'realtime', size.realtime_hz) as graph:
            return graph.ask(do='realtime', seconds=size.realtime_s, rate_hz=size.realtime_hz)

    def _loading(self) -> dict:
        self._say('making episodes to load')
        folder, dataset = str(self._folder / 'copies'), str(self._folder / DATASET)
        paths = make_episodes(self._originals, Path(folder), self._size.loaded_steps)
        size_bytes = sum(path.stat().st_size for path in paths)
        parts = {'aggregate': self._asked(episodes=folder, output=dataset)}
        for name, question in (('cold', {'episodes': folder}),
                               ('aggregated', {'dataset': dataset})):
            self._say('loading')
            forget([*episodes_in(folder), Path(dataset)])
            parts[name] = self._asked(**question)
        report = {'steps': parts['cold']['steps'], 'episodes': len(paths),
                  'episode_bytes': size_bytes, 'dataset_bytes': Path(dataset).stat().st_size,
                  'made': f'{len(self._originals)} recorded episodes, copied under new ids'}
        for name, part in parts.items():
            report |= {f'{name}_s': part['seconds'], f'{name}_peak_mib': part['peak_mib']}
        return report

    def _asked(self, **question) -> dict:
        """Let a fresh process load, aggregate or train."""
        with Child(('-m', 'benchmarks.loading')) as child:
            return child.ask(**question)

    def _graph(self, kind: str, policy: str, mode: str, rate_hz: float) -> Child:
        return Child((
            '-m', 'benchmarks.graph', kind, '--task', self._task,
            '--policy', str(self._folder / policy), '--mode', mode, '--rate', str(rate_hz),
            '--runs', str(self._folder / f'{kind}-{policy}')))


def demonstrate(task: str, episodes: int) -> Demonstrations:
    """Return what the expert does in the first episodes."""
    environment = Environment(task)
    expert = make_expert(task, environment.contract)
    observations, actions = [], []

    def act(_: int, observation: Observation) -> np.ndarray:
        observations.append(observation)
        actions.append(expert.act(observation))
        return actions[-1]

    for seed in range(episodes):
        run_episode(environment, act, seed)
    environment.close()
    return Demonstrations(np.array(observations), np.array(actions), environment.contract)


def training(data: Demonstrations, config: TrainConfig, size: Size) -> dict:
    """Let fit and bare loop take turns, and compare them."""
    fits, bares = [], []
    for _ in range(size.slices):
        bares.append(bare_seconds(data, config))
        fits.append(fit_seconds(data, config))
    return {'steps_per_s': config.steps * len(fits) / sum(fits),
            'bare_steps_per_s': config.steps * len(bares) / sum(bares),
            'ratio': statistics.median(bare / own for own, bare in zip(fits, bares)),
            'hidden': config.hidden, 'batch': config.batch, 'pairs': len(data)}


def pooled(slices: list[dict]) -> dict:
    """Return all slices as one, and each one's rate."""
    total = {key: sum(part[key] for part in slices) for key in ('steps', 'seconds')}
    report = {**total, 'steps_per_s': total['steps'] / total['seconds'],
              'slices_steps_per_s': [part['steps'] / part['seconds'] for part in slices]}
    if 'wall_s' in slices[0]:
        wall_s = sum(part['wall_s'] for part in slices)
        report['steps_per_s_with_resets'] = total['steps'] / wall_s
    return report


def median_ratio(ones: list[dict], others: list[dict]) -> float:
    """Return the median over the slices of the one's rate over the other's."""
    def rate(part: dict) -> float:
        return part['steps'] / part['seconds']
    return statistics.median(rate(one) / rate(other) for one, other in zip(ones, others))
