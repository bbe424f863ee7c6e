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
Start the processes of one fit by torchrun: ``python -m il_ros.learning.training_worker.launcher``.

What comes on standard input and goes to standard output is that of the process that leads, a
`worker`. If one of them dies, torchrun ends the others, and the last line on standard error says
which one it was. They meet by files; what they then send each other stays on the loopback device.
"""

import argparse
import logging
import os
from pathlib import Path
import signal
import sys
import tempfile

from il_ros.processes.child import watched

_WORKER = 'il_ros.learning.training_worker.worker'

_LOOPBACK = {'GLOO_SOCKET_IFNAME': 'lo', 'NCCL_SOCKET_IFNAME': 'lo',
             # Else torchrun opens a port of its own, on all devices of the machine.
             'TORCH_DISABLE_SHARE_RDZV_TCP_STORE': '1'}


def main(args: list[str] | None = None) -> int:
    """Run the processes until all have ended."""
    parser = argparse.ArgumentParser(prog='python -m il_ros.learning.training_worker.launcher',
                                     description='Start the processes of one fit.')
    parser.add_argument('--processes', type=int, required=True, metavar='K',
                        help='number of processes')
    parser.add_argument('--nice', type=int, default=10, metavar='N',
                        help='how much they give way to other processes, 0 to 19')
    options = parser.parse_args(args)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(_LOOPBACK)
    with tempfile.TemporaryDirectory(prefix='il_ros_fit_') as folder:
        return _launch(options.processes, options.nice, Path(folder))


def _launch(processes: int, nice: int, folder: Path) -> int:
    """Run them, say which one was killed first, if any was, and return the exit code."""
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import elastic_launch, LaunchConfig
    logging.getLogger('torch.distributed').setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=processes, max_restarts=0,
        run_id='fit', rdzv_backend='c10d', rdzv_endpoint=str(folder / 'torchrun'),
        rdzv_configs={'store_type': 'file'}, local_addr='127.0.0.1')
    program, *words = watched((sys.executable, '-m', _WORKER, '--nice', str(nice),
                               '--meet', str(folder / 'processes')))
    try:
        elastic_launch(config, program)(*words)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode < 0:  # else it has said itself why it ended
            print(f'il_ros: process {rank} (pid {failure.pid}), one of the {processes} of this '
                  f'fit, was killed by {signal.Signals(-failure.exitcode).name}; the same '
                  'command resumes the fit', file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
