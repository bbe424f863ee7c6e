#!/usr/bin/env python3
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
Draw the figure of the README from the recorded numbers of the study on ``push``.

``python tools/success_curve.py`` reads docs/results/push/points.csv and writes
docs/results/success.svg: success against labels, for corrections and for BC.
"""

import csv
from pathlib import Path

import matplotlib

ROOT = Path(__file__).resolve().parent.parent
POINTS = ROOT / 'docs' / 'results' / 'push' / 'points.csv'
FIGURE = ROOT / 'docs' / 'results' / 'success.svg'
MOST_LABELS = 1250
METHODS = (('BC', '#c0504d', 'o', 'BC: more demonstrations'),
           ('corrections', '#1f5fa8', 's', 'corrections (DAgger family)'))


def curves(method: str) -> dict[str, list[tuple[float, ...]]]:
    """Return labels, success and its interval in percent, by training seed."""
    found = {}
    with open(POINTS, newline='') as file:
        for row in csv.DictReader(file):
            if row['method'] == method and int(row['labels']) <= MOST_LABELS:
                rates = (100 * float(row[key]) for key in (
                    'success', 'success_low', 'success_high'))
                found.setdefault(row['seed'], []).append((int(row['labels']), *rates))
    return {seed: sorted(points) for seed, points in found.items()}


def draw():
    """Write the figure."""
    matplotlib.use('svg')
    from matplotlib import pyplot
    matplotlib.rcParams.update({'svg.fonttype': 'none', 'svg.hashsalt': 'il_ros',
                                'font.family': 'sans-serif', 'font.size': 10})
    figure, axes = pyplot.subplots(figsize=(7, 3.6), layout='constrained')
    for method, colour, marker, label in METHODS:
        for points in curves(method).values():
            labels, success, low, high = zip(*points)
            bars = ([a - b for a, b in zip(success, low)], [b - a for a, b in zip(success, high)])
            axes.errorbar(labels, success, bars, color=colour, marker=marker, markersize=3.5,
                          linewidth=1.2, elinewidth=0.6, alpha=0.75, label=label)
            label = None
    axes.axhline(100, color='#666666', linewidth=0.8, linestyle='--')
    axes.text(MOST_LABELS, 100.8, 'expert', ha='right', color='#666666')
    axes.set(xlabel='labels given by the expert', ylabel='success on held-out episodes (%)',
             xlim=(150, MOST_LABELS), ylim=(20, 105))
    axes.grid(alpha=0.25)
    axes.legend(loc='lower right', frameon=False)
    figure.savefig(FIGURE, metadata={'Date': None, 'Creator': None})


if __name__ == '__main__':
    draw()
