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

"""What can go wrong with recorded data, for callers that can act on it."""

from il_ros.errors import ImitationError


class EpisodeFileError(ImitationError):
    """A file that is damaged, cut short, or no episode of this project; the sentence names it."""


class EpisodeExistsError(ImitationError):
    """An episode of that name is recorded already; nothing is overwritten."""

    code = 500


class EpisodeWriteError(ImitationError):
    """The disk took no more, or forbade it; the sentence names the file and the reason."""

    code = 501


class ShardLockedError(ImitationError):
    """Another recorder owns this folder; the sentence has its process id."""

    code = 502


class NoSuchEpisodeError(ImitationError):
    """No receipt of that name lies in this folder."""

    code = 505


class StepRangeError(ImitationError):
    """A range of steps that the episode does not have."""

    code = 506


class LabelError(ImitationError):
    """Labels that do not fit the episode they are meant for."""


class DatasetError(ImitationError):
    """Episodes that cannot become one data set, or a file that is none."""


class DatasetBusyError(DatasetError):
    """A data set that cannot be opened now, and may be whole: nobody deletes or replaces it."""


class SchemaError(ImitationError):
    """A message definition that is missing or cannot be understood."""


class NoSuchRunError(ImitationError):
    """Neither a name under the folder of the runs nor the path of a run."""


class RunKindError(ImitationError):
    """An episode of another task, contract or options than those of its run."""

    code = 503


class MergeError(ImitationError):
    """Runs that cannot become one, or a place that is taken."""


class SplitError(ImitationError):
    """A run that cannot be parted as asked."""


class ExportError(ImitationError):
    """Episodes that another format cannot hold, a place that is taken, a missing library."""


class StreamError(ImitationError):
    """A topic that cannot be recorded beside an episode, or a message of it that has no image."""


class SilentStreamError(StreamError):
    """A stream that is required and brings nothing; the sentence says why."""

    code = 503
