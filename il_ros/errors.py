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


class CodedError(ImitationError):
    """An error whose code is known where it is raised."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


class CommandError(ImitationError):
    """A command line that cannot be carried out."""


class DecodeError(ImitationError):
    """Bytes that are not what is understood here; rclpy may still understand them."""


class BadMessageError(DecodeError):
    """Bytes that are not a valid message of their type; the sentence names the field."""


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


class LearningError(ImitationError):
    """Base of the errors of this room."""


class InputsError(LearningError):
    """An input that the contract cannot give, or that a policy must not see."""

    code = 701


class TrainConfigError(LearningError):
    """A training configuration that cannot be used; the sentence names the key."""

    code = 701


class JobError(LearningError):
    """A training job that cannot be run as asked."""

    code = 701


class BusyError(LearningError):
    """A job was handed in while another one runs."""

    code = 700


class NoDataError(LearningError):
    """There is nothing to learn from."""

    code = 702


class NotFiniteError(LearningError):
    """Data, loss or weights that are not finite numbers."""

    code = 703


class WorkerDiedError(LearningError):
    """The training process ended or failed while it had a job."""

    code = 704


class CanceledError(LearningError):
    """The caller stopped the job."""

    code = 705


class NoCheckpointError(LearningError):
    """There is no checkpoint at that place."""

    code = 601


class DamagedError(LearningError):
    """A checkpoint whose files are not what was saved, or not of this package."""

    code = 610


class ContractMismatchError(LearningError):
    """A checkpoint made for another layout, action or rate than the graph's."""

    code = 611


class DryRunError(LearningError):
    """A policy whose answers, before they are bounded, are not those of one that was fitted."""

    code = 612


class PolicyError(LearningError):
    """A policy that has no answer: its input or its output is not finite."""


class SimulationError(ImitationError):
    """The simulation was asked for something that it cannot do; the sentence says what."""


class UnknownTaskError(SimulationError):
    """There is no task of that name."""


class TargetError(SimulationError):
    """Joint targets that are not finite or not as many as the arm has joints."""


class ControllerError(ImitationError):
    """A message that a controller of the arm ignores; the sentence says why."""


class RobotError(ImitationError):
    """A robot, a pose or an action layout that this package cannot work with."""
