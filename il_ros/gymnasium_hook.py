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
Gymnasium environments: registered as soon as both il_ros and Gymnasium are imported.

``import il_ros`` must stay cheap, and importing Gymnasium costs more than that. So where it is
imported already, the environments are registered at once, and else right after its own import: by
a finder for this one module, which leaves ``sys.meta_path`` when it has done its work.
"""

import importlib
import sys

GYMNASIUM = 'gymnasium'


def register_with_gymnasium():
    """Register the environments now, or as soon as Gymnasium has been imported."""
    if GYMNASIUM in sys.modules:
        _register()
    elif not any(isinstance(finder, GymnasiumFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, GymnasiumFinder())


def _register():
    # Importing it registers; who imports it first has begun that already.
    importlib.import_module('il_ros.sim.registration')


class GymnasiumFinder:
    """Finds Gymnasium as all the others do, and lets the environments be registered after it."""

    def find_spec(self, name, path=None, target=None):
        """Return the spec of Gymnasium with our loader around its own; None for all else."""
        if name != GYMNASIUM:
            return None
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, 'find_spec'):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    # A namespace package has no loader; it is not the library.
                    spec.loader = spec.loader and RegisteringLoader(spec.loader, self)
                    return spec
        return None


class RegisteringLoader:
    """
    Loads Gymnasium with its own loader, then registers.

    :param loader: the module's own loader, which it has again afterwards
    :param finder: removed from ``sys.meta_path`` once Gymnasium is loaded
    """

    def __init__(self, loader, finder: GymnasiumFinder):
        self._loader, self._finder = loader, finder

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        """Return what the module's own loader creates."""
        return self._loader.create_module(spec)

    def exec_module(self, module):
        """Load the module; afterwards it looks as if nobody had waited for it."""
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        _register()
