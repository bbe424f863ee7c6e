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

"""``--resume``: what is not given comes from the run, and all that differs is named at once."""

import dataclasses

from il_ros.cli.parser import make_parser
from il_ros.cli.resuming import refuse_existing, refuse_recorded, resumed_run, resumed_session
from il_ros.contract.episode_spec import ABORTED, DEMONSTRATION, DrivePlan, episode_id, EpisodeSpec
from il_ros.contract.episode_spec import LABEL_EXPERT_DRIVEN, TELEOP
from il_ros.episodes.receipts import DISCARDED, INCOMPLETE, Receipt
from il_ros.errors import CommandError
from il_ros.interactive import run_state
from il_ros.interactive.goal import Goal
from il_ros.loop.run_settings import check_goal
import pytest

GOAL = Goal('first', 'reach', 'gated', config='/a/b.yaml', rounds=3, horizon=40, continuing=True,
            options='{"bumps": {"rate": 0.1, "speed": 0.5}}', evaluation_episodes=0,
            evaluation_first_seed=1_000_050, baseline=False, seed=7)


def words_of(*words: str):
    """Parse a command line."""
    return make_parser().parse_args(words)


def keep(folder, seed: int, **what):
    """Put the receipt of a demonstration where a recorder would."""
    fields = {field.name for field in dataclasses.fields(EpisodeSpec)}
    spec = EpisodeSpec(episode_id(DEMONSTRATION, 0, seed), 'r', 'reach', DEMONSTRATION, seed=seed,
                       horizon=30, **{key: what.pop(key) for key in fields & set(what)})
    place = folder / 'episodes' / 'main'
    place.mkdir(parents=True, exist_ok=True)
    (place / f'{spec.episode_id}.mcap').touch()
    (place / f'{spec.episode_id}.json').write_text(Receipt(spec, **what).to_json())


def test_the_name_of_a_run_suffices_to_resume_it(tmp_path):
    run_state.begin(tmp_path / 'first', GOAL, {})
    words = resumed_run(words_of('dagger', '--run', 'first', '--resume'), tmp_path / 'first')
    assert (words.task, words.strategy, words.rounds, words.seed) == ('reach', 'gated', 3, 7)
    assert (words.config, words.horizon, words.continuing) == ('/a/b.yaml', 40, True)
    assert words.no_baseline and words.first_seed == 1_000_050 and words.options == GOAL.options
    assert words.episodes_per_round == GOAL.episodes_per_round


def test_options_that_are_those_of_the_run_resume_it(tmp_path):
    run_state.begin(tmp_path, GOAL, {})
    resumed_run(words_of(
        'dagger', '--run', 'first', '--resume', '--rounds', '3', '--no-baseline', '--config',
        '/a/b.yaml', '--options', '{"bumps": {"speed": 0.5, "rate": 0.1}}'), tmp_path)


def test_all_options_that_differ_are_named_with_both_values(tmp_path):
    run_state.begin(tmp_path, dataclasses.replace(GOAL, baseline=True), {})
    words = words_of('dagger', '--run', 'first', '--resume', '--task', 'push', '--rounds', '6',
                     '--config', 'c.yaml', '--no-baseline', '--seed', '7')
    with pytest.raises(CommandError) as refused:
        resumed_run(words, tmp_path)
    for part in ('--task reach (given: push)', '--rounds 3 (given: 6)', '--no-baseline no (given: '
                 'yes)', '--config /a/b.yaml (given: c.yaml)'):
        assert part in str(refused.value)
    assert '--seed' not in str(refused.value)


@pytest.mark.parametrize('resumed, verb', [(resumed_run, 'dagger'), (resumed_session, 'record')])
def test_what_is_not_there_is_begun_only_with_a_task(tmp_path, resumed, verb):
    with pytest.raises(CommandError, match="no run 'first' in .* to resume; give --task"):
        resumed(words_of(verb, '--run', 'first', '--resume'), tmp_path / 'first')
    resumed(words_of(verb, '--run', 'first', '--task', 'reach', '--resume'), tmp_path / 'first')
    (tmp_path / 'first').mkdir()
    with pytest.raises(CommandError, match=f'first has nothing that il_ros {verb} could resume'):
        resumed(words_of(verb, '--run', 'first', '--resume'), tmp_path / 'first')


@pytest.mark.parametrize('more', [(), ('--task', 'reach')])
def test_the_old_name_of_a_renamed_run_begins_no_new_one(tmp_path, more, capsys):
    run_state.begin(tmp_path / 'first', GOAL, {})
    (tmp_path / 'first').rename(tmp_path / 'kept')
    (tmp_path / 'damaged').mkdir()
    (tmp_path / 'damaged' / 'run.json').write_text('{')
    words = words_of('dagger', '--run', 'first', '--resume', *more)
    with pytest.raises(run_state.RunExistsError, match=f'{tmp_path}/kept had this name when'):
        resumed_run(words, tmp_path / 'first')
    with pytest.raises(run_state.RunExistsError, match='kept'):
        check_goal(GOAL, resume=True, run=tmp_path / 'first')
    assert not (tmp_path / 'first').exists()
    other = words_of('dagger', '--run', 'second', '--resume', '--task', 'reach')
    assert resumed_run(other, tmp_path / 'second') is other
    assert "no run 'second'" in capsys.readouterr().err


def test_a_session_is_completed_to_the_number_that_was_asked_for(tmp_path):
    for seed in (5, 6, 9):
        keep(tmp_path, seed)
    keep(tmp_path, 7, flags=INCOMPLETE)
    keep(tmp_path, 8, flags=DISCARDED)
    keep(tmp_path, 10, end=ABORTED)
    words, seeds = resumed_session(
        words_of('record', '--run', 'r', '--resume', '--episodes', '6'), tmp_path)
    assert (words.task, words.horizon, words.seed) == ('reach', 30, 5)
    assert seeds == [7, 10, 11]
    words, seeds = resumed_session(
        words_of('record', '--run', 'r', '--resume', '--episodes', '3'), tmp_path)
    assert seeds == []
    with pytest.raises(CommandError, match=r'--task reach \(given: push\), --horizon 30 \('):
        resumed_session(words_of('record', '--run', 'r', '--resume', '--task', 'push',
                                 '--horizon', '50'), tmp_path)


def test_a_session_goes_on_with_whoever_drove(tmp_path):
    keep(tmp_path / 'expert', 0)
    keep(tmp_path / 'person', 0, plan=DrivePlan(TELEOP, labels=LABEL_EXPERT_DRIVEN))
    words = words_of('record', '--run', 'r', '--resume')
    with pytest.raises(CommandError, match='demonstrations of a person; give --teleop'):
        resumed_session(words, tmp_path / 'person')
    words.teleop = 'joy'
    resumed_session(words, tmp_path / 'person')
    with pytest.raises(CommandError, match='demonstrations of the expert'):
        resumed_session(words, tmp_path / 'expert')


def test_recorded_demonstrations_and_runs_are_refused_with_what_to_do(tmp_path):
    keep(tmp_path, 3)
    keep(tmp_path, 4, flags=INCOMPLETE)
    refuse_recorded(tmp_path, [4, 5])
    with pytest.raises(CommandError, match='has 1 .* demonstration-r00-000003; .* --resume'):
        refuse_recorded(tmp_path, [2, 3])
    with pytest.raises(run_state.RunExistsError, match='no run.json'):
        refuse_existing(tmp_path)
    run_state.begin(tmp_path / 'first', GOAL, {})
    with pytest.raises(run_state.RunExistsError, match='run first exists in .* --resume'):
        refuse_existing(tmp_path / 'first')
