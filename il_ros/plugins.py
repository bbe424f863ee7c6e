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
Plug-ins: tasks, experts, robots, policies and strategies, built in or of other packages.

A package adds one by an entry point (``il_ros.tasks``, ``il_ros.experts``, ...) in its
``setup.py``; ``module:Object`` is understood wherever a name is. Names travel as text, in
messages, files and command lines, and each process resolves them for itself: from what is
installed, and from ``PYTHONPATH``, which child processes inherit. Nothing is imported before it
is asked for. A name of the form ``module:Object`` that comes out of a recording or a message is
refused unless it was ``trust``-ed: by a command line, a node's parameter or a call from Python,
or in the environment variable ``IL_ROS_PLUGINS``. Whoever wrote a file must not choose what is
imported here.
"""

from collections.abc import Iterable
import dataclasses
import functools
import importlib
from importlib import metadata
import inspect
import logging
import os
from pathlib import Path
import sys
import traceback
from typing import Any

from il_ros.errors import ImitationError

KINDS = {'tasks': 'task', 'experts': 'expert', 'robots': 'robot', 'policies': 'policy',
         'strategies': 'strategy'}
"""Kinds of plug-ins: the group of their entry points without its prefix, and one of them."""

TRUSTED = 'IL_ROS_PLUGINS'
"""Environment variable: each ``module:Object`` that may be imported, with blanks between them."""

GROUP = 'il_ros.'
OURS = 'il_ros'

_MALFORMED = (AttributeError, KeyError, OSError, TypeError, ValueError)
"""What the standard library raises for a file of entry points that is none."""

BUILT_IN = {
    'tasks': {
        'reach': 'il_ros.tasks.reach.task:Reach',
        'push': 'il_ros.tasks.push.task:Push',
        'pick_place': 'il_ros.tasks.pick_place.task:PickPlace',
        'stack': 'il_ros.tasks.stack.task:Stack',
        'insert': 'il_ros.tasks.insert.task:Insert',
        'tower': 'il_ros.tasks.tower.task:Tower',
        'lay': 'il_ros.tasks.lay.task:Lay'},
    'experts': {
        'reach': 'il_ros.tasks.reach.expert:ReachExpert',
        'push': 'il_ros.tasks.push.expert:PushExpert',
        'pick_place': 'il_ros.tasks.pick_place.expert:PickPlaceExpert',
        'stack': 'il_ros.tasks.stack.expert:StackExpert',
        'insert': 'il_ros.tasks.insert.expert:InsertExpert',
        'tower': 'il_ros.tasks.tower.expert:TowerExpert',
        'lay': 'il_ros.tasks.lay.expert:LayExpert'},
    'robots': {
        'panda': 'il_ros.robots.shipped:PANDA',
        'xarm6': 'il_ros.robots.shipped:XARM6',
        'iiwa': 'il_ros.robots.shipped:IIWA'},
    'policies': {
        'mlp': 'il_ros.learning.nets.mlp:Mlp',
        'cnn': 'il_ros.learning.nets.cnn:Cnn'},
    'strategies': {
        'dagger': 'il_ros.interactive.strategies:Dagger',
        'gated': 'il_ros.interactive.strategies:Gated',
        'corrections': 'il_ros.interactive.strategies:Corrections',
        'novelty': 'il_ros.interactive.strategies:Novelty',
        'human': 'il_ros.interactive.strategies:Human',
        'dart': 'il_ros.interactive.strategies:Dart',
        'shift': 'il_ros.interactive.strategies:ShiftedDemonstrations'}}
"""The entry points of our own ``setup.py``, so that they work without an installation, too."""


class PluginError(ImitationError):
    """A plug-in that cannot be imported; the sentence names its package and says why."""


class UnknownPluginError(PluginError):
    """A name that no package gives; the sentence lists those that there are."""


class UntrustedPluginError(PluginError):
    """A ``module:Object`` that nobody here has asked for."""


@dataclasses.dataclass(frozen=True)
class Plugin:
    """What is known of a plug-in before it is imported."""

    kind: str
    name: str
    target: str
    """``module:Object``."""

    package: str
    """Distribution that gives it; empty: named by its target alone."""

    def load(self):
        """
        Import and return the object.

        :raises PluginError: if that fails, whatever the reason in the other package's code
        """
        module, _, attribute = self.target.partition(':')
        if not (module and attribute):
            raise PluginError(f'{self} is {self.target!r}; expected module:Object')
        try:
            found = importlib.import_module(module)
            for part in attribute.split('.'):
                found = getattr(found, part)
        # Code of others may raise anything at its import, and may want to end the process.
        except (Exception, SystemExit) as error:
            raise PluginError(f'{self}: {self.target} cannot be imported: '
                              f'{type(error).__name__}: {error}{_place(error)}'
                              f'{_remedy(module, error)}'
                              ) from error
        return found

    def load_class(self, base: type) -> Any:
        """
        Import and return a class.

        :raises PluginError: if that fails, or it is no subclass of ``base`` that can be made
        """
        found = self.load()
        if not (isinstance(found, type) and issubclass(found, base)):
            raise PluginError(f'{self}: {self.target} is {found!r}; expected a subclass of '
                              f'{base.__module__}.{base.__qualname__}')
        if inspect.isabstract(found):
            missing = ', '.join(sorted(vars(found)['__abstractmethods__']))
            raise PluginError(f'{self}: {self.target} does not define {missing}; '
                              f'{base.__module__}.{base.__qualname__} says what they do')
        return found

    def __str__(self):
        source = f' of the package {self.package}' if self.package else ''
        return f'{KINDS[self.kind]} {self.name!r}{source}'


def _place(error: BaseException) -> str:
    """Say which line of the other package raised an error, if one did."""
    ours = (__file__, importlib.__file__)
    lines = [one for one in traceback.extract_tb(error.__traceback__)
             if one.filename not in ours and Path(one.filename).is_file()]
    return f', raised in {lines[-1].filename}, line {lines[-1].lineno}' if lines else ''


def _remedy(module: str, error: BaseException) -> str:
    """Say what to do where the module itself is not found, rather than one that it needs."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    if name is None or not f'{module}.'.startswith(f'{name}.'):
        return ''
    return '; install it, or put its folder on PYTHONPATH, where child processes find it, too'


@functools.cache
def table(kind: str) -> dict[str, Plugin]:
    """Return the plug-ins of a kind by name, ours first; of two with one name the first counts."""
    found = {name: Plugin(kind, name, target, OURS) for name, target in BUILT_IN[kind].items()}
    for point in _entry_points(GROUP + kind):
        package = point.dist.name if point.dist else ''
        if (package or '').replace('-', '_') == OURS:
            continue
        plugin = Plugin(kind, point.name, point.value.partition('[')[0].strip(), package or '')
        if point.name in found:
            logging.getLogger(__name__).warning(
                '%s is ignored: %s has one of that name', plugin, found[point.name].package)
            continue
        found[point.name] = plugin
    return found


def _entry_points(group: str) -> Iterable[metadata.EntryPoint]:
    try:
        return metadata.entry_points(group=group)
    except _MALFORMED:
        return _readable_entry_points(group)


def _readable_entry_points(group: str) -> list[metadata.EntryPoint]:
    """Leave out packages whose entry_points.txt cannot be read, with a warning for each."""
    found: list[metadata.EntryPoint] = []
    known: set[str] = set()
    for package in metadata.distributions():
        name = package.metadata['Name']
        if name in known:
            continue
        known.add(name)
        try:
            found += package.entry_points.select(group=group)
        except _MALFORMED as error:
            _warn_once(f'plug-ins of the package {name} are ignored: its entry_points.txt cannot '
                       f'be read ({type(error).__name__}: {error}); install it again')
    return found


@functools.cache
def _warn_once(sentence: str):
    logging.getLogger(__name__).warning(sentence)


def find(kind: str, name: str) -> Plugin:
    """
    Return what is known of the plug-in that a name or ``module:Object`` means.

    :raises UnknownPluginError: if there is none
    :raises UntrustedPluginError: if it is a ``module:Object`` that nobody here has asked for
    """
    if ':' not in name:
        return find_named(kind, name)
    if name not in os.environ.get(TRUSTED, '').split():
        raise UntrustedPluginError(
            f'{KINDS[kind]} {name!r} is named by a file or a message, which may not choose what '
            f'is imported; if you trust it, set {TRUSTED}={name}')
    return Plugin(kind, name, name, '')


def trust(*names: str):
    """
    Let ``find`` import these, here and in child processes; names without a colon need no trust.

    For what a user has asked for: words of a command line, parameters of a node, calls. The name
    of a contract by images (``module:Task_image``) means its task.
    """
    known = os.environ.get(TRUSTED, '').split()
    new = [name.removesuffix('_image') for name in names
           if ':' in name and len(name.split()) == 1]
    if new:
        os.environ[TRUSTED] = ' '.join(dict.fromkeys((*known, *new)))


def find_named(kind: str, name: str) -> Plugin:
    """
    Return what is known of a plug-in of ours or of an installed package, never ``module:Object``.

    For names that need no choice by the user, such as the network of a checkpoint.

    :raises UnknownPluginError: if there is none
    """
    known = table(kind)
    if name not in known:
        raise UnknownPluginError(f'there is no {KINDS[kind]} {name!r}; there are '
                                 f'{", ".join(known)}')
    return known[name]


def file_beside(kind: str, name: str, file: str) -> Path | None:
    """
    Return the file of that name that lies beside the module of a class, or of one it extends.

    :returns: None: there is none
    :raises PluginError: if the class cannot be imported
    """
    for owner in getattr(find(kind, name).load(), '__mro__', ()):
        # A class of a notebook has no file.
        module = getattr(sys.modules.get(owner.__module__), '__file__', None)
        if module and (Path(module).parent / file).is_file():
            return Path(module).parent / file
    return None


def forget():
    """Look again what there is, as after an installation into a process that runs."""
    table.cache_clear()
    _warn_once.cache_clear()
