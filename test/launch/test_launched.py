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

"""The launch files under the real ``launch_ros``; skipped where it is not installed."""

import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time

from launch_tree import arguments, entry_points, FILES, included, nodes_of, ROOT, SHARED
import pytest

LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import AnyLaunchDescriptionSource
service = LaunchService(noninteractive=True)
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(
    AnyLaunchDescriptionSource(sys.argv[1]),
    launch_arguments=[tuple(word.split(':=', 1)) for word in sys.argv[2:]])]))
sys.exit(service.run())
"""
"""What ``ros2 launch FILE NAME:=VALUE ...`` does, without the ros2 command."""

CALL = """#!{python}
import sys
from {module} import {function}
sys.exit({function}())
"""

UP_S, END_S = 60.0, 5.0
LOOP = ROOT / 'launch' / 'dagger.launch.py'


@pytest.fixture(scope='module')
def installed(tmp_path_factory) -> dict[str, str]:
    """Return an environment in which the package is in the ament index, here if need be."""
    pytest.importorskip('launch_ros', reason='needs launch_ros: make test-launch')
    from ament_index_python.packages import get_package_prefix, PackageNotFoundError
    try:
        get_package_prefix('il_ros')
        return dict(os.environ)
    except (PackageNotFoundError, OSError):
        # OSError: there is no AMENT_PREFIX_PATH at all.
        prefix = tmp_path_factory.mktemp('prefix')
    marker = prefix / 'share' / 'ament_index' / 'resource_index' / 'packages' / 'il_ros'
    programs = prefix / 'lib' / 'il_ros'
    for folder in (marker.parent, programs, prefix / 'share' / 'il_ros'):
        folder.mkdir(parents=True)
    marker.touch()
    for folder in ('config', 'launch'):
        (prefix / 'share' / 'il_ros' / folder).symlink_to(ROOT / folder)
    for name, target in entry_points().items():
        module, _, function = target.partition(':')
        program = programs / name
        program.write_text(CALL.format(
            python=sys.executable, module=module, function=function))
        program.chmod(0o755)
    paths = [str(prefix), os.environ.get('AMENT_PREFIX_PATH', '')]
    return {**os.environ, 'AMENT_PREFIX_PATH': os.pathsep.join(filter(None, paths))}


@pytest.fixture
def environment(installed) -> dict[str, str]:
    """Return the environment to launch in, which a test may change."""
    return dict(installed)


class Launched:
    """A launch file that runs, and what it says."""

    def __init__(self, environment: dict, folder: Path, name: str, *words: str):
        self._environment, self._folder = environment, folder
        self._lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, '-c', LAUNCH, str(ROOT / 'launch' / f'{name}.launch.py'), *words],
            env={**environment, 'ROS_LOG_DIR': str(folder), 'PYTHONUNBUFFERED': '1'},
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        self._lines.extend(self._process.stdout)

    @property
    def said(self) -> str:
        """Return all that was said so far, by the launch and by the nodes."""
        return ''.join(list(self._lines))

    def run(self, *words: str) -> subprocess.CompletedProcess:
        """Run an ``il_ros`` command on the nodes that were launched."""
        return subprocess.run(
            [sys.executable, '-m', 'il_ros.cli', *words, '--attach', '--wait', '60', '--runs',
             'runs'],
            env=self._environment, cwd=self._folder, capture_output=True, text=True, timeout=UP_S)

    def ended(self) -> int:
        """Wait until the launch has ended by itself, and return how many processes there were."""
        self._process.wait(UP_S)
        self._reader.join(UP_S)
        return self.said.count('process started')

    def interrupt(self) -> tuple[float, int, int]:
        """Press Ctrl-C; return the seconds to the end, how many started, how many ended well."""
        began = time.monotonic()
        os.killpg(self._process.pid, signal.SIGINT)
        started = self.ended()
        return time.monotonic() - began, started, self.said.count('finished cleanly')

    def close(self):
        """End what is left after a failure."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self.ended()


@pytest.fixture
def launch(environment, tmp_path):
    """Yield the function that launches a file in an empty folder."""
    launched = []

    def up(name: str, *words: str) -> Launched:
        launched.append(Launched(environment, tmp_path, name, *words))
        return launched[-1]
    yield up
    for each in launched:
        each.close()


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_the_arguments_can_be_shown(environment, path):
    code = ('import sys; from launch.launch_description_sources import '
            'get_launch_description_from_any_launch_file as load; '
            'print(*[a.name for a in load(sys.argv[1]).get_launch_arguments()])')
    done = subprocess.run([sys.executable, '-c', code, str(path)], env=environment,
                          capture_output=True, text=True, timeout=UP_S, check=True)
    shown = done.stdout.split()
    assert set(shown) == {
        name for each in (path, *included(path), SHARED) for name in arguments(each)}
    assert len(set(shown)) == len(shown)


@pytest.mark.system
@pytest.mark.parametrize('name, words, processes', [
    ('record', [], 6), ('deploy', ['expert:=true'], 7)])
def test_episodes_are_recorded_and_ctrl_c_ends_every_process_well(
        launch, name, words, processes):
    launched = launch(name, 'task:=reach', 'log_level:=warn', *words)
    done = launched.run('record', '--task', 'reach', '--run', 'first', '--episodes', '2')
    assert done.returncode == 0, done.stderr + launched.said
    assert '2 demonstrations' in done.stdout
    seconds, started, well = launched.interrupt()
    assert (started, well) == (processes, processes), launched.said
    assert seconds < END_S


@pytest.mark.system
@pytest.mark.parametrize('words, left_out', [
    ([], {'teleop', 'operator_task'}),
    (['mode:=realtime', 'teleop:=joy'], {'operator_task'}),
    (['arm:=real', 'teleop:=joy'], {'simulator', 'expert'})],
    ids=['alone', 'with_a_person', 'on_a_real_arm'])
def test_the_whole_loop_comes_up_under_a_namespace_and_ends_well(launch, words, left_out):
    launched = launch('dagger', 'task:=reach', 'namespace:=worker_1', 'runs:=runs', *words)
    rclpy = pytest.importorskip('rclpy', reason='needs rclpy: make test-launch')
    context = rclpy.Context()
    rclpy.init(context=context)
    peek = rclpy.create_node('peek', context=context)
    names = {node for path in (LOOP, *included(LOOP)) for node, _ in nodes_of(path)} - left_out
    try:
        wanted = {(name, '/worker_1') for name in names}
        topics = {'/worker_1/observation', '/worker_1/joint_command'}
        deadline = time.monotonic() + UP_S
        pause = threading.Event()
        while not (wanted <= set(peek.get_node_names_and_namespaces())
                   and topics <= set(dict(peek.get_topic_names_and_types()))):
            assert time.monotonic() < deadline, launched.said
            pause.wait(0.1)
    finally:
        peek.destroy_node()
        context.try_shutdown()
    seconds, started, well = launched.interrupt()
    assert (started, well) == (len(names), len(names)), launched.said
    assert seconds < END_S


@pytest.mark.system
@pytest.mark.parametrize('variable, words, said', [
    (None, [], 'listens on this machine alone'), ('OFF', [], 'listens to no other process'),
    ('OFF', ['discovery_range:=LOCALHOST'], 'listens on this machine alone')])
def test_nodes_keep_to_this_machine_unless_variable_or_argument_say_otherwise(
        environment, launch, variable, words, said):
    del environment['ROS_AUTOMATIC_DISCOVERY_RANGE']
    if variable:
        environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = variable
    launched = launch('simulation', 'task:=reach', *words)
    pause, deadline = threading.Event(), time.monotonic() + UP_S
    while launched.said.count(said) < 2:
        assert time.monotonic() < deadline, launched.said
        pause.wait(0.1)
    assert launched.interrupt()[1:] == (2, 2), launched.said


@pytest.mark.system
def test_a_node_that_cannot_start_ends_the_launch_with_its_sentence(launch):
    launched = launch('simulation', 'task:=reach', 'contract:=laundry')
    assert launched.ended() == 2
    assert 'laundry.yaml is in none of' in launched.said


@pytest.mark.system
def test_a_parameter_file_of_ones_own_is_read_and_what_no_node_has_is_refused(launch, tmp_path):
    (tmp_path / 'own.yaml').write_text('/**/observer: {ros__parameters: {tolerance: 0.2}}\n')
    launched = launch('simulation', f'params_file:={tmp_path / "own.yaml"}')
    assert launched.ended() == 2
    assert 'observer has no parameter tolerance' in launched.said
