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

"""The graph that a command line asks for; refused here what the graph would refuse later."""

import argparse
import os

from il_ros.errors import CommandError
from il_ros.graph.graph_options import GRAPH, GraphOptions, PROCESS
from il_ros.sim.options import task_options
from il_ros.tasks.biased import bias_of
from il_ros.tasks.registry import make_task


def graph_options(args: argparse.Namespace) -> GraphOptions | None:
    """
    Return the graph that a command is to compose; None: it attaches to one that runs.

    :raises ImitationError: if options contradict each other, or the task does not have them
    """
    streams = ','.join(getattr(args, 'stream', ()))
    require_streams = getattr(args, 'require_streams', False)
    if require_streams and not streams:
        raise CommandError('--require-streams is given, but no stream to require; name one with '
                           '--stream TOPIC:TYPE')
    if args.attach:
        if args.contract:
            raise CommandError(f'--contract is {args.contract!r}; the graph that --attach uses '
                               'has its contract already')
        if bias_of(args.options):
            raise CommandError(f'--options is {args.options!r}; the graph that --attach uses '
                               'has its expert already')
        if streams:
            raise CommandError(f'--stream is {streams!r}; the graph that --attach uses has its '
                               'streams already')
        for name in ('workers', 'evaluate_over', 'cluster'):
            if getattr(args, name, None) is not None:
                raise CommandError(f'--{name.replace("_", "-")} is {getattr(args, name)!r}; the '
                                   'graph that --attach uses has its arms already')
        return None
    task_options(make_task(args.task), args.options)
    teleop = getattr(args, 'teleop', '')
    one = bool(teleop or args.gui)
    if one and (args.workers or 1) > 1:
        raise CommandError(f'--workers is {args.workers} with '
                           f'{"--teleop" if teleop else "--gui"}; expected 1, the arm that is '
                           'seen')
    if args.cluster and (one or args.workers):
        raise CommandError(f'--cluster is {args.cluster!r} with '
                           f'{"a window or a person" if one else "--workers"}; expected one of '
                           'them: a cluster has as many cells as CPUs')
    return GraphOptions(
        task=args.task, runs=args.runs, contract=args.contract, options=args.options,
        teleop=teleop, mapping=getattr(args, 'mapping', ''), streams=streams,
        require_streams=require_streams, mode='realtime' if teleop else 'lockstep',
        gui=args.gui or bool(teleop and os.environ.get('DISPLAY') and not args.no_gui),
        training=args.call in ('dagger', 'demo'),
        cluster=args.cluster or '',
        workers=args.workers or (1 if one else len(os.sched_getaffinity(0))),
        evaluate_over=getattr(args, 'evaluate_over', None) or (GRAPH if one else PROCESS))
