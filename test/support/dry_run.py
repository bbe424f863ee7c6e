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

"""A run without robot, graph or learning: made-up outcomes, the same for the same stage."""

import hashlib
from types import SimpleNamespace

from il_ros.contract.episode_spec import LABEL_NONE, LOST, POLICY, SUCCESS, TERMINATED
from il_ros.interactive import rounds, stage_work
from il_ros.interactive.ledger import ledger
from il_ros.interactive.outcomes import Aggregated, Chosen, Collected, Labelled, Loaded, Measured
from il_ros.interactive.outcomes import Trained


def receipt_of(spec):
    """Return a receipt whose length depends on the seed alone."""
    steps = 20 + spec.seed * 7 % 13
    rollout = spec.plan.driver == POLICY
    watching = not rollout or bool(spec.plan.gate)
    expert = steps // 4 * bool(spec.plan.gate) if rollout else steps
    labels = {0: steps if watching else 0, 1: expert, LABEL_NONE: 0}[spec.plan.labels]
    return SimpleNamespace(
        spec=spec, steps=steps, success=spec.seed % 5 != 0,
        cause=LOST if spec.seed % 7 == 0 else SUCCESS,
        end=TERMINATED, flags=0, labels=labels,
        queries=steps if watching else 0, expert_steps=expert,
        takeovers=int(bool(spec.plan.gate)), gate_threshold=-1.0, error_code=0, error_msg='')


def _collect(state, stage, recorded):
    specs = stage_work.episode_specs(state, stage)
    for spec in stage_work.unrecorded(specs, recorded):
        recorded[spec.episode_id] = receipt_of(spec)
        yield stage.name, spec.episode_id
    return Collected.of(specs, recorded.values(), 2.0)


def outcome_of(state, stage, recorded):
    """Return what a stage other than collecting brings."""
    if stage.act == 'label':
        ids = stage_work.episodes_to_label(state, stage)
        asked = sum(recorded[episode].steps for episode in ids)
        return Labelled(asked, asked - 1, 0.5, 1.0)
    if stage.act == 'measure':
        episodes = stage_work.episodes_to_label(state, stage)
        return Measured(30 * len(episodes), 30 * len(episodes), 3, 0, (0.1, 0.2), 1.0)
    if stage.act == 'aggregate':
        episodes = stage_work.dataset_episodes(state, stage)
        return Aggregated(len(episodes), ledger(state)[-1].labels, 0.25)
    if stage.act == 'train':
        job = stage_work.train_job(state, stage)
        sha256 = hashlib.sha256(job.output.encode()).hexdigest()
        return Trained(job.output, sha256, int(sha256[:16], 16), 0, 0.1, 0.2, 4, 300, 3.0)
    if stage.act == 'choose':
        new, before = (sum(recorded[name].success for name in names)
                       for names in zip(*stage_work.compared_episodes(state, stage.round)))
        return Chosen(stage.round, state.loaded_round(stage.round - 1), 5, new, before, 0.5)
    assert stage_work.checkpoint_for(state, stage) is not None
    return Loaded(0.125)


def run(state, recorded=None, saved=lambda state: None):
    """
    Execute a run as a coordinator does; yields (stage's name, episode or '') as it goes.

    :param recorded: receipts by id; it stands for the disk
    :param saved: called with the state after each stage
    """
    recorded = {} if recorded is None else recorded
    while stage := rounds.next_stage(state):
        yield stage.name, ''
        if stage.act in ('collect', 'evaluate'):
            outcome = yield from _collect(state, stage, recorded)
        else:
            outcome = outcome_of(state, stage, recorded)
        state = state.after(stage, outcome)
        saved(state)
