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

"""Settings of the documentation site, which ``make docs`` builds with Sphinx and MyST."""

from pathlib import Path
import re
import sys
import types
import typing

from sphinx.ext.autodoc.mock import _MockObject

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

project = 'il_ros'
author = 'il_ros contributors'
release = re.search(r'<version>(.+?)</version>', (ROOT / 'package.xml').read_text())[1]
extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinxcontrib.mermaid']
html_theme = 'furo'
html_title = f'il_ros {release}'

myst_fence_as_directive = ['mermaid']
myst_heading_anchors = 3
autodoc_default_options = {'members': True, 'member-order': 'bysource'}
autodoc_typehints = 'description'
autodoc_mock_imports = ['gymnasium', 'h5py', 'mcap', 'mcap_ros2', 'pybullet', 'safetensors',
                        'torch']
"""What the documented modules import and this environment does without."""

# The path of a module's data has to be a path, which a mock is not.
sys.modules['pybullet_data'] = types.SimpleNamespace(getDataPath=lambda: '')


def show_plain_types(app, found, bound_method):
    """Show ``int`` where an annotation is ``Annotated[int, Meta(ge=1)]``."""
    name = getattr(found, '__qualname__', '').partition('.')[0]
    module = sys.modules.get(getattr(found, '__module__', None))
    for owner in (found, getattr(module, name, found)):
        if 'Annotated' in str(getattr(owner, '__annotations__', '')):
            owner.__annotations__ = typing.get_type_hints(owner)


def setup(app):
    """Connect to Sphinx."""
    app.connect('autodoc-before-process-signature', show_plain_types)


# An annotation ``torch.nn.Sequential | Ensemble`` is evaluated when its module is imported.
_MockObject.__or__ = lambda self, _: self
