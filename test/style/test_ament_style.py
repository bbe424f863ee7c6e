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

"""The style that ament's own linters ask for, and the licence in every file."""

from pathlib import Path
import re
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = [str(ROOT / place) for place in (
    'il_ros', 'benchmarks', 'examples', 'launch', 'test', 'tools', 'setup.py')
    if (ROOT / place).exists()]
HEADER = (ROOT / 'il_ros' / 'errors.py').read_text().partition('\n\n')[0].splitlines()
SOURCES = sorted(
    path for place in PLACES for path in ([Path(place)] if place.endswith('.py')
                                          else Path(place).rglob('*.py')))


@pytest.mark.lint
def test_the_code_passes_ament_flake8():
    pytest.importorskip('ament_flake8.main', reason='needs ament_flake8: make lint')
    # flake8 forks its workers, which the threads of a process that met DDS do not survive.
    done = subprocess.run([sys.executable, '-m', 'ament_flake8.main', *PLACES], cwd=ROOT,
                          capture_output=True, text=True)
    found = re.findall(r'^\S+\.py:\d+:\d+: .*$', done.stdout, re.MULTILINE)
    assert done.returncode == 0, '\n'.join(found) or done.stderr


@pytest.mark.lint
def test_the_docstrings_pass_ament_pep257(capsys):
    main = pytest.importorskip('ament_pep257.main', reason='needs ament_pep257: make lint').main
    code = main(argv=PLACES)
    shown = capsys.readouterr()
    assert code == 0, '\n'.join(
        line for line in (shown.out + shown.err).splitlines() if ': D' in line)


def test_ament_copyright_recognises_the_licence():
    main = pytest.importorskip(
        'ament_copyright.main', reason='needs an installed ROS: make test-launch').main
    assert main(argv=PLACES) == 0


def test_ament_xmllint_accepts_the_manifests():
    main = pytest.importorskip(
        'ament_xmllint.main', reason='needs an installed ROS: make test-launch').main
    assert main(argv=[str(ROOT / 'package.xml'), str(ROOT / 'il_ros_interfaces')]) == 0


def test_every_file_with_code_begins_with_the_licence():
    without = []
    for path in SOURCES:
        lines = [line for line in path.read_text().splitlines() if not line.startswith('#!')]
        if lines and lines[:len(HEADER)] != HEADER:
            without.append(str(path.relative_to(ROOT)))
    assert not without
