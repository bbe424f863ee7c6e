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

"""Calls of slow nodes: what is done when an answer does not come."""

from action_msgs.msg import GoalStatus
from il_ros.ros.calls import Waiter
from il_ros_interfaces.action import TrainPolicy
import pytest
from rclpy.action import ActionClient, ActionServer
from rclpy.task import Future
from seam import Bench


class Losing:
    """An action's client, or a goal's handle, whose first result gets lost on its way."""

    def __init__(self, real):
        self._real, self.asked = real, 0

    def __getattr__(self, name):
        return getattr(self._real, name)

    def send_goal_async(self, goal, feedback_callback):
        """Return a handle that loses its first result."""
        sent, future = self._real.send_goal_async(goal, feedback_callback), Future()
        sent.add_done_callback(lambda done: future.set_result(Losing(done.result())))
        return future

    def get_result_async(self):
        """Ask; what comes back the first time never arrives."""
        self.asked += 1
        found = self._real.get_result_async()
        return found if self.asked > 1 else Future()


@pytest.fixture
def bench():
    """Return a bench whose executor runs coroutines."""
    with Bench('single') as made:
        yield made


def test_the_result_of_a_goal_that_is_over_is_asked_for_again(bench):
    def execute(goal):
        goal.succeed()
        return TrainPolicy.Result(labels=7)
    ActionServer(bench.probe, TrainPolicy, 'train_policy', execute)
    waiter, handles = Waiter(bench.probe), []
    client = Losing(ActionClient(bench.probe, TrainPolicy, 'train_policy'))
    task = bench.probe.executor.create_task(waiter.run_action(
        client, TrainPolicy.Goal(), 5.0, on_start=handles.append))
    assert bench.until(task.done)
    status, result = task.result()
    assert (status, result.labels) == (GoalStatus.STATUS_SUCCEEDED, 7)
    assert handles[0].asked == 2
