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

"""The expert: answers observations while it is required, and labels recorded ones on request."""

from collections.abc import Callable
import dataclasses
import time
import traceback

from il_ros import plugins
from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import EXPERT
from il_ros.errors import ImitationError
from il_ros.robots.model import find_robot
from il_ros.ros import runtime
from il_ros.ros.conversion.labels import fill_response, read_request
from il_ros.ros.driver import Driver
from il_ros.ros.node import ReportingNode
from il_ros.ros.parameters import choice, text
from il_ros.ros.serving import serve
from il_ros.tasks.expert import Expert
from il_ros.tasks.expert_registry import make_expert
from il_ros.tasks.relabel import relabel
from il_ros_interfaces.msg import Observation
from il_ros_interfaces.srv import LabelObservations
import numpy as np


class ExpertFailedError(ImitationError):
    """The expert's own code raised."""

    code = 404


@dataclasses.dataclass(frozen=True)
class ExpertParameters:
    """Parameters of the expert node."""

    task: str = text('push', 'task whose expert this is')
    robot: str = text('', "robot: a name, module:Object or a robot file; empty: the contract's")
    options: str = text('', 'JSON, options of the episodes; their entry expert handicaps it')
    mode: str = choice('lockstep', ('lockstep', 'realtime'),
                       'lockstep: answer every observation; realtime: only the newest')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')


class ExpertNode(ReportingNode):
    """Serves ``label_observations`` and publishes ``expert/action``."""

    def __init__(self, **kwargs):
        super().__init__('expert', ExpertParameters, **kwargs)
        plugins.trust(self.parameters.task, self.parameters.robot)
        find_robot(self.parameters.robot)  # contracts name it
        self._expert: Expert | None = None
        self._labelled = 0
        self._driver = Driver(self, EXPERT, 'expert/action', self._act, self._on_contract,
                              realtime=self.parameters.mode == 'realtime')
        serve(self, LabelObservations, 'label_observations', self._on_label,
              LabelObservations.Response.BAD_OBSERVATION)

    def _on_contract(self, contract: Contract):
        self._expert = None
        try:
            self._expert = self._make(self.parameters.task, contract)
            self.problem = ''
        except ImitationError as error:
            self.report_problem(error)

    def _act(self, _: Observation, values: np.ndarray) -> np.ndarray | None:
        if self._expert is None:
            return None
        try:
            return self._ask(self._expert.act, values)
        except ImitationError as error:
            self.report_problem(error, throttle_s=5.0)
            return None

    def _ask(self, question: Callable, *arguments):
        try:
            return question(*arguments)
        except ImitationError:
            raise
        except Exception as error:  # noqa: B902 - the one place where an expert's code is called
            self.get_logger().error(traceback.format_exc(), once=True)
            raise ExpertFailedError(
                f'the expert failed: {type(error).__name__}: {error}') from error

    def _on_label(self, request, response):
        started = time.monotonic()
        try:
            contract, observations = read_request(request)
            expert = self._expert_for(request.task, contract)
            actions, valid = self._ask(relabel, expert, observations)
            fill_response(request, response, actions, valid, expert.name)
        except ImitationError as error:
            response.error_code = error.code or response.EXPERT_FAILED
            response.error_msg = str(error)
        response.seconds = time.monotonic() - started
        self._labelled += len(response.actions)
        return response

    def _expert_for(self, task: str, contract: Contract) -> Expert:
        if self._expert is not None and self._driver.contract == contract and (
                task == self.parameters.task):
            return self._expert
        return self._make(task, contract)

    def _make(self, task: str, contract: Contract) -> Expert:
        return make_expert(task, contract, self.parameters.options)

    def report(self) -> tuple[bytes, str, dict]:
        """Return who answers, and how often."""
        values = {'answered': self._driver.answered, 'unanswered': self._driver.unanswered,
                  'labelled': self._labelled}
        name = self._expert.name if self._expert else f'expert of {self.parameters.task}'
        return self.state(name, values)
