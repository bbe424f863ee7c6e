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

"""The robots that come with the package: a file each, read when it is asked for."""

from pathlib import Path

_FOLDER = Path(__file__).parent

PANDA = _FOLDER / 'panda.yaml'
XARM6 = _FOLDER / 'xarm6.yaml'
IIWA = _FOLDER / 'iiwa.yaml'
