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

"""What can go wrong in learning, one class per thing that a caller can act on."""

from il_ros.errors import ImitationError


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
