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

"""Tables of the measurements: each figure beside its target."""

TARGETS = {
    'loop_ratio': ('at least', 0.8), 'composed_ratio': ('at least', 0.5),
    'processes_ratio': ('at least', 0.15), 'composed_p99_ms': ('at most', 10.0),
    'processes_p99_ms': ('at most', 10.0), 'training_ratio': ('at least', 0.9),
    'cold_s': ('at most', 3.0), 'aggregated_s': ('at most', 0.5)}
"""What the figures should reach on two cores with nothing else running."""


def format_report(report: dict) -> str:
    """Return the table of a ``bench.json``."""
    realtime, training, loading = report['realtime'], report['training'], report['loading']
    load = report['load_average']
    rows = [
        ('control steps a second, resets left out', '', ''),
        ('  physics and kinematics alone', _rate(report['bare']), ''),
        ('  Gymnasium loop in process', _rate(report['loop']), ''),
        ('    of physics and kinematics', *_ratio(report, 'loop_ratio')),
        ('  composed graph, recording', _rate(report['composed']), ''),
        ('    of the Gymnasium loop', *_ratio(report, 'composed_ratio')),
        ('  one process a node, recording', _rate(report['processes']), ''),
        ('    of the Gymnasium loop', *_ratio(report, 'processes_ratio')),
        (f'state to command at {realtime["rate_hz"]:.0f} Hz, p50 / p99', '', ''),
        *[(f'  {what}', f'{realtime[kind]["p50_ms"]:.1f} / {realtime[kind]["p99_ms"]:.1f} ms',
           _target(f'{kind}_p99_ms', realtime[kind]['p99_ms'], 'ms'))
          for kind, what in (('composed', 'composed graph'),
                             ('processes', 'one process a node'))],
        ('training steps a second', '', ''),
        ('  bare PyTorch loop', f'{training["bare_steps_per_s"]:.0f}', ''),
        ('  fit', f'{training["steps_per_s"]:.0f}', ''),
        ('    of the bare loop', f'{training["ratio"]:.2f}',
         _target('training_ratio', training['ratio'], '')),
        (f'loading {loading["steps"]:,} steps of {loading["episodes"]:,} episodes', '', ''),
        *[(f'  {what}', f'{loading[key]:.2f} s', _target(key, loading[key], 's'))
          for key, what in (('cold_s', 'cold, from the episodes'),
                            ('aggregated_s', 'from the aggregated file'))],
        (f'load average {load["start"][0]:.1f} to {load["end"][0]:.1f} on {report["cores"]} '
         'cores', '', '')]
    return '\n'.join(f'{what:46}{figure:>16}  {target}'.rstrip() for what, figure, target in rows)


def format_loading(report: dict) -> str:
    """Return the table of a ``bench_loading.json``."""
    loading, load = report['loading'], report['load_average']
    fit, gib = loading['fit'], 1024 ** 3
    rows = [(f'{loading["steps"]:,} steps of {loading["episodes"]:,} episodes', 'seconds', 'GiB'),
            *[(f'  {what}', f'{loading[f"{key}_s"]:.1f}', f'{loading[f"{key}_peak_mib"]/1024:.2f}')
              for key, what in (('cold', 'cold, from the episodes'), ('aggregate', 'aggregating'),
                                ('aggregated', 'from the aggregated file'))],
            (f'  that, and {fit["training_steps"]:,} steps of training', f'{fit["seconds"]:.1f}',
             f'{fit["peak_mib"] / 1024:.2f}'),
            ('on disk: the episodes', '', f'{loading["episode_bytes"] / gib:.2f}'),
            ('on disk: the aggregated file', '', f'{loading["dataset_bytes"] / gib:.2f}'),
            (f'load average {load["start"][0]:.1f} to {load["end"][0]:.1f} on {report["cores"]} '
             'cores', '', '')]
    return '\n'.join(f'{what:46}{figure:>10}{peak:>10}'.rstrip() for what, figure, peak in rows)


def _rate(part: dict) -> str:
    return f'{part["steps_per_s"]:.0f}'


def _ratio(report: dict, name: str) -> tuple[str, str]:
    return f'{report[name]:.2f}', _target(name, report[name], '')


def _target(name: str, value: float, unit: str) -> str:
    how, bound = TARGETS[name]
    reached = value >= bound if how == 'at least' else value <= bound
    return f'{how} {bound:g} {unit}'.rstrip() + ('' if reached else ': missed')
