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
The executables of the nodes, one function each, as setup.py names them.

A node's module imports the typed interfaces at its top. Where they are not built or not sourced,
this module, which imports nothing of the kind, says so in one sentence.
"""

from collections.abc import Callable
import functools
import importlib
import os
import signal
import threading

EXECUTABLES = ('simulator', 'operator_task', 'observer', 'policy', 'expert', 'supervisor',
               'recorder', 'teleop', 'collector', 'trainer', 'coordinator', 'gripper', 'graph')


def require_interfaces() -> None:
    """
    Stop the process with one sentence unless the interface package can be used.

    :raises SystemExit: with the sentence, where the package is missing or does not load
    """
    try:
        # The bare package "imports" from the repository's root even where it was never built.
        importlib.import_module('il_ros_interfaces.msg')
    except ImportError as error:
        raise SystemExit(
            f'il_ros: the package il_ros_interfaces is not built or not sourced ({error}); '
            'build it with make setup, or in a workspace with colcon build, and source '
            'install/setup.bash') from None


def class_of(name: str) -> str:
    """Return the name of the class of a node, by the name of its executable."""
    return f'{name.title().replace("_", "")}Node'


def _leave(*_):
    # Before the node is built and after it is gone there is nothing to put in order.
    os._exit(0)


def _run(name: str, args=None) -> int:
    """Run a node, or the whole graph, until a signal, which is no error at any moment."""
    _on_signals(_leave)
    require_interfaces()
    if name == 'graph':
        code = importlib.import_module('il_ros.graph.graph').main(args)
    else:
        module = importlib.import_module(f'il_ros.nodes.{name}')
        code = importlib.import_module('il_ros.ros.runtime').run(
            getattr(module, class_of(name)), args)
    # The interpreter that ends would put its own handler back, but leaves this as it is.
    _on_signals(signal.SIG_IGN)
    return code


def _on_signals(handler):
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handler)


def __getattr__(name: str) -> Callable[..., int]:
    if name not in EXECUTABLES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return functools.partial(_run, name)
