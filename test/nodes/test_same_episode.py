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

"""The graph and the Gymnasium environment give the same episodes, bit for bit, in any order."""

import dataclasses
import itertools

from il_ros.contract.episode_spec import EXPERT, POLICY
from il_ros.contract.observation import parts_of
from il_ros.driving.driving import Driving
from il_ros.episodes.reader import read_episode
from il_ros.learning import checkpoint
from il_ros.learning.horizons import Horizons
from il_ros.learning.inputs import Inputs
from il_ros.learning.nets.cnn import Cnn, Encoder
from il_ros.learning.nets.mlp import Mlp
from il_ros.learning.normaliser import Normaliser
from il_ros.learning.policy import Policy
from il_ros.learning.runner import Runner
from il_ros.nodes.policy import PolicyNode
from il_ros.sim.environment import Environment
from il_ros.tasks.contracts import find_contract
from il_ros.tasks.expert_registry import make_expert
from il_ros.tasks.registry import TASKS
from il_ros_interfaces.msg import PolicyStatus
from il_ros_interfaces.srv import LoadPolicy
import numpy as np
import pytest
from seam import Bench, episode, Graph


def roll_out(environment: Environment, spec, act) -> tuple[np.ndarray, np.ndarray]:
    """Return the observations and what was executed in an episode of the environment."""
    seen, _ = environment.reset(
        seed=spec.seed, options={'horizon': spec.horizon, 'continuing': spec.continuing})
    observations, executed, ended = [seen], [], False
    while not ended:
        seen, _, terminated, truncated, _ = environment.step(act(seen))
        observations.append(seen)
        executed.append(environment.sent.values)
        ended = terminated or truncated
    return np.array(observations), np.array(executed)


def save_policy(folder, task: str, seed: int, strength: float):
    """
    Write a checkpoint with random weights.

    :param strength: sd of its actions, in ranges: the larger, the wilder it drives
    """
    contract, _ = find_contract(task)
    chance = np.random.default_rng(seed)
    target = {feature.name for feature in contract.features} & {'goal_position', 'base_position'}
    inputs = Inputs(contract, [f'{target.pop()} - tool_position', 'tool_position'])
    sizes = ((6, 32), (32, len(contract.actions)))
    net = Mlp(tuple(chance.normal(size=size).astype(np.float32) for size in sizes),
              tuple(chance.normal(size=size[1]).astype(np.float32) for size in sizes))
    scales = [Normaliser(np.zeros(len(sd), np.float32), sd.astype(np.float32))
              for sd in (np.full(6, 0.5), strength * (contract.upper - contract.lower))]
    checkpoint.save(folder, Policy(contract, inputs, *scales, net, {}))
    return folder


def save_memory(folder, task: str, horizons: Horizons, members: int):
    """Write a checkpoint with random weights that looks back and plans ahead."""
    contract, _ = find_contract(task)
    chance, first = np.random.default_rng(3), (members,) if members else ()
    inputs, width = Inputs(contract, ['goal_position - tool_position']), len(contract.actions)
    net = Mlp((chance.normal(size=(*first, 3 * horizons.history, width * horizons.chunk)).astype(
        np.float32),), (np.zeros((*first, width * horizons.chunk), np.float32),))
    scales = [Normaliser(np.zeros(n, np.float32), np.full(n, s, np.float32))
              for n, s in ((3, 0.5), (width, 0.1))]
    checkpoint.save(folder, Policy(contract, inputs, *scales, net, {}, horizons=horizons))
    return folder


def save_seeing(folder, contract: str):
    """Write a checkpoint with random weights that goes by the camera's image."""
    contract, _ = find_contract(contract)
    chance, width = np.random.default_rng(5), len(contract.actions)
    encoder = Encoder((chance.normal(size=(8, 8, 3, 4)).astype(np.float32),),
                      (np.zeros(4, np.float32),), (4,))
    mlp = Mlp((chance.normal(size=(3 + encoder.width, width)).astype(np.float32),),
              (np.zeros(width, np.float32),))
    scales = [Normaliser(np.zeros(n, np.float32), np.full(n, s, np.float32))
              for n, s in ((3, 0.5), (width, 0.1))]
    checkpoint.save(folder, Policy(contract, Inputs(contract, ['tool_position']), *scales,
                                   Cnn({'camera': encoder}, mlp), {}))
    return folder


TWO_TASKS = [task if task in ('push', 'pick_place') else pytest.param(
    task, marks=pytest.mark.drill) for task in TASKS]


class Stand:
    """The graph of one task with a policy node."""

    def __init__(self, bench: Bench, runs, task: str, contract: str = ''):
        self.graph = Graph(bench, runs, task, contract=contract)
        self.statuses = bench.listen(PolicyStatus, 'policy_status')
        bench.add(PolicyNode)

    def load(self, folder):
        """Let the policy node take a checkpoint."""
        ticket = self.graph.bench.call(
            LoadPolicy, 'load_policy', LoadPolicy.Request(path=str(folder))).ticket
        assert self.graph.bench.until(lambda: any(
            s.ticket == ticket and s.state == PolicyStatus.READY for s in self.statuses))

    def run(self, spec):
        """Run an episode and return its receipt and recording."""
        self.graph.begin(spec)
        assert self.graph.bench.until(lambda: self.graph.recorded and (
            self.graph.recorded[-1].spec.episode_id, self.graph.recorded[-1].spec.run) == (
            spec.episode_id, spec.run), timeout_s=30.0)
        receipt = self.graph.recorded[-1]
        return receipt, read_episode(self.graph.runs / spec.run / receipt.path)


@pytest.fixture
def stand(request, tmp_path):
    """Return the graph of a task; the simulation behind it has seen other tests' episodes."""
    with Bench('events') as bench:
        yield Stand(bench, tmp_path, request.param)


@pytest.mark.parametrize('stand', TWO_TASKS, indirect=True)
@pytest.mark.parametrize('driver', [EXPERT, POLICY])
def test_an_episode_of_the_graph_is_that_of_the_environment(stand, tmp_path, driver):
    task = stand.graph.task
    environment = Environment(task)
    act = make_expert(task, environment.contract).act
    if driver == POLICY:
        stand.load(save_policy(tmp_path / 'policy', task, 7, 0.2))
        act = checkpoint.load(tmp_path / 'policy').act
    specs = [episode(11, 40, task, driver),
             dataclasses.replace(episode(12, 0, task, driver), continuing=False)]
    for spec in specs:
        receipt, recorded = stand.run(spec)
        observations, executed = roll_out(environment, spec, act)
        assert receipt.steps == len(executed) > 3
        assert recorded.observations.tobytes() == observations.tobytes()
        assert recorded.executed.tobytes() == executed.tobytes()
        assert receipt.success == environment.state.success
    environment.close()


@pytest.mark.parametrize('stand', ['push'], indirect=True)
@pytest.mark.parametrize('horizons, members', [
    (Horizons(history=3), 2), (Horizons(2, 5, 4), 0),
    (Horizons(1, 4, 2, temporal_ensembling=True), 2)])
def test_a_policy_with_a_memory_and_an_expert_in_turns_drive_as_they_do_in_process(
        stand, tmp_path, horizons, members):
    task = stand.graph.task
    environment = Environment(task)
    stand.load(save_memory(tmp_path / 'policy', task, horizons, members))
    expert = make_expert(task, environment.contract)
    runner = Runner(checkpoint.load(tmp_path / 'policy'))
    spec = episode(21, 40, task, POLICY, beta=0.4)
    driving, step = Driving(spec.plan, spec.episode_id, environment.contract), itertools.count()

    def act(seen):
        choice = driving.choose({EXPERT: expert.act(seen), POLICY: runner.act(next(step), seen)})
        if choice.chosen != POLICY:
            runner.discard_plan()
        return choice.action

    _, recorded = stand.run(spec)
    observations, executed = roll_out(environment, spec, act)
    assert len(set(recorded.driver)) == 2
    assert recorded.observations.tobytes() == observations.tobytes()
    assert recorded.executed.tobytes() == executed.tobytes()
    environment.close()


def test_a_policy_that_sees_images_drives_as_it_does_in_process(tmp_path):
    environment = Environment('push', contract='push_image')
    folder = save_seeing(tmp_path / 'policy', 'push_image')
    policy, images = checkpoint.load(folder), []

    def act(seen):
        values, pictures = parts_of(seen)
        images.append(pictures['camera'])
        return policy.act(values, pictures)

    with Bench('events') as bench:
        stand = Stand(bench, tmp_path, 'push', 'push_image')
        stand.load(folder)
        spec = episode(31, 15, 'push', POLICY)
        _, recorded = stand.run(spec)
        stand.load(folder)  # now with a dry run on what was seen
    _, executed = roll_out(environment, spec, act)
    assert len(np.unique(executed, axis=0)) > 3
    assert recorded.executed.tobytes() == executed.tobytes()
    assert recorded.images['camera'][:-1].tobytes() == np.array(images).tobytes()
    environment.close()


@pytest.mark.parametrize('stand', TWO_TASKS, indirect=True)
def test_each_seed_gives_the_same_in_any_order_and_after_a_bad_policy(stand, tmp_path):
    task = stand.graph.task
    calm = save_policy(tmp_path / 'calm', task, 1, 0.1)
    wild = save_policy(tmp_path / 'wild', task, 2, 0.3)
    contents = {}
    for run, order in (('first', (1, 2, 3)), ('again', (3, 1, 2))):
        stand.load(calm)
        for seed in order:
            spec = dataclasses.replace(episode(seed, 25, task, POLICY), run=run)
            contents[run, seed] = stand.run(spec)[0].content_sha256
        stand.load(wild)
        for seed in (4, 5):
            spec = dataclasses.replace(episode(seed, 40, task, POLICY), run=run)
            contents[run, seed] = stand.run(spec)[0].content_sha256
    assert len(set(contents.values())) == 5
    for seed in range(1, 6):
        assert contents['first', seed] == contents['again', seed]
