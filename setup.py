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
    package_data={PACKAGE: ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (str(SHARE), ['package.xml']),
        *data_files_of('launch', '*.launch.py'),
        *data_files_of('config', '*.yaml'),
        *data_files_of('config', '*.json'),
    ],
    python_requires='>=3.11',
    install_requires=['setuptools'],
    extras_require={'export': ['pyarrow'], 'test': ['pytest']},
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
            'observer = il_ros.graph.executables:observer',
            'policy = il_ros.graph.executables:policy',
            'expert = il_ros.graph.executables:expert',
            'supervisor = il_ros.graph.executables:supervisor',
            'teleop = il_ros.graph.executables:teleop',
            'recorder = il_ros.graph.executables:recorder',
            'collector = il_ros.graph.executables:collector',
            'trainer = il_ros.graph.executables:trainer',
            'coordinator = il_ros.graph.executables:coordinator',
            'graph = il_ros.graph.executables:graph',
        ],
    },
)
