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

"""
The policy: loads checkpoints beside the loop and answers observations with the one that runs.

A candidate is loaded and tried out in a worker thread; it replaces the running policy by one
assignment, so that no answer ever mixes two of them.

A policy that plans ahead listens to ``executed``: when somebody else drove a step, its plan is
dropped. In lockstep it answers an observation only when it knows who drove the one before, so
that the same episode comes out the same; a repeated observation is answered in any case.
"""

from collections import deque
from collections.abc import Callable
import dataclasses
from pathlib import Path
import threading
from typing import TypeVar

from il_ros.contract.contract import Contract
from il_ros.contract.episode_spec import POLICY
from il_ros.errors import ImitationError
from il_ros.learning import checkpoint
from il_ros.learning.dry_run import dry_run
from il_ros.learning.places import find_policy
from il_ros.learning.policy import Images, Policy, UNKNOWN
from il_ros.learning.runner import Runner
from il_ros.ros import qos, runtime
from il_ros.ros.conversion.images import images_of
from il_ros.ros.conversion.messages import to_ns
from il_ros.ros.driver import Driver
from il_ros.ros.listening import every, listen
from il_ros.ros.node import ManagedNode
from il_ros.ros.parameters import bounded, choice, flag, text
from il_ros.ros.policy_loading import Loader, read_in_time
from il_ros.ros.serving import serve
from il_ros_interfaces.msg import Executed, Observation, PolicyStatus
from il_ros_interfaces.srv import LoadPolicy
import numpy as np
from rclpy.subscription import Subscription

Answer = TypeVar('Answer')

DRY_RUN_OBSERVATIONS = 100
"""The newest observations are kept: a candidate must answer all of them before it may run."""


CHECK_S = 0.25
CONTRACT_WAIT_S = 1.0
"""A load waits so long for a first contract; one that comes later is checked when it does."""


class PolicyFailedError(ImitationError):
    """The policy's own code raised."""

    code = PolicyStatus.DRY_RUN_FAILED


@dataclasses.dataclass(frozen=True)
class PolicyParameters:
    """Parameters of the policy node."""

    autostart: bool = flag(True, 'configure and activate at start')
    mode: str = choice('lockstep', ('lockstep', 'realtime'),
                       'lockstep: answer every observation; realtime: only the newest')
    checkpoint: str = text('', 'policy to load at start: folder of a checkpoint, or a run (its '
                               'newest checkpoint), by name or folder; empty: wait for a load')
    runs: str = text('runs', 'folder of the runs, where checkpoint is the name of one')
    load_timeout_s: float = bounded(
        15.0, 1.0, 600.0, 'deadline of a load; one that takes longer is refused [s]')
    executor: str = choice('events', runtime.EXECUTORS, 'executor of the process')


class PolicyNode(ManagedNode):
    """Publishes ``policy/action`` and the latched ``policy_status``; serves ``load_policy``."""

    def __init__(self, **kwargs):
        super().__init__('policy', PolicyParameters, **kwargs)
        self._runner: Runner | None = None
        self._executions: Subscription | None = None
        self._executed_ns = -1
        self._last_answer = ('', -1)
        self._last_step = -1
        self._path = ''
        self._contract: Contract | None = None
        self._contract_known = threading.Event()
        self._recent: deque[tuple[np.ndarray, Images]] = deque(maxlen=DRY_RUN_OBSERVATIONS)
        self._loader = Loader(self._read, self._on_loaded, self.parameters.load_timeout_s)
        self._ticket = 0
        # Not a lifecycle publisher: what runs must be known while the node is inactive, too.
        self._status = self.create_publisher(PolicyStatus, 'policy_status', qos.LATCHED)
        self._driver = Driver(self, POLICY, 'policy/action', self._act, self._on_contract,
                              realtime=self.parameters.mode == 'realtime',
                              is_ready=self._is_ready)
        serve(self, LoadPolicy, 'load_policy', self._on_load, LoadPolicy.Response.NOT_FOUND)
        every(self, CHECK_S, self._loader.check)
        self._publish_status(PolicyStatus.EMPTY)
        self.autostart()

    @property
    def _policy(self) -> Policy | None:
        runner = self._runner
        return runner.policy if runner is not None else None

    def configure(self):
        """Load the checkpoint that the parameter names, if it names one."""
        if self.parameters.checkpoint:
            candidate, path = read_in_time(
                self._read_first, self.parameters.checkpoint, self.parameters.load_timeout_s,
                lambda: runtime.stopping(self.context))
            self._take(candidate, path)
            self._publish_status(PolicyStatus.READY)

    def shut_down(self):
        """Give up a load that is under way."""
        super().shut_down()
        self._loader.close()

    def _on_contract(self, contract: Contract):
        self._contract = contract
        self._recent.clear()
        self._contract_known.set()
        if self._policy is not None:
            self._fits(self._policy, contract)

    def _fits(self, policy: Policy, contract: Contract) -> bool:
        """Keep the policy that runs only if it is for this contract."""
        try:
            checkpoint.check(policy, contract)
        except ImitationError as error:
            self._runner = None
            self._refuse(error)
            return False
        return True

    def _is_ready(self, observation: Observation) -> bool:
        """Tell whether it is known who drove the last step, where a plan depends on it."""
        runner, (episode_id, stamp_ns) = self._runner, self._last_answer
        return (runner is None or not runner.policy.horizons.queued
                or observation.episode_id != episode_id or self._executed_ns >= stamp_ns
                or self._driver.repeated or self.parameters.mode == 'realtime')

    def _on_executed(self, message: Executed):
        stamp_ns = to_ns(message.header.stamp)
        if stamp_ns == self._executed_ns:
            return
        self._executed_ns = stamp_ns
        if self._runner is not None and message.driver != POLICY:
            self._runner.discard_plan()
        self._driver.resume()

    def _act(self, observation: Observation, values: np.ndarray) -> np.ndarray | None:
        runner, answer, contract = self._runner, self._driver.answer, self._contract
        answer.uncertainty = UNKNOWN
        if contract is None:
            return None
        stamp_ns = to_ns(observation.header.stamp)
        try:
            images = images_of(observation, contract)
            self._recent.append((values, images))
            if runner is None or not self.active:
                return None
            answer.policy_id = runner.policy.policy_id
            if observation.step <= self._last_step and stamp_ns != self._last_answer[1]:
                runner.begin(observation.episode_id, anew=True)
            self._last_step = observation.step
            self._last_answer = (observation.episode_id, stamp_ns)
            runner.begin(observation.episode_id)
            action = _ask(runner.act, stamp_ns, values, images)
            answer.uncertainty = runner.uncertainty
            return action
        except ImitationError as error:
            self.report_problem(error, throttle_s=5.0)
            return None

    def _on_load(self, request, response):
        busy = self._loader.busy
        if busy:
            response.error_code, response.error_msg = response.BUSY, busy
        elif not self._loader.begin(request.path, request.sha256):
            response.error_code = response.NOT_FOUND
            response.error_msg = f'{request.path}: there is no checkpoint folder'
        else:
            self._ticket += 1
            response.ticket = self._ticket
            self._publish_status(PolicyStatus.LOADING)
            self._loader.go()
        return response

    def _read(self, path: str, sha256: str) -> tuple[Policy, Contract | None]:
        """Return a candidate, and the contract that it was tried out for."""
        candidate = checkpoint.load(Path(path), sha256)
        self._contract_known.wait(CONTRACT_WAIT_S)
        checked = self._contract
        self._try_out(candidate, checked)
        return candidate, checked

    def _read_first(self, text: str, _: str) -> tuple[Policy, str]:
        folder = find_policy(Path(self.parameters.runs), text)
        candidate = checkpoint.load(folder)
        _ask(dry_run, candidate, ())
        return candidate, str(folder)

    def _on_loaded(self, path: str, outcome: tuple[Policy, Contract | None] | ImitationError):
        if isinstance(outcome, ImitationError):
            self._refuse(outcome)
            return
        candidate, checked = outcome
        self._take(candidate, path)
        contract = self._contract
        if contract is not None and contract is not checked and not self._fits(
                candidate, contract):
            return
        self.problem = ''
        self._publish_status(PolicyStatus.READY)

    def _try_out(self, candidate: Policy, contract: Contract | None):
        if contract is not None:
            checkpoint.check(candidate, contract)
        _ask(dry_run, candidate, tuple(self._recent))

    def _take(self, policy: Policy, path: str):
        if policy.horizons.queued and self._executions is None:
            self._executions = listen(
                self, Executed, 'executed', self._on_executed, qos.STREAM)
        self._path = path
        self._runner = Runner(policy)

    def _refuse(self, error: ImitationError):
        self.problem = str(error)
        self.get_logger().error(f'policy refused: {error}')
        self._publish_status(PolicyStatus.REFUSED, error.code or PolicyStatus.DAMAGED, str(error))

    def _publish_status(self, state: int, error_code: int = 0, error_msg: str = ''):
        policy = self._policy
        status = PolicyStatus(
            state=state, ticket=self._ticket, error_code=error_code, error_msg=error_msg)
        status.header.stamp = self.get_clock().now().to_msg()
        if policy is not None:
            status.policy_id, status.sha256 = policy.policy_id, policy.sha256
            status.path = self._path
        self._status.publish(status)

    def report(self) -> tuple[bytes, str, dict]:
        """Return which policy answers, and how often."""
        policy = self._policy
        values = {'answered': self._driver.answered, 'unanswered': self._driver.unanswered,
                  'policy': policy.sha256[:16] if policy else ''}
        return self.state('ready' if policy else 'no policy loaded', values)


def _ask(question: Callable[..., Answer], *arguments) -> Answer:
    try:
        return question(*arguments)
    except ImitationError:
        raise
    except Exception as error:  # noqa: B902 - the one place where a policy's code is called
        raise PolicyFailedError(
            f'the policy failed: {type(error).__name__}: {error}') from error
