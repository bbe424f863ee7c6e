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
Where does behavioural cloning bend? BC and DAgger with as many labels, setting by setting.

``python tools/where_bc_bends.py --publish docs/results/where_bc_bends`` runs ``il_ros dagger`` for
each setting, one training seed, and writes a table. Runs that have a summary are not run again.
The strategies and budgets are those named here, chosen before any of the runs.
"""

import argparse
import json
from pathlib import Path
import shlex
import subprocess
import sys
from typing import NamedTuple

from il_ros.errors import ImitationError
from il_ros.experiments.provenance import commit_of_this
from il_ros.files.atomic import write_atomically
from il_ros.files.share import share_path
from il_ros.reports.table import Table
import yaml

BUMPS = '{"bumps": {"rate": 0.04, "speed": 0.5}}'


class Setting(NamedTuple):
    """One row: what is different, and the words of ``il_ros dagger`` that make it so."""

    name: str
    what: str
    words: str
    loss: str = ''
    """Of both learners; empty: mse."""


PUSH = '--task push --strategy corrections --rounds 6 --episodes-per-round 10 '
SETTINGS = (
    Setting('push', 'push', PUSH),
    Setting('push-huber', 'push, Huber loss', PUSH, 'huber'),
    Setting('push-nll', 'push, log loss (Gaussian)', PUSH, 'nll'),
    Setting('push-mixture', 'push, log loss (mixture of Gaussians)', PUSH, 'mixture'),
    Setting('push-bins', 'push, log loss (cross-entropy over bins)', PUSH, 'cross_entropy'),
    Setting('push-few', 'push, 3 demonstrations', PUSH + '--demonstrations 3'),
    Setting('push-bumps', 'push, 4 % of the steps bumped', PUSH + f"--options '{BUMPS}'"),
    Setting('push-image', 'push, from a 64x64 image', '--task push --strategy corrections '
            '--contract push_image --rounds 4 --episodes-per-round 15'),
    Setting('reach', 'reach', '--task reach --strategy dagger --rounds 4 --episodes-per-round 5 '
            '--demonstrations 5'),
    Setting('pick-place', 'pick_place', '--task pick_place --strategy gated --demonstrations 6 '
            '--rounds 11 --episodes-per-round 2'),
    Setting('pick-place-bumps', 'pick_place, 4 % of the steps bumped',
            '--task pick_place --strategy gated --demonstrations 6 --rounds 11 '
            f"--episodes-per-round 2 --options '{BUMPS}'"),
    Setting('insert', 'insert', '--task insert --strategy gated --demonstrations 6 --rounds 8 '
            '--episodes-per-round 2'),
    Setting('stack', 'stack', '--task stack --strategy gated --demonstrations 8 --rounds 8 '
            '--episodes-per-round 2'),
    Setting('tower', 'tower (three cubes, about 100 steps)', '--task tower --strategy gated '
            '--demonstrations 8 --rounds 8 --episodes-per-round 2'),
)

HEADINGS = ('setting', 'asked by', 'expert', 'BC at first', 'BC, as many labels',
            'DAgger, last round', 'queries', 'watched', 'driven by the policy',
            'failures of BC to DAgger', 'verdict')
ENOUGH = 0.95
"""Of the expert's success: above it BC is called enough."""


class BendError(ImitationError):
    """A run that ended without a result."""


def run(setting: Setting, words: argparse.Namespace) -> dict:
    """
    Run a setting, unless it has a summary, and return that.

    :raises BendError: naming the setting whose run failed
    """
    folder = Path(words.runs) / f'bend-{setting.name}-{words.seed}-{words.episodes}'
    if not (folder / 'summary.json').exists():
        command = [sys.executable, '-m', 'il_ros.cli', 'dagger', *shlex.split(setting.words),
                   '--run', folder.name, '--runs', words.runs, '--evaluation-episodes', '0',
                   '--final-evaluation-episodes', str(words.episodes), '--seed', str(words.seed)]
        if (folder / 'run.json').exists():
            command.append('--resume')
        if setting.loss:
            config = Path(words.runs) / f'{folder.name}.yaml'
            config.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(config, yaml.safe_dump(settings_of(setting)).encode())
            command += ['--config', str(config)]
        if subprocess.run(command).returncode:
            raise BendError(f'{setting.name} failed; run the same again to go on with it')
    return json.loads((folder / 'summary.json').read_text())


def settings_of(setting: Setting) -> dict:
    """Return the package's own settings with another loss, as ``--config`` takes them."""
    words = shlex.split(setting.words)
    strategy, task = (words[words.index(f'--{name}') + 1] for name in ('strategy', 'task'))
    training = yaml.safe_load(share_path('config', 'training', f'{task}.yaml').read_text())
    return {'strategy': yaml.safe_load(
        share_path('config', 'strategies', f'{strategy}.yaml').read_text()),
        'training': {**training, 'loss': setting.loss}}


def row(setting: Setting, summary: dict) -> tuple[str, ...]:
    """Return the cells of one setting."""
    last, cloned = summary['rounds'][-1], summary['bc_same_labels']
    of_dagger, of_bc = last['success'], cloned['success']
    failures = of_dagger['n'] - of_dagger['k'], of_bc['n'] - of_bc['k']
    ratio = f'{failures[1] / failures[0]:.1f}' if failures[0] else f'{failures[1]} to 0'
    driven = sum(one['policy_driven_steps'] for one in summary['rounds'])
    return (setting.what, summary['strategy'], _success(summary['expert']),
            f'{_success(summary["bc"]["success"])} at {summary["bc"]["labels"]}',
            f'{_success(of_bc)} at {cloned["labels"]}',
            f'{_success(of_dagger)} at {last["labels"]}',
            str(last['queries']), str(last['watched']), str(driven), ratio,
            verdict(summary['expert'], of_bc, of_dagger))


def verdict(expert: dict, cloned: dict, dagger: dict) -> str:
    """Return what the intervals carry, and no more."""
    if dagger['low'] > cloned['high']:
        said = 'DAgger is better'
    elif cloned['low'] > dagger['high']:
        said = 'BC is better'
    else:
        said = 'no difference beyond chance'
    if cloned['rate'] >= ENOUGH * expert['rate']:
        said += '; BC is enough'
    return said


def _success(found: dict) -> str:
    return f'{100 * found["rate"]:.3g} % ({100 * found["low"]:.0f}–{100 * found["high"]:.0f})'


def page(table: list[tuple[str, ...]], words: argparse.Namespace) -> str:
    """Return the table with how it was made (Markdown)."""
    command = f'python tools/where_bc_bends.py --episodes {words.episodes} --seed {words.seed}'
    return '\n'.join([
        '# Where does BC bend?', '', '```bash', command, '```', '',
        f'* Commit: {commit_of_this()}',
        f'* One training seed ({words.seed}); {words.episodes} held-out resets a policy, the '
        'same for all, 95 % Wilson intervals; the last round, never the best. Strategy and '
        'budget of each setting were fixed before the runs. BC has whole demonstrations with '
        'labels nearest to those of the last round, the same net, inputs and loss.',
        f'* "BC is enough": its success is at least {ENOUGH:g} of the expert\'s. "Better": the '
        'intervals do not meet.', '',
        Table(HEADINGS, table).markdown(), ''])


def main() -> int:
    """Run what is missing and print, or publish, the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n\n')[0])
    parser.add_argument('--runs', default='runs', help='folder of the runs (runs)')
    parser.add_argument('--episodes', type=int, default=200, help='held-out resets (200)')
    parser.add_argument('--seed', type=int, default=0, help='of the training (0)')
    parser.add_argument('--only', nargs='*', metavar='NAME', default=(),
                        choices=[setting.name for setting in SETTINGS],
                        help='run these settings alone, of '
                        + ', '.join(setting.name for setting in SETTINGS))
    parser.add_argument('--publish', metavar='DIR', help='write README.md there')
    words = parser.parse_args()
    if words.only and words.publish:
        parser.error('--publish is for the whole table; leave --only out')
    table = []
    for setting in SETTINGS:
        if not words.only or setting.name in words.only:
            try:
                table.append(row(setting, run(setting, words)))
            except BendError as error:
                print(f'where_bc_bends: {error}', file=sys.stderr)
                return 1
    text = page(table, words)
    print(text)
    if words.publish:
        Path(words.publish).mkdir(parents=True, exist_ok=True)
        write_atomically(Path(words.publish) / 'README.md', text.encode())
    return 0


if __name__ == '__main__':
    sys.exit(main())
