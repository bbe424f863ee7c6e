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

"""A study before it runs: what is asked for, refused, cut down, and drawn from disk."""

import dataclasses
import json
from pathlib import Path
import shlex

from il_ros.cli import parser
from il_ros.cli.dagger import goal_of
from il_ros.cli.run_verbs import _specs
from il_ros.contract.episode_spec import EpisodeSpec
from il_ros.episodes.receipts import Receipt
from il_ros.errors import ImitationError
from il_ros.experiments.label_efficiency import command
from il_ros.experiments.label_efficiency.collecting import DemonstrationJob, Kind, RunJob
from il_ros.experiments.label_efficiency.demonstrations import counts, labels_of
from il_ros.experiments.label_efficiency.demonstrations import RecordedDemonstration, still_wanted
from il_ros.experiments.label_efficiency.evaluation import Driver, Evaluator, EXPERT
from il_ros.experiments.label_efficiency.plan import begin, Method, Plan, plan_of, StudyError
from il_ros.experiments.label_efficiency.plan import VALIDATION_FIRST
from il_ros.experiments.label_efficiency.points import nearest
from il_ros.experiments.label_efficiency.publication import mixed
from il_ros.experiments.label_efficiency.results import Cloned
from il_ros.experiments.rollouts import Conditions, RolloutRunner
from il_ros.interactive.strategies import make_strategy
from il_ros.interactive.strategy import Strategy
from il_ros.learning import checkpoint
import numpy as np
import pytest


def planned(*words: str) -> Plan:
    """Return the plan of a command line."""
    return plan_of(parser.make_parser().parse_args(['study', *words]))


def test_the_default_is_the_documented_one_and_its_command_line_asks_for_the_same():
    plan = planned()
    assert (plan.tasks, plan.seeds, plan.rounds, plan.episodes) == (
        ('push',), tuple(range(10)), 6, 200)
    assert [method.name for method in plan.methods] == [
        'corrections', 'gated', 'novelty', 'dagger', 'dart', 'shift']
    assert plan.named == 'corrections' and plan.first_seed == 1_000_000
    assert planned(*plan.command().split()[2:]) == plan


def test_quick_cuts_a_study_down_but_never_enlarges_it():
    plan = planned('--quick', '--tasks', 'reach', 'push', '--rounds', '9', '--episodes', '20')
    assert (plan.tasks, plan.seeds, plan.rounds, plan.episodes) == (('reach',), (0, 1), 4, 20)
    assert [method.name for method in plan.methods] == ['corrections', 'gated']


def test_the_command_line_of_a_study_says_where_its_runs_lie(tmp_path):
    words = planned().command(tmp_path).split()[2:]
    assert parser.make_parser().parse_args(['study', *words]).runs == str(tmp_path)
    assert '--runs' not in planned().command(Path('runs')).split()


def test_a_way_may_have_settings_and_a_name_of_its_own(tmp_path):
    path = tmp_path / 'often.yaml'
    path.write_text('strategy: {gate: {target_rate: 0.3}}\ntraining: {inputs: [goal_position]}')
    plan = planned('--strategies', 'novelty', f'often=novelty:{path}')
    assert plan.methods[1] == Method('often', 'novelty', str(path))
    rates = [method.load().plan(1, 0).target_rate for method in plan.methods]
    assert rates == [0.1, 0.3]
    assert planned(*plan.command().split()[2:]) == plan


@pytest.mark.parametrize('words, said', [
    ('--tasks moon', 'moon'), ('--strategies luck', "'luck'"), ('--seeds 1 51', 'multiple of 50'),
    ('--strategies gated gated', 'the same twice'),
    ('--named dart --strategies gated', '--primary'),
    ('--strategies bc=gated:x.yaml', "not 'bc'"), ('--strategies a=gated', 'NAME=STRATEGY'),
    ('--first-seed 700000', '--first-seed is 700000'), ('--first-seed 9 --validation', '--first'),
    ('--first-seed 1000000 --validation', '--first-seed is 1000000'),
    ('--first-seed 4294967295 --episodes 5', 'the last seed would be 4294967299'),
    ('--first-seed 999999 --validation --episodes 2', '--first-seed is 999999'),
    ('--run ../x', "--run is '../x'"), ('--episodes-per-round 5000', 'at most 6000'),
    ('--options x', 'options are not JSON'), ('--strategies human', "'human'; a study runs"),
    ('--strategies me=human:x.yaml', "'human'; a study runs")])
def test_what_cannot_work_is_refused_in_one_sentence_before_anything_is_done(
        words, said, tmp_path, capsys):
    assert parser.main(['study', *words.split(), '--runs', str(tmp_path)]) == 1
    assert said in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_validation_seeds_lie_apart_from_all_others():
    plan = planned('--validation')
    assert plan.on_validation and plan.evaluation_seeds()[0] == VALIDATION_FIRST


def test_a_study_goes_on_as_it_began_and_remembers_its_commits(tmp_path):
    plan, folder = planned('--strategies', 'gated'), tmp_path / 'study'
    assert begin(folder, plan, 'a') == ('a',)
    assert begin(folder, plan, 'a') == ('a',)
    written = json.loads((folder / 'plan.json').read_text())['plan']
    assert [one['name'] for one in written['ways']] == ['gated'] and 'methods' not in written
    assert not mixed(('a',))
    assert begin(folder, plan, 'b') == ('a', 'b')
    assert 'run with 2 versions of the code (a, b)' in mixed(('a', 'b'))[0]
    with pytest.raises(StudyError, match=r'a study with rounds 6 \(given: '):
        begin(folder, dataclasses.replace(plan, rounds=7), 'b')
    (tmp_path / 'other' / 'episodes').mkdir(parents=True)
    with pytest.raises(StudyError, match='something else'):
        begin(tmp_path / 'other', plan, 'a')


@pytest.mark.parametrize('words', ((), ('--quick',)))
def test_a_study_that_is_resumed_keeps_its_seeds(words, tmp_path):
    words = ('--run', 'old', '--runs', str(tmp_path), '--strategies', 'gated', *words)
    began = planned(*words, '--seeds', '4', '5', '6')
    begin(tmp_path / 'old', began, 'a')
    assert planned(*words) == began and begin(tmp_path / 'old', planned(*words), 'a') == ('a',)
    with pytest.raises(StudyError, match=r'a study with seeds \[4, 5'):
        begin(tmp_path / 'old', planned(*words, '--seeds', '7', '8'), 'a')
    (tmp_path / 'old' / 'plan.json').write_text('{')
    with pytest.raises(StudyError, match='cannot be read'):
        begin(tmp_path / 'old', planned(*words), 'a')


def test_a_run_over_the_graph_is_asked_for_what_a_process_does(tmp_path):
    config = tmp_path / 'own.yaml'
    config.write_text('{}')
    plan = planned('--strategies', 'gated', '--config', str(config), '--horizon', '30',
                   '--options', '{"bumps":{"rate":0.1,"speed":0.5}}')
    kind = Kind('', tuple(plan.kind_of_episodes()))
    job = RunJob(plan.goal('push', plan.methods[0], 3), tmp_path / 'push-gated-3', kind)
    args = parser.make_parser().parse_args(job.command.words)
    assert goal_of(args) == job.goal and Path(args.runs) / args.run == job.folder and args.resume
    job = DemonstrationJob(job.goal, range(30_000, 30_004), tmp_path / 'push-bc-3', kind)
    args = parser.make_parser().parse_args(job.command.words)
    assert _specs(args, range(args.seed, args.seed + args.episodes)) == job.specs
    assert Path(args.runs) / args.run == job.folder


def test_budgets_are_met_by_whole_demonstrations_and_none_comes_twice():
    labels = np.array([30, 60, 90, 120, 150, 180, 210, 240])
    assert [nearest(labels, budget) for budget in (1, 44, 45, 46, 1000)] == [1, 1, 2, 2, 8]
    # The budgets themselves, and from the smaller largest one in small steps up to twice 120.
    assert counts(labels, [(58, 62), (31, 120)], stretch=2) == [1, 2, 3, 4, 5, 6, 8]
    found = counts(np.arange(10, 10_010, 10), [(100, 200), (100, 1000)], stretch=4)
    assert (found[0], found[1], found[-1]) == (10, 20, 400)
    assert max(b / a for a, b in zip(found[1:], found[2:])) <= 1.27


def demonstration(labels: int, flags: int = 0) -> RecordedDemonstration:
    """Return a demonstration that brought so many labels."""
    spec = EpisodeSpec('demonstration-r00-000000', 'r', 'push')
    return RecordedDemonstration(None, Receipt(spec, labels=labels, flags=flags))


def test_what_is_still_to_be_recorded_follows_from_what_is_there():
    demonstrations = [demonstration(30), demonstration(40, flags=8), demonstration(30)]
    assert labels_of(demonstrations).tolist() == [30, 30, 60]
    assert still_wanted(demonstrations, 60, 30.0) == 0
    assert still_wanted(demonstrations, 100, 30.0) == 2
    assert still_wanted([], 100, 30.0) == 4
    assert still_wanted(demonstrations, 10 ** 9, 30.0) == 4000 - 3, 'the block of a seed is finite'


def test_learners_of_two_kinds_share_one_data_set_with_the_budgets_of_both(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(command, 'prepare', lambda *given: made.append(given))
    clones = [Cloned('push', name, 0, tmp_path, ['demonstrations'], numbers, [])
              for name, numbers in (('BC', [1, 4]), ('BC as novelty', [2, 4]))]
    command.Steps(planned(), tmp_path, 1)._aggregate(clones)
    assert made == [(tmp_path, ['demonstrations'], {1, 2, 4})]


@pytest.fixture(scope='module')
def evaluator(follower, tmp_path_factory):
    """Return an evaluator with three episodes, and a policy that it has evaluated."""
    found = Evaluator(tmp_path_factory.mktemp('evaluator'), Conditions('push', 60),
                      range(505_000, 505_003))
    driver = Driver(str(follower), checkpoint.load(follower).sha256)
    found.run([driver, EXPERT, driver], 1)
    return found, driver


def test_a_verdict_is_what_the_episodes_say_and_the_expert_makes_no_mistake(evaluator, follower):
    found, driver = evaluator
    rollouts = RolloutRunner(Conditions('push', 60), str(follower))
    episodes = [rollouts.run(seed) for seed in range(505_000, 505_003)]
    rollouts.close()
    assert found.found(driver).wins == ''.join(str(int(one.success)) for one in episodes)
    assert found.found(driver).steps == sum(one.steps for one in episodes)
    assert found.found(driver).mistakes > 0 and found.found(EXPERT).mistakes == 0
    assert found.found(EXPERT).wins == '111'


def test_nobody_is_judged_twice_and_another_checkpoint_or_reset_is_another_matter(evaluator):
    found, driver = evaluator
    on_done = []
    found.run([driver, EXPERT], 1, lambda: on_done.append(1))
    assert not on_done
    assert found.found(driver._replace(sha256='b' * 64)) is None
    with pytest.raises(ImitationError, match='expected b'):
        found.run([driver._replace(sha256='b' * 64)], 1)
    other = Evaluator(found._folder, Conditions('push', 60), range(505_000, 505_004))
    assert other.found(EXPERT) is None


def test_a_strategy_may_be_an_object_of_a_module(package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('all', 'slow', 'often'):
        Path(f'{name}.yaml').write_text('strategy: {}\n')
    package('own_ways', {}, own_ways='from il_ros.interactive.strategies import Gated\n'
                                     'class Eager(Gated):\n    pass\n')
    found = planned('--strategies', 'own_ways:Eager', 'lazy=own_ways:Eager',
                    'slow=own_ways:Eager:slow.yaml', 'often=gated:often.yaml',
                    '--config', 'all.yaml', '--primary', 'eager')
    assert [(way.name, way.strategy, way.config) for way in found.methods] == [
        ('eager', 'own_ways:Eager', 'all.yaml'), ('lazy', 'own_ways:Eager', 'all.yaml'),
        ('slow', 'own_ways:Eager', 'slow.yaml'), ('often', 'gated', 'often.yaml')]
    assert planned(*shlex.split(found.command())[2:]) == found
    assert isinstance(make_strategy('own_ways:Eager'), Strategy)
