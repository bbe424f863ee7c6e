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


"""``make test-launch``: what is missing is said in one sentence before any test runs."""

from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPOSITORIES = {
    'launch': ('launch', 'launch_xml', 'launch_yaml'), 'launch_ros': ('launch_ros',),
    'osrf_pycommon': ('osrf_pycommon',)}


def refused(*words: str) -> str:
    """Run the tool, which must refuse, with a Python that has no ROS; return what it says."""
    done = subprocess.run(
        [sys.executable, '-S', str(ROOT / 'tools' / 'launch_tests.py'), *words],
        capture_output=True, text=True, timeout=60, env={'PATH': '/usr/bin:/bin', 'HOME': '/'})
    assert (done.returncode, done.stdout, done.stderr.count('\n')) == (1, '', 1), done.stderr
    return done.stderr


@pytest.fixture
def clones(tmp_path) -> Path:
    """Return a folder like one that holds the clones."""
    for repository, packages in REPOSITORIES.items():
        for name in packages:
            package = tmp_path / repository / (name if name != 'osrf_pycommon' else '.') / name
            package.mkdir(parents=True)
            (package / '__init__.py').touch()
            (package.parent / 'package.xml').touch()
    return tmp_path


def test_without_ros_and_without_sources_the_sentence_says_what_to_do(tmp_path):
    said = refused('--sources', '')
    assert 'does not find launch_ros' in said and 'LAUNCH_SOURCES=FOLDER' in said


def test_a_folder_of_sources_that_is_not_there_is_named(tmp_path):
    assert f'{tmp_path}/none, which is no folder' in refused('--sources', f'{tmp_path}/none')


def test_a_package_that_the_sources_lack_is_named_with_its_repository(clones):
    (clones / 'launch_ros' / 'launch_ros' / 'package.xml').unlink()
    assert f'{clones} lacks launch_ros (ros2/launch_ros);' in refused('--sources', str(clones))
