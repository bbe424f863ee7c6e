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

"""``il_ros compare``: two policies on the same held-out episodes, until the answer is sure."""

import argparse
import json
from pathlib import Path

from il_ros.api.comparison import compare as compare_policies, Comparison
from il_ros.api.environments import make_env
from il_ros.contract.options import read_options
from il_ros.errors import CommandError
from il_ros.evaluation.paired import Pairs
from il_ros.files.atomic import write_atomically
from il_ros.files.folders import require_place
from il_ros.learning import checkpoint
from il_ros.learning.places import find_policy
from il_ros.learning.policy import Policy
from il_ros.progress import Progress
from il_ros.sim.environment import Environment
from il_ros.tasks.contracts import is_file, task_of


def compare(args: argparse.Namespace) -> int:
    """Compare two policies and print the answer."""
    if args.json:
        require_place(Path(args.json), '--json', CommandError)
    options = read_options(args.options, CommandError, '--options')
    places = [find_policy(Path(args.runs), text) for text in (args.a, args.b)]
    policies = [checkpoint.load(place) for place in places]
    if policies[0].sha256 == policies[1].sha256:
        raise CommandError(f'A and B are the same checkpoint, {places[0]} and {places[1]}; '
                           'expected two')
    for name, place in zip('AB', places):
        print(f'{name}: {place}')
    found = _compared(args, policies, options)
    if args.json:
        report = comparison_report(args, found, places, policies)
        write_atomically(Path(args.json), (json.dumps(report, indent=1) + '\n').encode())
    pairs = found.pairs
    print(f'{pairs.both} episodes both succeed, {pairs.only_a} A alone, {pairs.only_b} B alone, '
          f'{pairs.neither} neither')
    print(found)
    return 0


def _compared(args: argparse.Namespace, policies: list[Policy], options: dict) -> Comparison:
    env, found = _environment(args), None
    progress = Progress('comparing', args.episodes, 'episode')

    def tell(pairs: Pairs):
        progress.reach(pairs.episodes)
        progress.note(f'A alone {pairs.only_a}, B alone {pairs.only_b}')
    try:
        found = compare_policies(
            *policies, env=env, episodes=args.episodes,
            smallest_difference=args.smallest_difference / 100.0, first_seed=args.first_seed,
            horizon=args.horizon, options=options, progress=tell)
    finally:
        progress.close(quiet=found is None)
    return found


def _environment(args: argparse.Namespace) -> Environment | None:
    """Return the environment that the command line asks for; None: that of the policies."""
    if not (args.task or args.contract):
        return None
    if not args.task and is_file(args.contract):
        raise CommandError(f'--contract is {args.contract!r}, a file; name its task, too: --task')
    return make_env(args.task or task_of(args.contract), contract=args.contract or None)


def comparison_report(args: argparse.Namespace, found: Comparison, places: list[Path],
                      policies: list[Policy]) -> dict:
    """Return what ``compare --json`` writes."""
    named = {name: {'policy': str(place), 'sha256': policy.sha256, 'successes': rate.k}
             for name, place, policy, rate in zip('ab', places, policies, found.pairs.rates)}
    return {'task': found.task, **named, **found.pairs.as_dict(),
            'first_seed': args.first_seed, 'horizon': args.horizon, 'options': args.options,
            'outcomes': [{'seed': seed, 'a': a, 'b': b}
                         for seed, (a, b) in found.outcomes.items()]}
