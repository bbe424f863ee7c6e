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

"""The goal and the results of a run as messages."""

import dataclasses

from il_ros.evaluation.summary import round_results
from il_ros.interactive.goal import Goal
from il_ros.interactive.run_state import RunState
from il_ros.loop.run import Progress
from il_ros_interfaces.action import RunDagger
from il_ros_interfaces.msg import RoundSummary


def goal_of(request: RunDagger.Goal) -> Goal:
    """
    Return the pure goal of a request.

    :raises GoalError: naming the field that is out of range
    """
    return Goal(**{field.name: getattr(request, field.name)
                   for field in dataclasses.fields(Goal)})


def request_of(goal: Goal, resume: bool) -> RunDagger.Goal:
    """Return the request for a run; ``resume``: it may be there already."""
    return RunDagger.Goal(**dataclasses.asdict(goal), resume=resume)


def feedback_of(progress: Progress) -> RunDagger.Feedback:
    """Return the progress of a run as a message."""
    return RunDagger.Feedback(**dataclasses.asdict(progress))


def progress_of(feedback: RunDagger.Feedback) -> Progress:
    """Return the progress of a run, from the message."""
    return Progress(**{field.name: getattr(feedback, field.name)
                       for field in dataclasses.fields(Progress)})


def round_summaries(state: RunState) -> list[RoundSummary]:
    """Return the rounds of a run as messages."""
    messages = []
    for result in round_results(state):
        cost, policy = result.cost, result.policy
        message = RoundSummary(
            round=cost.round, labels=cost.labels, queries=cost.queries, watched=cost.watched,
            expert_driven_steps=cost.expert_driven_steps,
            policy_driven_steps=cost.policy_driven_steps, takeovers=cost.takeovers,
            objects_lost=cost.objects_lost, mistakes_per_step=policy.mistakes_per_step,
            loss_held_out=policy.loss_held_out)
        if policy.success is not None:
            message.evaluation_episodes, message.successes = policy.success.n, policy.success.k
            message.success_low, message.success_high = policy.success.low, policy.success.high
        if policy.trained is not None:
            message.policy_id = policy.trained.policy_id
        messages.append(message)
    return messages
