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

"""Who may import whom, read from the syntax tree (``docs/architecture.md``)."""

import ast
from pathlib import Path
import re
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'il_ros'

MESSAGES = {
    'builtin_interfaces', 'diagnostic_msgs', 'geometry_msgs', 'il_ros_interfaces',
    'lifecycle_msgs', 'rcl_interfaces', 'rosgraph_msgs', 'sensor_msgs', 'std_msgs', 'std_srvs',
    'trajectory_msgs', 'visualization_msgs'}
CLIENT = {'rclpy', 'rpyutils', 'domain_coordinator', 'launch', 'launch_ros'}
ROS = MESSAGES | CLIENT | {'ament_index_python'}
HEAVY = {'torch', 'pybullet', 'pybullet_data', 'pybullet_utils', 'gymnasium'}

FILES = {'h5py', 'mcap'}
PLOTS = {'matplotlib', 'jinja2'}
FORBIDDEN = {
    'files': ROS | HEAVY | FILES | PLOTS,
    'processes': ROS | HEAVY | FILES | PLOTS,
    'contract': ROS | HEAVY | FILES | PLOTS,
    'robots': ROS | {'torch', 'gymnasium'} | FILES | PLOTS,
    'tasks': ROS | (HEAVY - {'pybullet_data'}) | FILES | PLOTS,
    'sim': ROS | {'torch'} | FILES | PLOTS,
    'episodes': ROS | HEAVY | {'h5py'} | PLOTS,
    'dataset': ROS | HEAVY | {'mcap'} | PLOTS,
    'runs': ROS | HEAVY | PLOTS,
    'driving': ROS | HEAVY | FILES | PLOTS,
    'interactive': ROS | HEAVY | FILES | PLOTS,
    'learning': ROS | (HEAVY - {'torch'}) | FILES | PLOTS,
    'evaluation': ROS | HEAVY | FILES,
    'reports': ROS | HEAVY | FILES,
    'teleop': ROS | HEAVY | FILES | PLOTS,
    'loop': ROS | HEAVY | FILES | PLOTS,
    'experiments': ROS | HEAVY | FILES,
    'api': ROS | HEAVY | FILES,
    'ros': HEAVY | FILES | PLOTS,
    'ros/commands': CLIENT | HEAVY | FILES | PLOTS,
    'ros/conversion': CLIENT | HEAVY | FILES | PLOTS,
    'ros/recording': CLIENT | HEAVY | FILES | PLOTS,
    'doctor': ROS | HEAVY | FILES | PLOTS,
    'nodes': HEAVY | FILES | PLOTS,
    'graph': HEAVY | FILES | PLOTS,
    'cli': CLIENT | HEAVY | FILES | PLOTS,
}
"""Modules of others that a room never imports; ``ros``, ``nodes`` and ``graph`` meet rclpy."""

ROOMS_ALLOWED = {
    'files': set(),
    'processes': set(),
    'contract': {'files'},
    'robots': {'contract', 'files'},
    'tasks': {'contract', 'files', 'robots'},
    'episodes': {'contract', 'files'},
    'sim': {'contract', 'episodes', 'robots', 'tasks'},
    'driving': {'contract', 'episodes'},
    'dataset': {'contract', 'episodes', 'files'},
    'runs': {'contract', 'dataset', 'episodes', 'files', 'robots', 'tasks'},
    'teleop': {'contract', 'episodes', 'files'},
    'interactive': {'contract', 'dataset', 'driving', 'files'},
    'evaluation': {'contract', 'interactive'},
    'learning': {'contract', 'dataset', 'evaluation', 'files', 'processes'},
    'reports': {'contract', 'dataset', 'episodes', 'evaluation', 'files', 'interactive'},
    'loop': {
        'contract', 'dataset', 'driving', 'episodes', 'evaluation', 'files', 'interactive',
        'learning', 'processes', 'reports', 'robots', 'runs', 'sim', 'tasks'},
    'experiments': {
        'contract', 'dataset', 'driving', 'episodes', 'evaluation', 'files', 'interactive',
        'learning', 'loop', 'processes', 'reports', 'runs', 'sim', 'tasks'},
    'ros': {
        'contract', 'driving', 'episodes', 'evaluation', 'files', 'interactive', 'learning',
        'loop', 'robots', 'runs', 'sim', 'tasks', 'teleop'},
    'doctor': {'robots', 'ros'},
    'nodes': {
        'contract', 'dataset', 'driving', 'episodes', 'interactive', 'learning', 'loop', 'robots',
        'ros', 'runs', 'sim', 'tasks', 'teleop'},
    'graph': {
        'contract', 'driving', 'episodes', 'interactive', 'loop', 'nodes', 'processes', 'ros',
        'runs', 'tasks'},
    'api': {
        'contract', 'dataset', 'driving', 'evaluation', 'files', 'graph', 'interactive',
        'learning', 'loop', 'reports', 'ros', 'runs', 'sim', 'tasks'},
    'cli': {
        'api', 'contract', 'dataset', 'driving', 'episodes', 'evaluation', 'experiments',
        'files', 'graph', 'interactive', 'learning', 'loop', 'nodes', 'reports', 'robots', 'ros',
        'runs', 'sim', 'tasks'},
}
"""Rooms of ours that a room may import beside itself: those above it in this list."""

VAGUE = {'utils', 'util', 'core', 'common', 'helpers', 'helper', 'misc'}
WITH_CLIENT = ('ros', 'nodes', 'graph')


def name_of(path: Path) -> str:
    """Name a file as seen from the root."""
    return str(path.relative_to(ROOT))


def imports_of(source: str) -> set[str]:
    """Return the full names that ``source`` imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, 'imports are absolute'
            found |= {f'{node.module}.{alias.name}' for alias in node.names}
    return found


def modules_of(path: Path) -> set[str]:
    """Return the top-level modules that a file imports."""
    return {name.partition('.')[0] for name in imports_of(path.read_text())}


def rooms_of(path: Path) -> set[str]:
    """Return the rooms of il_ros that a file imports from."""
    names = (name.split('.') for name in imports_of(path.read_text()))
    rooms = {parts[1] for parts in names if parts[0] == 'il_ros' and len(parts) > 1}
    return {room for room in rooms if (PACKAGE / room).is_dir()}


def room_of(path: Path) -> str:
    """Return the room a file lies in; empty for the modules at the top of the package."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ''


def forbidden_in(path: Path) -> set[str]:
    """Return what a file may not import, by its room or by a rule of its own folder."""
    folder = path.parent.relative_to(PACKAGE).as_posix()
    return FORBIDDEN.get(folder, FORBIDDEN[room_of(path)])


SOURCES = sorted(PACKAGE.rglob('*.py'))
IN_ROOMS = [path for path in SOURCES if room_of(path)]


def offenders(paths: list[Path], look) -> dict[str, set[str]]:
    """Return what ``look(path)`` finds for each file where it finds anything."""
    found = {name_of(path): look(path) for path in paths}
    return {name: what for name, what in found.items() if what}


def test_a_room_imports_only_what_it_may():
    assert not offenders(IN_ROOMS, lambda path: modules_of(path) & forbidden_in(path))


def test_the_package_works_without_its_benchmarks():
    assert not offenders(SOURCES, lambda path: modules_of(path) & {'benchmarks', 'test'})


def test_only_three_rooms_import_the_ros_client():
    others = [path for path in SOURCES if room_of(path) not in WITH_CLIENT]
    assert not offenders(others, lambda path: modules_of(path) & CLIENT)


def test_rooms_know_only_the_rooms_below_them():
    assert not offenders(IN_ROOMS, lambda path: (
        rooms_of(path) - ROOMS_ALLOWED[room_of(path)] - {room_of(path)}))


def test_no_two_rooms_need_each_other():
    seen = set()
    for room, allowed in ROOMS_ALLOWED.items():
        assert allowed <= seen, f'{room} may import {allowed - seen}, which come after it'
        seen.add(room)
    assert seen == {path.name for path in PACKAGE.iterdir() if (path / '__init__.py').is_file()}


def test_no_level_has_more_than_sixteen_modules():
    folders = {path.parent for path in SOURCES}
    counts = {name_of(folder): len(list(folder.glob('[!_]*.py'))) for folder in folders}
    assert not {name: count for name, count in counts.items() if count > 16}


def test_the_supervisor_does_not_know_that_the_arm_is_simulated():
    for path in (PACKAGE / 'nodes' / 'supervisor.py',
                 *(PACKAGE / 'ros' / 'supervision').glob('*.py'),
                 *(PACKAGE / 'ros' / 'commands').glob('*.py')):
        assert 'sim' not in rooms_of(path), name_of(path)


def test_package_markers_are_empty():
    assert not [name_of(path) for path in PACKAGE.rglob('*/__init__.py') if path.read_text()]


def test_every_folder_of_code_is_a_package():
    folders = {path.parent for path in SOURCES}
    assert not [name_of(folder) for folder in folders if not (folder / '__init__.py').is_file()]


def test_no_module_is_called_after_nothing_in_particular():
    places = [path for path in PACKAGE.rglob('*') if '__pycache__' not in path.parts]
    assert not [name_of(path) for path in places if path.stem in VAGUE]


def loaded_by(module: str) -> set[str]:
    """Import ``module`` in a fresh process; return the top-level modules that came along."""
    code = f'import {module}, sys; print(*{{name.partition(".")[0] for name in sys.modules}})'
    done = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_recorder_starts_without_the_learning_libraries():
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    assert not loaded_by('il_ros.nodes.recorder') & {'torch', 'pybullet'}


def test_commands_leave_the_training_libraries_to_the_worker():
    commands = ', '.join(f'il_ros.cli.{path.stem}' for path in (PACKAGE / 'cli').glob('[!_]*.py'))
    assert 'torch' not in loaded_by(commands)


def test_the_client_of_the_training_worker_loads_no_arithmetic():
    loaded = loaded_by('il_ros.learning.training_worker.worker_client')
    assert not loaded & {'numpy', 'torch', 'rclpy'}


def test_pure_rooms_load_neither_ros_nor_torch_nor_physics_nor_plots():
    pure = ('files', 'processes', 'contract', 'episodes', 'dataset', 'runs', 'driving', 'teleop',
            'interactive', 'evaluation', 'reports')
    paths = [path for room in pure for path in sorted((PACKAGE / room).rglob('[!_]*.py'))]
    paths += [PACKAGE / 'tasks' / 'expert_registry.py', *(PACKAGE / 'tasks').glob('*/expert.py')]
    modules = ['.'.join(path.relative_to(ROOT).with_suffix('').parts) for path in paths]
    assert not loaded_by(', '.join(modules)) & (ROS | HEAVY | PLOTS)


def test_the_reader_of_imports_looks_inside_functions_too():
    source = 'import a.b\nfrom c.d import e\ndef f():\n    import g\n'
    assert imports_of(source) == {'a.b', 'c.d.e', 'g'}


def test_no_module_outside_the_room_of_robots_names_one():
    named = re.compile('panda(?!s)|xarm|iiwa|franka|kuka', re.IGNORECASE)
    found = {f'{path}:{number}' for path in SOURCES if room_of(path) != 'robots'
             for number, line in enumerate(path.read_text().splitlines(), 1)
             if named.search(line) and "'il_ros.robots.shipped:" not in line}
    assert not found
