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

"""Throw-away packages with plug-ins: as if installed, in a folder that is on the path."""

from collections.abc import Mapping
from pathlib import Path


def write_package(folder: Path, name: str, points: Mapping[str, Mapping[str, str]],
                  modules: Mapping[str, str]):
    """
    Write what an installation leaves behind.

    :param points: targets by name, by kind of plug-in
    :param modules: source by module name
    """
    info = folder / f'{name}-1.0.dist-info'
    info.mkdir(parents=True)
    (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(''.join(
        f'[il_ros.{kind}]\n' + ''.join(f'{one} = {target}\n' for one, target in targets.items())
        for kind, targets in points.items()))
    for module, source in modules.items():
        (folder / f'{module}.py').write_text(source)
