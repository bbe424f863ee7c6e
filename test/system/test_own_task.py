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

"""``examples/own_task``: a task in a package of its own, for which nothing of ours is changed."""

import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys

from command_line import il_ros, start
import pytest

pytest.importorskip('rclpy', reason='needs rclpy: make test')
EXAMPLE = Path(__file__).resolve().parents[2] / 'examples' / 'own_task'
NODES = {
    'simulator': 'task:=press_button', 'observer': 'contract:=press_button',
    'expert': 'task:=press_button', 'supervisor': '', 'recorder': 'runs:=RUNS',
    'collector': 'return_s:=1.0'}
TRAINING = """
strategy: {}
training: {inputs: [button_position - tool_position], hidden: [32], steps: 80, warmup_steps: 5}
"""
SMALL = ('--demonstrations', '2', '--rounds', '1', '--episodes-per-round', '2')


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    """Yield the folder that the example is installed into, beside ours."""
    folder = tmp_path_factory.mktemp('example')
    source = shutil.copytree(EXAMPLE, folder / 'source')  # pip builds where the sources lie
    subprocess.run([sys.executable, '-m', 'pip', 'install', '--quiet', '--no-deps', '--no-index',
                    '--no-build-isolation', '--target', str(folder / 'site'), str(source)],
                   check=True, capture_output=True, timeout=120.0)
    return folder / 'site'


@pytest.fixture
def command(installed, tmp_path, monkeypatch):
    """Return the function that runs ``il_ros`` where the example is installed."""
    monkeypatch.setenv('PYTHONPATH', str(installed))
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'small.yaml').write_text(TRAINING)

    def run(*words: str) -> str:
        code, out, err = il_ros(*words)
        assert code == 0, err
        return out
    return run


def start_node(name: str) -> subprocess.Popen:
    """Start the executable of a node."""
    setting = [word for word in ('-p', NODES[name].replace('RUNS', 'runs')) if NODES[name]]
    code = f'import sys; from il_ros.graph import executables; sys.exit(executables.{name}())'
    return subprocess.Popen([sys.executable, '-c', code, '--ros-args', *setting],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            start_new_session=True)


def test_the_example_is_short():
    lines = [line.strip() for path in EXAMPLE.rglob('*.py')
             if 'build' not in path.parts for line in path.read_text().splitlines()]
    assert len([line for line in lines if line and not line.startswith('#')]) <= 80


@pytest.mark.system
def test_the_nodes_record_it_and_what_they_recorded_is_repeated(command):
    assert command('check', 'tasks', 'press_button') == (
        "task 'press_button' of the package own_task: nothing is wrong\n")
    processes = [start_node(name) for name in NODES]
    try:
        assert '2 successful' in command('record', '--task', 'press_button', '--run', 'two',
                                         '--episodes', '2', '--attach', '--wait', '60')
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait(timeout=30.0)
    assert '2 of 2 episodes are bit-identical' in command('dataset', 'replay', 'two')


@pytest.mark.drill
@pytest.mark.timeout(900)
def test_every_verb_works_with_it(command):
    command('record', '--task', 'press_button', '--run', 'shown', '--episodes', '2')
    command('dagger', '--task', 'press_button', '--run', 'd', *SMALL, '--config', 'small.yaml',
            '--evaluation-episodes', '0', '--final-evaluation-episodes', '2')
    command('evaluate', '--task', 'press_button', '--policy', 'd', '--episodes', '2', '--json',
            'found.json')
    assert len(json.loads(Path('found.json').read_text())['episodes']) == 2
    command('study', '--tasks', 'press_button', '--quick', '--strategies', 'corrections',
            '--seeds', '0', '--rounds', '1', '--episodes', '4', '--config', 'small.yaml')
    command('error-growth', '--task', 'press_button', '--policy', 'a=d', '--episodes', '2',
            '--horizon', '60', '--expert-episodes', '2', '--drift-episodes', '0',
            '--workers', '2')
    assert 'are bit-identical' in command('dataset', 'replay', 'd')


@pytest.mark.system
def test_one_that_cannot_be_imported_leaves_our_own_tasks(command, installed, tmp_path,
                                                          monkeypatch):
    broken = shutil.copytree(installed, tmp_path / 'broken')
    (broken / 'own_task' / 'press_button.py').write_text('import absent_library\n')
    monkeypatch.setenv('PYTHONPATH', str(broken))
    assert "not usable: task 'press_button' of the package own_task" in command('list', 'tasks')
    assert '1 successful' in command('record', '--task', 'reach', '--run', 'ours', '--episodes',
                                     '1')
    process = start(['record', '--task', 'press_button', '--run', 'theirs'], env={**os.environ})
    _, err = process.communicate(timeout=60.0)
    assert process.returncode == 1 and 'Traceback' not in err
    assert 'of the package own_task: own_task.press_button:PressButton cannot be imported' in err
