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

"""How a run fails: the error codes of ``RunDagger``, for code that works without ROS."""

from il_ros.errors import CodedError

BAD_GOAL, RUN_EXISTS, RUN_DIFFERS, COLLECT_FAILED, LABEL_FAILED = range(801, 806)
TRAIN_FAILED, LOAD_FAILED, CANCELED = range(806, 809)


class RunError(CodedError):
    """A run that cannot begin or continue; the code is one of ``RunDagger.Result``."""
