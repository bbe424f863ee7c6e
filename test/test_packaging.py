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

"""What is installed, and that the manifests, the set-up and the tree agree."""

import ast
import functools
import json
import os
from pathlib import Path
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from il_ros.graph import executables
import pytest

ROOT = Path(__file__).resolve().parent.parent

ROSDEP_KEYS = {
    'argcomplete': 'python3-argcomplete', 'gymnasium': 'python3-gymnasium-pip',
    'h5py': 'python3-h5py', 'jinja2': 'python3-jinja2',
    'matplotlib': 'python3-matplotlib', 'mcap': 'mcap-ros2-support',
    'numpy': 'python3-numpy', 'PIL': 'python3-pil',
    'pybullet': 'python3-pybullet-pip', 'pybullet_data': 'python3-pybullet-pip',
    'torch': 'python3-torch', 'tqdm': 'python3-tqdm', 'yaml': 'python3-yaml'}
WITHOUT_ROSDEP_KEY = {'msgspec', 'safetensors'}
OPTIONAL = {'ray', 'pyarrow', 'control_msgs'}
"""Libraries of one export, and of one command adapter and the gripper alone."""


def manifest(folder: Path = ROOT) -> ElementTree.Element:
    """Read a package.xml."""
    return ElementTree.parse(folder / 'package.xml').getroot()


@functools.cache
def set_up() -> dict:
    """Return what setup.py hands to setuptools, run from the root."""
    code = ('import json, runpy, setuptools; given = {}; '
            'setuptools.setup = lambda **words: given.update(words); '
            'runpy.run_path("setup.py"); print(json.dumps(given))')
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True,
                          timeout=60, check=True)
    return json.loads(done.stdout)


def entry_points() -> dict[str, str]:
    """Return the executables by name, with what each one calls."""
    lines = set_up()['entry_points']['console_scripts']
    return dict(line.split(' = ') for line in lines)


def installed_files() -> set[str]:
    """Return the sources of all data files that are installed."""
    return {source for _, sources in set_up()['data_files'] for source in sources}


def test_one_version_stands_everywhere():
    versions = {set_up()['version'], manifest().findtext('version'),
                manifest(ROOT / 'il_ros_interfaces').findtext('version')}
    assert len(versions) == 1


def test_the_manifests_are_valid():
    parse_package = pytest.importorskip(
        'catkin_pkg.package', reason='needs catkin_pkg: make test').parse_package
    for folder in (ROOT, ROOT / 'il_ros_interfaces'):
        warnings = []
        parse_package(str(folder / 'package.xml'), warnings=warnings)
        assert not warnings


def test_the_build_type_is_no_dependency():
    names = {dependency.text for dependency in manifest().iter('buildtool_depend')}
    assert 'ament_python' not in names
    assert manifest().findtext('export/build_type') == 'ament_python'


def imported_modules() -> set[str]:
    """Return the top-level modules that the package and its launch files import."""
    found = set()
    for path in [*(ROOT / 'il_ros').rglob('*.py'), *(ROOT / 'launch').rglob('*.py')]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.partition('.')[0])
    return found - set(sys.stdlib_module_names) - {'il_ros'}


def test_the_run_dependencies_are_what_is_imported():
    tags = {tag.text for kind in ('depend', 'exec_depend') for tag in manifest().iter(kind)}
    needed = imported_modules() - WITHOUT_ROSDEP_KEY - OPTIONAL
    assert {ROSDEP_KEYS.get(module, module) for module in needed} == tags


def defines(module: str, name: str) -> bool:
    """Whether the source of ``module`` defines ``name`` at its top."""
    path = ROOT.joinpath(*module.split('.')).with_suffix('.py')
    body = ast.parse(path.read_text()).body if path.is_file() else []
    functions = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    return name in functions


def test_every_executable_has_its_function():
    targets = {tuple(target.split(':')) for target in entry_points().values()}
    made = {('il_ros.graph.executables', name) for name in executables.EXECUTABLES}
    assert made <= targets
    assert all(callable(getattr(executables, name)) for _, name in made)
    assert [target for target in targets - made if not defines(*target)] == []


def test_a_function_that_is_no_executable_is_not_made_up():
    with pytest.raises(AttributeError, match="no attribute 'simulators'"):
        executables.simulators


def test_every_node_executable_has_a_module_of_its_name():
    nodes = set(entry_points()) - {'il_ros', 'graph'}
    assert defines('il_ros.graph.graph', 'main')
    assert not [name for name in nodes
                if not defines(f'il_ros.nodes.{name}', executables.class_of(name))]


def test_the_marker_and_the_manifest_are_installed():
    assert {'resource/il_ros', 'package.xml'} <= installed_files()


@pytest.mark.parametrize('folder, pattern', [
    ('launch', '*.launch.py'), ('config', '*.yaml'), ('config', '*.xml')])
def test_every_launch_and_configuration_file_is_installed(folder, pattern):
    present = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob(pattern)}
    assert present <= installed_files()


def test_every_template_and_training_file_in_the_package_is_installed():
    installed = {path for package, patterns in set_up()['package_data'].items()
                 for pattern in patterns
                 for path in (ROOT / package.replace('.', '/')).glob(pattern)}
    assert installed == {path for path in (ROOT / 'il_ros').rglob('*') if path.is_file()
                         and path.suffix not in ('.py', '.pyc')}


def test_a_data_file_keeps_its_place_below_the_share_folder():
    for place, sources in set_up()['data_files']:
        for source in sources:
            if source.startswith(('launch/', 'config/')):
                assert place == str(Path('share/il_ros') / Path(source).parent)


def test_every_folder_of_code_is_installed():
    folders = {path.parent for path in (ROOT / 'il_ros').rglob('*.py')}
    assert set(set_up()['packages']) == {
        '.'.join(folder.relative_to(ROOT).parts) for folder in folders}


def test_executables_are_where_ros2_run_looks_for_them():
    lines = (ROOT / 'setup.cfg').read_text().splitlines()
    assert 'script_dir=$base/lib/il_ros' in lines
    assert 'install_scripts=$base/lib/il_ros' in lines


def test_every_requirement_is_pinned():
    lines = {line for path in (ROOT / 'requirements').glob('*.txt')
             for line in path.read_text().splitlines()}
    assert not {line for line in lines if not re.match(r'(#|-c |[\w.-]+==[\w.+]+$|$)', line)}


def test_ros_is_only_ever_asked_for_by_the_name_of_its_distribution():
    for name in ('run', 'build', 'test'):
        lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
        assert not [line for line in lines if re.match(r'ros-(?!jazzy-)', line)]


HIDE_INTERFACES = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == 'il_ros_interfaces':
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)

sys.meta_path.insert(0, Hidden())
sys.argv = ['il_ros', *sys.argv[1:]]
"""


@pytest.mark.parametrize('name', sorted(entry_points()))
def test_without_the_interface_package_one_sentence_says_so(name, tmp_path):
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    module, _, function = entry_points()[name].partition(':')
    words = ['demo'] if name == 'il_ros' else []
    code = HIDE_INTERFACES + f'from {module} import {function}; sys.exit({function}())'
    done = subprocess.run(
        [sys.executable, '-c', code, *words], cwd=tmp_path, capture_output=True, text=True,
        timeout=60, env={**os.environ, 'PYTHONPATH': os.pathsep.join(
            [str(ROOT), os.environ.get('PYTHONPATH', '')])})
    assert done.returncode != 0
    said = done.stderr.strip().splitlines()
    assert len(said) == 1 and 'il_ros_interfaces' in said[0], done.stderr[-2000:]
