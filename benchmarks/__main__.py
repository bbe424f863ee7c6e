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

"""Command line of the measurements: ``python -m benchmarks`` from the root of the repository."""

import argparse
from collections.abc import Sequence
import sys

from benchmarks.command import bench
from il_ros.cli.arguments.option_types import whole_number
from il_ros.errors import ImitationError


def parse(args: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='benchmarks', description='Measure the loop, its latency, training and loading.')
    add = parser.add_argument
    add('--task', default='push', help='name of a task (default: %(default)s)')
    add('--runs', default='runs', help='folder of bench.json (default: %(default)s)')
    add('--quick', action='store_true',
        help='check that everything runs, in a minute; the figures mean nothing')
    add('--only', choices=('loading',),
        help='measure loading alone, and training on all that was loaded, with the memory that '
             'each takes; writes bench_loading.json')
    add('--pairs', type=whole_number(0), default=0,
        help='recorded steps to load (default: 100,000), e.g. 1080000: ten hours at 30 frames a '
             'second')
    return parser.parse_args(args)


def main(args: Sequence[str] | None = None) -> int:
    """Run the measurements and return the exit code."""
    try:
        return bench(parse(args))
    except ImitationError as error:
        print(f'benchmarks: {error}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main())
