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

from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = 'il_ros'
SHARE = Path('share') / PACKAGE


def data_files_of(folder, pattern):
    """List the data files under ``folder``, each with the folder that it is installed into."""
    found = sorted(Path(folder).rglob(pattern))
    return [(str(SHARE / path.parent), [str(path)]) for path in found]


setup(
    name=PACKAGE,
    version='0.1.0',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={PACKAGE: ['py.typed', 'tasks/*/*.yaml', 'robots/*.yaml'],
                  f'{PACKAGE}.reports': ['templates/*.j2']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (str(SHARE), ['package.xml']),
        *data_files_of('launch', '*.launch.py'),
        *data_files_of('config', '*.yaml'),
        *data_files_of('config', '*.json'),
        *data_files_of('config', '*.xml'),
    ],
    python_requires='>=3.11',
    install_requires=['setuptools'],
    extras_require={'cluster': ['ray'], 'export': ['pyarrow'], 'test': ['pytest']},
    zip_safe=False,
    maintainer='il_ros maintainers',
    maintainer_email='maintainers@example.org',
    description='Imitation learning over ROS 2: demonstrations, behavioural cloning and DAgger '
                'on a robot arm, with every label counted.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'il_ros = il_ros.cli.parser:main',
            'simulator = il_ros.graph.executables:simulator',
            'operator_task = il_ros.graph.executables:operator_task',
            'observer = il_ros.graph.executables:observer',
            'policy = il_ros.graph.executables:policy',
            'expert = il_ros.graph.executables:expert',
            'supervisor = il_ros.graph.executables:supervisor',
            'teleop = il_ros.graph.executables:teleop',
            'recorder = il_ros.graph.executables:recorder',
            'collector = il_ros.graph.executables:collector',
            'trainer = il_ros.graph.executables:trainer',
            'coordinator = il_ros.graph.executables:coordinator',
            'gripper = il_ros.graph.executables:gripper',
            'graph = il_ros.graph.executables:graph',
        ],
        'il_ros.tasks': [
            'reach = il_ros.tasks.reach.task:Reach',
            'push = il_ros.tasks.push.task:Push',
            'pick_place = il_ros.tasks.pick_place.task:PickPlace',
            'stack = il_ros.tasks.stack.task:Stack',
            'insert = il_ros.tasks.insert.task:Insert',
            'tower = il_ros.tasks.tower.task:Tower',
            'lay = il_ros.tasks.lay.task:Lay',
        ],
        'il_ros.experts': [
            'reach = il_ros.tasks.reach.expert:ReachExpert',
            'push = il_ros.tasks.push.expert:PushExpert',
            'pick_place = il_ros.tasks.pick_place.expert:PickPlaceExpert',
            'stack = il_ros.tasks.stack.expert:StackExpert',
            'insert = il_ros.tasks.insert.expert:InsertExpert',
            'tower = il_ros.tasks.tower.expert:TowerExpert',
            'lay = il_ros.tasks.lay.expert:LayExpert',
        ],
        'il_ros.robots': [
            'panda = il_ros.robots.shipped:PANDA',
            'xarm6 = il_ros.robots.shipped:XARM6',
            'iiwa = il_ros.robots.shipped:IIWA',
        ],
        'il_ros.policies': [
            'mlp = il_ros.learning.nets.mlp:Mlp',
            'cnn = il_ros.learning.nets.cnn:Cnn',
        ],
        'il_ros.strategies': [
            'dagger = il_ros.interactive.strategies:Dagger',
            'gated = il_ros.interactive.strategies:Gated',
            'corrections = il_ros.interactive.strategies:Corrections',
            'novelty = il_ros.interactive.strategies:Novelty',
            'human = il_ros.interactive.strategies:Human',
            'dart = il_ros.interactive.strategies:Dart',
            'shift = il_ros.interactive.strategies:ShiftedDemonstrations',
        ],
    },
)
