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

"""Who drives a step, for every kind of plan."""

from il_ros.contract.contract import ActionElement, Contract, TOOL_VELOCITY
from il_ros.contract.episode_spec import DrivePlan, EXPERT, POLICY, TELEOP
from il_ros.driving.driving import BadPlanError, Driving, required_drivers
import numpy as np
import pytest

CONTRACT = Contract('plane', 20.0, (), TOOL_VELOCITY, 'base', (
    ActionElement('linear_x', 'm/s', -0.5, 0.5), ActionElement('linear_y', 'm/s', -0.5, 0.5)))
LEFT = np.array([-0.5, 0.0], np.float32)
RIGHT = np.array([0.5, 0.0], np.float32)
NAN = np.array([np.nan, 0.0], np.float32)
NONE = np.array([], np.float32)
ID = 'rollout-r01-004000'
GATED = DrivePlan(driver=POLICY, gate='discrepancy')


def _driving(plan, episode_id=ID, **options) -> Driving:
    return Driving(plan, episode_id, CONTRACT, **options)


def _chosen(driving, steps, policy=LEFT, expert=RIGHT) -> list[int]:
    return [driving.choose({EXPERT: expert, POLICY: policy}).chosen for _ in range(steps)]


@pytest.mark.parametrize('plan, required', [
    (DrivePlan(driver=EXPERT), (EXPERT,)),
    (DrivePlan(driver=POLICY), (POLICY,)),
    (DrivePlan(driver=TELEOP), (TELEOP,)),
    (DrivePlan(driver=POLICY, beta=1.0), (EXPERT,)),
    (DrivePlan(driver=POLICY, beta=0.3), (EXPERT, POLICY)),
    (GATED, (EXPERT, POLICY))])
def test_who_is_waited_for_follows_from_the_plan(plan, required):
    assert required_drivers(plan) == _driving(plan).required == required


@pytest.mark.parametrize('driver', [EXPERT, POLICY, TELEOP])
def test_a_lone_driver_drives_with_its_own_action(driver):
    driving = _driving(DrivePlan(driver=driver))
    driving.engaged = True
    choice = driving.choose({driver: RIGHT})
    assert choice.chosen == driver
    assert choice.action is RIGHT
    assert (choice.gate, choice.refused) == (-1.0, False)


def test_beta_is_reported_as_the_chance_that_the_expert_drives():
    assert _driving(DrivePlan(driver=EXPERT)).choose({EXPERT: RIGHT}).beta == 1.0
    assert _driving(DrivePlan(driver=POLICY)).choose({POLICY: RIGHT}).beta == 0.0
    plan = DrivePlan(driver=POLICY, beta=0.25)
    assert _driving(plan).choose({POLICY: RIGHT, EXPERT: LEFT}).beta == 0.25


def test_at_beta_one_the_expert_drives_every_step():
    assert set(_chosen(_driving(DrivePlan(driver=POLICY, beta=1.0)), 50)) == {EXPERT}


def test_the_expert_drives_the_share_of_steps_that_beta_says():
    chosen = _chosen(_driving(DrivePlan(driver=POLICY, beta=0.3)), 10_000)
    # Five standard deviations of a binomial share of 10,000 draws.
    assert chosen.count(EXPERT) / 10_000 == pytest.approx(0.3, abs=0.023)


def test_the_same_seed_and_episode_draw_the_same_and_others_do_not():
    plan = DrivePlan(driver=POLICY, beta=0.5, seed=4)
    drawn = _chosen(_driving(plan), 64)
    assert _chosen(_driving(plan), 64) == drawn
    assert _chosen(_driving(plan, 'rollout-r01-004001'), 64) != drawn
    assert _chosen(_driving(DrivePlan(driver=POLICY, beta=0.5, seed=5)), 64) != drawn


def test_a_draw_is_the_same_in_every_process_and_version():
    chosen = _chosen(_driving(DrivePlan(driver=POLICY, beta=0.5, seed=0)), 16)
    assert ''.join('-EP'[source] for source in chosen) == 'EEPEPEPEEPPEEEPP'


@pytest.mark.parametrize('answer', [None, NONE])
@pytest.mark.parametrize('driver', [EXPERT, POLICY])
def test_a_chosen_driver_without_an_answer_means_hold(driver, answer):
    choice = _driving(DrivePlan(driver=driver)).choose({driver: answer})
    assert choice[:5] == (driver, None, float(driver == EXPERT), -1.0, True)


def test_a_missing_answer_does_not_shift_the_draws():
    plan = DrivePlan(driver=POLICY, beta=0.5)
    silent, answering = _driving(plan), _driving(plan)
    assert _chosen(silent, 40, policy=None) == _chosen(answering, 40)


def test_the_gate_hands_over_on_the_second_disagreement_and_says_so():
    driving = _driving(GATED)
    assert driving.driving == POLICY
    assert _chosen(driving, 3) == [POLICY, EXPERT, EXPERT]
    assert driving.driving == EXPERT


def test_the_gate_reports_what_it_compared():
    choice = _driving(GATED).choose({EXPERT: RIGHT, POLICY: 0.5 * RIGHT})
    assert choice.gate == pytest.approx(0.5)


WIDE = np.ones(17, np.float32)


@pytest.mark.parametrize('policy', [None, NONE, NAN, WIDE, WIDE[:1]])
def test_a_policy_that_cannot_answer_loses_the_wheel(policy):
    driving = _driving(GATED)
    first, second = (driving.choose({EXPERT: RIGHT, POLICY: policy}) for _ in range(2))
    assert first.chosen == POLICY
    assert second.chosen == EXPERT and second.action is RIGHT
    assert first.gate == second.gate == -1.0


@pytest.mark.parametrize('expert', [None, NONE, NAN, WIDE, WIDE[:1]])
def test_an_expert_that_cannot_answer_is_not_handed_the_wheel(expert):
    assert set(_chosen(_driving(GATED), 20, expert=expert)) == {POLICY}


def test_an_adapted_threshold_overrides_the_plans():
    assert _driving(GATED).threshold == GATED.threshold
    carried = _driving(GATED, gate_threshold=2.5)
    assert carried.threshold == 2.5
    assert _driving(GATED, gate_threshold=0.0).threshold == GATED.threshold
    assert set(_chosen(carried, 20)) == {POLICY}
    assert _driving(DrivePlan(driver=POLICY)).threshold == -1.0


@pytest.mark.parametrize('plan, field', [
    (DrivePlan(driver=POLICY, gate='novelty', threshold=0.0, target_rate=0.1), 'plan.threshold'),
    (DrivePlan(driver=POLICY, gate='novelty', target_rate=1.0), 'plan.target_rate'),
    (DrivePlan(driver=POLICY, gate='human', beta=0.5), 'plan.beta'),
    (DrivePlan(driver=TELEOP, gate='human'), 'plan.gate'),
    (DrivePlan(driver=EXPERT, gate='discrepancy'), 'plan.gate'),
    (DrivePlan(driver=POLICY, noise_covariance=(1.0,)), 'plan.noise_covariance'),
    (DrivePlan(driver=POLICY, gate='discrepancy', target_rate=0.1), 'plan.target_rate'),
    (DrivePlan(driver=POLICY, gate='discrepancy', threshold=-0.1), 'plan.threshold'),
    (DrivePlan(driver=POLICY, gate='discrepancy', release_threshold=-0.1),
     'plan.release_threshold'),
    (DrivePlan(driver=POLICY, gate='discrepancy', takeover_level=1.0), 'plan.takeover_level'),
    (DrivePlan(driver=POLICY, gate='novelty', target_rate=-0.1), 'plan.target_rate'),
    (DrivePlan(driver=POLICY, gate='discrepancy', hold_min=20), 'plan.hold_max'),
    (DrivePlan(driver=TELEOP, beta=0.5), 'plan.beta')])
def test_a_plan_that_nobody_can_drive_is_refused_by_its_field(plan, field):
    with pytest.raises(BadPlanError, match=field) as refusal:
        _driving(plan)
    assert refusal.value.code == 301


HUMAN = DrivePlan(driver=POLICY, gate='human')


def test_a_person_drives_while_the_dead_mans_button_is_held_and_no_step_longer():
    driving = _driving(HUMAN)
    assert driving.required == (POLICY, TELEOP)
    chosen = []
    for engaged in (False, True, True, False):
        driving.engaged = engaged
        chosen.append(driving.choose({POLICY: LEFT, TELEOP: RIGHT if engaged else NONE}).chosen)
    assert chosen == [POLICY, TELEOP, TELEOP, POLICY]


def test_a_person_alone_who_lets_go_of_the_button_holds_the_arm():
    choice = _driving(DrivePlan(driver=TELEOP)).choose({TELEOP: RIGHT})
    assert (choice.chosen, choice.action, choice.refused) == (TELEOP, None, True)


NOVEL = DrivePlan(driver=POLICY, gate='novelty', threshold=0.2, release_threshold=0.1, smoothing=0,
                  release_patience=2, hold_max=5)


def _novel_steps(driving, uncertainties) -> list[tuple]:
    """Return (required, chosen, gate) of each step, as a supervisor goes through them."""
    steps = []
    for uncertainty in uncertainties:
        driving.watch(LEFT, uncertainty)
        required = driving.required
        choice = driving.choose({source: {EXPERT: RIGHT, POLICY: LEFT}[source]
                                 for source in required})
        steps.append((required, choice.chosen, choice.gate))
    return steps


def test_under_the_novelty_gate_the_expert_is_asked_only_while_it_drives():
    both = (EXPERT, POLICY)
    assert _novel_steps(_driving(NOVEL), (0.1, 0.3, 0.15, 0.05, 0.05, 0.05)) == [
        ((POLICY,), POLICY, 0.1), (both, EXPERT, 0.3), (both, EXPERT, 0.15),
        (both, EXPERT, 0.05), (both, POLICY, 0.05), ((POLICY,), POLICY, 0.05)]


@pytest.mark.parametrize('policy, uncertainty', [(None, 0.0), (NONE, 0.0), (LEFT, -1.0)])
def test_a_policy_that_cannot_say_how_sure_it_is_counts_as_lost(policy, uncertainty):
    driving = _driving(NOVEL)
    assert driving.watch(policy, uncertainty)
    assert driving.required == (EXPERT, POLICY)
    choice = driving.choose({EXPERT: RIGHT, POLICY: policy})
    assert (choice.chosen, choice.gate) == (EXPERT, -1.0)


def test_a_second_answer_to_the_same_step_does_not_advance_the_novelty_gate():
    driving = _driving(NOVEL)
    assert driving.watch(LEFT, 0.3)
    assert not driving.watch(LEFT, 0.0)
    assert driving.choose({EXPERT: RIGHT, POLICY: LEFT}).chosen == EXPERT


@pytest.mark.parametrize('target', [0.1, 0.3])
@pytest.mark.parametrize('scale', [0.02, 3.0])
def test_an_adapted_threshold_meets_its_target_whatever_the_scale(target, scale):
    plan = DrivePlan(driver=POLICY, gate='novelty', threshold=0.2, release_threshold=0.1,
                     smoothing=0, target_rate=target, hold_max=15)
    random, threshold, drove = np.random.default_rng(7), -1.0, 0
    for episode in range(60):
        driving = _driving(plan, f'rollout-r01-{episode:06d}', gate_threshold=threshold)
        # What is novel stays so for a while: a signal that is correlated in time.
        signal = scale * np.exp(np.convolve(random.normal(size=59), np.ones(10) / 10, 'valid'))
        drove += sum(chosen == EXPERT for _, chosen, _ in _novel_steps(driving, signal))
        threshold = driving.threshold
    # The bound that ADAPTATION names, with the threshold's whole way between the two scales.
    assert drove / 3000 == pytest.approx(target, rel=0.25)


COVARIANCE = (0.04, 0.01, 0.01, 0.02)


def test_an_expert_drives_under_the_noise_that_the_plan_says_and_its_label_stays_its_own():
    driving = _driving(DrivePlan(driver=EXPERT, noise_covariance=COVARIANCE))
    choices = [driving.choose({EXPERT: RIGHT}) for _ in range(4000)]
    assert all(choice.action is RIGHT for choice in choices)
    noise = np.array([choice.disturbed for choice in choices]) - RIGHT
    assert np.cov(noise.T).ravel() == pytest.approx(COVARIANCE, abs=0.003)
    assert np.abs(noise.mean(axis=0)).max() < 0.01


def test_noise_is_not_added_to_an_action_of_another_width():
    driving = _driving(DrivePlan(driver=EXPERT, noise_covariance=COVARIANCE))
    assert driving.choose({EXPERT: WIDE}).disturbed is WIDE


def test_noise_is_the_same_for_the_same_seed_and_episode():
    plan = DrivePlan(driver=EXPERT, noise_covariance=COVARIANCE, seed=3)

    def drawn(plan, episode_id=ID):
        driving = _driving(plan, episode_id)
        return np.array([driving.choose({EXPERT: RIGHT}).noise for _ in range(5)]).tolist()
    assert drawn(plan) == drawn(plan)
    assert drawn(plan, 'rollout-r01-004001') != drawn(plan)


@pytest.mark.parametrize('covariance, sentence', [
    ((1.0,), 'has 1 numbers; expected 4'), ((1.0, 2.0, 2.0, 1.0), 'negative eigenvalue')])
def test_a_covariance_that_is_none_is_refused(covariance, sentence):
    with pytest.raises(BadPlanError, match=sentence):
        _driving(DrivePlan(driver=EXPERT, noise_covariance=covariance))


@pytest.mark.parametrize('plan', [
    DrivePlan(driver=POLICY, gate='novelty', threshold=0.0),
    DrivePlan(driver=POLICY, gate='discrepancy', release_threshold=0.0),
    DrivePlan(driver=POLICY, gate='discrepancy', takeover_level=0.0),
    DrivePlan(driver=POLICY, gate='discrepancy', hold_min=7, hold_max=7),
    DrivePlan(driver=POLICY, gate='discrepancy', hold_min=7, hold_max=0),
    DrivePlan(driver=EXPERT, threshold=-0.1, release_threshold=-0.1, takeover_level=1.0),
    DrivePlan(driver=EXPERT, hold_min=20)])
def test_a_plan_at_the_ends_of_what_can_be_driven_is_taken(plan):
    assert _driving(plan).required


def test_answers_that_are_the_same_never_hand_over():
    choice = _driving(GATED).choose({EXPERT: RIGHT, POLICY: RIGHT})
    assert (choice.chosen, choice.gate) == (POLICY, 0.0)
    assert set(_chosen(_driving(GATED), 20, policy=RIGHT)) == {POLICY}


def test_required_grows_at_the_answer_that_hands_over_and_at_no_other():
    driving = _driving(NOVEL)
    assert driving.watch(LEFT, 0.2) is False, 'at the threshold'
    driving.choose({POLICY: LEFT})
    assert driving.watch(LEFT, 0.3) is True
    assert driving.watch(LEFT, 0.3) is False
    driving.choose({EXPERT: RIGHT, POLICY: LEFT})
    assert driving.watch(LEFT, 0.3) is False, 'it is required already'
    assert _driving(GATED).watch(LEFT, 9.0) is _driving(HUMAN).watch(LEFT, 9.0) is False


def test_a_policy_that_is_quite_sure_is_not_novel():
    assert _novel_steps(_driving(NOVEL), (0.0, 0.0)) == [((POLICY,), POLICY, 0.0)] * 2


def test_at_beta_zero_no_draw_hands_over():
    assert set(_chosen(_driving(DrivePlan(driver=POLICY, beta=0.0)), 50)) == {POLICY}


def test_noise_leaves_the_hand_alone_wherever_it_stands():
    hand = ActionElement('gripper_opening', 'm', 0.0, 0.08)
    plan = DrivePlan(driver=EXPERT, noise_covariance=COVARIANCE)
    for index, actions in enumerate(((hand, CONTRACT.actions[0]), (CONTRACT.actions[0], hand))):
        contract = Contract('hand', 20.0, (), TOOL_VELOCITY, 'base', actions)
        noise = Driving(plan, ID, contract).choose({EXPERT: RIGHT}).noise
        assert noise[index] == 0.0 and noise[1 - index] != 0.0


@pytest.mark.parametrize('large, small, taken', [
    (0.5, -0.5e-6, True), (0.5, -1.5e-6, False), (4.0, -3e-6, True), (4.0, -5e-6, False)])
def test_a_covariance_may_be_singular_as_far_as_numbers_are_rounded(large, small, taken):
    plan = DrivePlan(driver=EXPERT, noise_covariance=(large, 0.0, 0.0, small))
    if taken:
        assert _driving(plan).choose({EXPERT: RIGHT}).noise[1] == 0.0
    else:
        with pytest.raises(BadPlanError):
            _driving(plan)
