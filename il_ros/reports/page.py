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

"""Report pages: jinja2 templates rendered to one file without outside references."""

import base64
import functools
from typing import NamedTuple


class Figure(NamedTuple):
    """A figure with its title."""

    title: str
    svg: str


def render(template: str, **values) -> str:
    """
    Return a page, or a part of one, as text.

    :param template: file in ``il_ros/reports/templates``
    :param values: what it shows; on a page plain text is escaped
    """
    return _environment().get_template(template).render(values)


@functools.cache
def _environment():
    # Loaded when the first page is made: commands that make none start faster without it.
    from jinja2 import Environment, PackageLoader, StrictUndefined
    environment = Environment(
        loader=PackageLoader('il_ros.reports'), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
        autoescape=lambda name: not name.endswith('.md.j2'))
    environment.filters['data_uri'] = data_uri
    return environment


def data_uri(content: str | bytes, media_type: str) -> str:
    """Return content as an address that holds it."""
    data = content.encode() if isinstance(content, str) else content
    return f'data:{media_type};base64,{base64.b64encode(data).decode()}'
