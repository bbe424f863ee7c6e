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

"""Which episodes can be collected, which nodes they need, and what failures are called."""

from il_ros.contract.episode_spec import DRIVER_NAMES, EXPERT, TELEOP
from il_ros.driving.driving import check_gate_threshold, check_plan, HUMAN, NOVELTY
from il_ros.driving.driving import required_drivers
from il_ros.errors import CodedError, ImitationError
from il_ros.ros.conversion.messages import spec_from_message
from il_ros_interfaces.action import CollectEpisodes
from il_ros_interfaces.msg import DrivePlan, EpisodeSpec

Result = CollectEpisodes.Result


class CollectError(CodedError):
    """Collecting came to an end; the code is one of ``CollectEpisodes.Result``."""


class GoneError(CollectError):
    """A node that an episode needs ended and does not come back."""


def check(request: CollectEpisodes.Goal):
    """
    Refuse a goal of which any part cannot be run, before its first episode.

    :raises CollectError: with the sentence of what is wrong
    """
    try:
        check_gate_threshold(request.gate_threshold)
        for spec in request.episodes:
            check_plan(spec_from_message(spec).plan)
    except ImitationError as error:
        raise CollectError(Result.BAD_GOAL, str(error)) from error


def code_of(part: str) -> int:
    """Return what a failure of a node is called; who is no recorder and no task is a driver."""
    return {'recorder': Result.RECORDER_FAILED,
            'simulator': Result.TASK_FAILED}.get(part, Result.DRIVER_FAILED)


def parts_of(spec: EpisodeSpec) -> tuple[str, ...]:
    """Return the nodes that an episode needs, as far as its plan says."""
    plan = spec_from_message(spec).plan
    drivers = {*required_drivers(plan), *((EXPERT,) if plan.gate == NOVELTY else ())}
    return ('recorder', 'supervisor', 'simulator', 'observer',
            *(DRIVER_NAMES[driver] for driver in sorted(drivers)))


def may_be_driven_by_hand(plan: DrivePlan) -> bool:
    """Tell whether a plan asks a person, from the start or by the human gate."""
    return plan.driver == TELEOP or plan.gate == HUMAN
