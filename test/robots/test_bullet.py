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

"""PyBullet is imported in one place, and says nothing there."""

from pathlib import Path
import re
import subprocess
import sys

ROOT = Path(__file__).resolve().parents[2]


def test_one_module_imports_pybullet():
    importing = [path.name for path in (ROOT / 'il_ros').rglob('*.py')
                 if re.search(r'^\s*(import|from) pybullet$', path.read_text(), re.MULTILINE)]
    assert importing == ['bullet.py']


def test_nothing_is_said_at_the_import_and_all_after_it():
    code = ('import sys; from il_ros.robots.bullet import pybullet; '
            'print(pybullet.DIRECT); print("heard", file=sys.stderr or sys.stdout)')
    for closed in ('', ' 2>&-'):
        done = subprocess.run(['sh', '-c', f'exec "$0" -c "$1"{closed}', sys.executable, code],
                              capture_output=True, text=True, timeout=60.0)
        assert (done.stdout, done.stderr) == (
            ('2\nheard\n', '') if closed else ('2\n', 'heard\n'))
