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

"""An episode whose end was not observed does not keep the supervisor busy for ever."""

from il_ros.contract.episode_spec import DRIVER_SILENT, RUNNING
from il_ros.ros.conversion.messages import to_stamp
from il_ros_interfaces.msg import Observation
from il_ros_interfaces.srv import EndEpisode
import pytest
from test_supervisor import Arm, CONTRACT, STILL


class ForgetfulArm(Arm):
    """An arm whose task ends an episode at the first call, of which no observation comes."""

    def _end(self, request, response):
        super()._end(request, response)
        response.error_code = EndEpisode.Response.NOT_RUNNING if len(self.ends) > 1 else 0
        return response


@pytest.mark.parametrize('mode', ['lockstep', 'realtime'])
def test_an_observation_from_the_future_does_not_keep_it_busy_when_the_episode_is_over(
        bench, mode):
    arm = ForgetfulArm(bench, mode=mode, silence_s=0.2)
    assert arm.arm().error_code == 0
    arm.drive(STILL)
    late = Observation(contract_id=CONTRACT.id, step=1, phase=RUNNING,
                       episode_id=arm.spec.episode_id, values=[0.0] * CONTRACT.width)
    late.header.stamp = to_stamp(10**15)
    arm._observations.publish(late)
    assert bench.until(lambda: arm.ends)
    assert bench.until(lambda: arm.arm().error_code == 0)


def test_in_lockstep_an_observer_that_says_nothing_after_a_step_ends_the_episode(bench):
    arm = Arm(bench, silence_s=0.2)
    assert arm.arm().error_code == 0
    arm.drive(STILL)
    assert bench.until(lambda: arm.ends)
    assert arm.ends[0].cause == DRIVER_SILENT
    assert arm.ends[0].reason == 'observation did not answer step 0 within 0.2 s'


def test_an_end_that_was_not_observed_is_asked_for_again_when_another_episode_is_to_be_armed(
        bench):
    arm = ForgetfulArm(bench, silence_s=0.2)
    assert arm.arm().error_code == 0
    arm.observe()
    assert bench.until(lambda: arm.ends)
    assert not bench.until(lambda: len(arm.ends) > 1, timeout_s=0.3)
    assert bench.until(lambda: arm.arm(seed=3).error_code == 0)
    assert len(arm.ends) >= 2
