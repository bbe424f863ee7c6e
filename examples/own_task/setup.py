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

"""Installs a task of one's own; the entry point is all that il_ros needs to find it."""

from setuptools import setup

setup(
    name='own_task',
    version='0.1.0',
    packages=['own_task'],
    package_data={'own_task': ['training.yaml']},
    data_files=[('share/ament_index/resource_index/packages', ['resource/own_task']),
                ('share/own_task', ['package.xml'])],
    install_requires=['setuptools'],
    zip_safe=False,
    description="A task of one's own for il_ros: press a button.",
    license='Apache-2.0',
    entry_points={'il_ros.tasks': ['press_button = own_task.press_button:PressButton']},
)
