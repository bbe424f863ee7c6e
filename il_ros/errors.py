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

"""The one base of the errors that a caller can act on; each room has its own."""


class ImitationError(Exception):
    """
    Something that the caller got wrong or can mend, said in one sentence.

    ``code`` is the ``error_code`` of services and actions (ranges in ``docs/architecture.md``);
    zero where the room has no service of its own.
    """

    code = 0
