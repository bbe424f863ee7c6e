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

"""What the commands refuse or remove before they begin, and what they leave alone."""

import asyncio
import contextlib
import os
import types

from il_ros.cli import dagger, run_verbs
from il_ros.cli.parser import make_parser
from il_ros.contract.episode_spec import DEMONSTRATION, episode_id, EpisodeSpec, EVALUATION
from il_ros.contract.episode_spec import SpecError
from il_ros.episodes.receipts import Receipt
from il_ros.errors import ImitationError, RunKindError
from il_ros.graph import run_folders
from il_ros.ros.calls import CallError
from il_ros.ros.presence.occupancy import lock_folder, may_be_here
import pytest


class EmptyGraph:
    """A client of a graph that brings nothing."""

    async def collect(self, _specs, _on_feedback):
        return []

    async def dagger(self, _goal, _on_feedback):
        return None


@pytest.fixture
def started(monkeypatch):
    """Return the list that gets an entry for each graph that a command would have started."""
    starts = []

    def run_command(command, _options):
        starts.append(1)
        with contextlib.suppress(run_verbs.CommandError):
            asyncio.run(command(EmptyGraph()))
        return 0

    for module in (dagger, run_verbs):
        monkeypatch.setattr(module, 'run_command', run_command)
    return starts


def keep_episode(runs, run: str, purpose: str, seed: int, task: str = 'reach'):
    """Put an episode's receipt where a recorder would."""
    spec = EpisodeSpec(episode_id(purpose, 0, seed), run, task, purpose, seed=seed)
    folder = runs / run / 'episodes' / 'main'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f'{spec.episode_id}.mcap').touch()
    (folder / f'{spec.episode_id}.json').write_text(Receipt(spec).to_json())
    return folder


def evaluate(runs, run: str) -> int:
    """Call ``il_ros evaluate`` of the expert."""
    return run_verbs.evaluate(make_parser().parse_args(
        ['evaluate', '--task', 'reach', '--policy', 'expert', '--runs', str(runs), '--run', run,
         '--workers', '1', '--evaluate-over', 'graph']))


@pytest.mark.parametrize('verb', ['record', 'dagger'])
@pytest.mark.parametrize('words, sentence', [
    (['--task', 'push'], 'with task reach; task push was'),
    (['--task', 'reach', '--options', '{"bumps": {"rate": 0.1, "speed": 0.5}}'],
     'with options none; options')])
def test_a_run_of_another_task_or_options_is_refused_before_anything_starts(
        tmp_path, started, verb, words, sentence):
    folder = keep_episode(tmp_path, 'n', DEMONSTRATION, 0)
    words = make_parser().parse_args([verb, '--run', 'n', '--runs', str(tmp_path), *words])
    with pytest.raises(RunKindError, match=sentence):
        {'record': run_verbs.record, 'dagger': dagger.dagger}[verb](words)
    assert not started and len(list(folder.iterdir())) == 2


def test_an_evaluation_replaces_the_episodes_of_the_one_before(tmp_path, started):
    folder = keep_episode(tmp_path, 'evaluation', EVALUATION, 1_000_000)
    assert evaluate(tmp_path, 'evaluation') == 0
    assert started and not folder.exists()


def test_an_evaluation_never_replaces_demonstrations(tmp_path, started):
    folder = keep_episode(tmp_path, 'mine', DEMONSTRATION, 0)
    keep_episode(tmp_path, 'mine', EVALUATION, 1_000_000)
    with pytest.raises(run_verbs.CommandError, match='mine holds more than evaluation episodes'):
        evaluate(tmp_path, 'mine')
    assert not started and len(list(folder.iterdir())) == 4


def test_a_demo_with_a_bad_goal_leaves_the_last_one_alone(tmp_path, started):
    folder = keep_episode(tmp_path, 'demo', DEMONSTRATION, 0)
    with pytest.raises(ImitationError, match='luck'):
        dagger.demo(make_parser().parse_args(
            ['demo', '--runs', str(tmp_path), '--strategy', 'luck']))
    assert not started and folder.exists()


@pytest.mark.parametrize('run', ['.', '..', '', 'mine/episodes'])
def test_a_run_name_that_leads_elsewhere_removes_nothing(tmp_path, started, run):
    folder = keep_episode(tmp_path / 'runs', 'mine', EVALUATION, 1_000_000)
    with pytest.raises(SpecError, match='run is'):
        evaluate(tmp_path / 'runs', run)
    assert not started and len(list(folder.iterdir())) == 2


@pytest.mark.parametrize('words, kept', [
    ([], False), (['--resume'], True), (['--run', 'other'], True)])
def test_the_demo_replaces_its_own_run_unless_it_goes_on_with_it(tmp_path, started, words, kept):
    folder = keep_episode(tmp_path, 'demo', DEMONSTRATION, 0, 'push')
    dagger.demo(make_parser().parse_args(['demo', '--runs', str(tmp_path), *words]))
    assert started and folder.exists() == kept


@pytest.mark.parametrize('seed, kept', [(0, True), (499_980, True), (499_981, False),
                                        (1_000_000, False)])
def test_no_demonstration_is_recorded_with_a_held_out_seed(started, seed, kept):
    words = make_parser().parse_args(
        ['record', '--task', 'reach', '--run', 'r', '--episodes', '20', f'--seed={seed}',
         '--workers', '1'])
    if kept:
        assert run_verbs.record(words) == 0
    else:
        with pytest.raises(run_verbs.CommandError, match=(
                f'the last seed would be {seed + 19}, demonstrations use seeds from 0 to 499999')):
            run_verbs.record(words)
    assert bool(started) == kept


@pytest.mark.parametrize('words, sentence', [
    (['--options', '{"moon": 1}'], 'task reach has no option moon; it has bumps, expert'),
    (['--options', '{"bumps": {"rate": 2, "speed": 0.5}}'], 'rate is 2; expected'),
    (['--runs', '/etc/hostname/x'], '/etc/hostname/x/n cannot be written into: Not a directory'),
    (['--runs', '/proc/x'], '/proc/x/n cannot be written into')])
@pytest.mark.parametrize('verb', ['record', 'dagger', 'evaluate'])
def test_what_the_graph_would_refuse_is_refused_before_it_starts(
        tmp_path, started, verb, words, sentence):
    policy = ['--policy', 'expert'] if verb == 'evaluate' else []
    asked = make_parser().parse_args(
        [verb, '--task', 'reach', '--run', 'n', '--runs', str(tmp_path), *policy, *words])
    call = dagger.dagger if verb == 'dagger' else getattr(run_verbs, verb)
    with pytest.raises(ImitationError, match=sentence):
        call(asked)
    assert not started and not list(tmp_path.iterdir())


@pytest.mark.parametrize('verb', [run_verbs.record, dagger.dagger])
def test_a_task_is_needed_to_begin(tmp_path, started, verb):
    words = make_parser().parse_args(
        [verb.__name__, '--run', 'n', '--runs', str(tmp_path)])
    with pytest.raises(run_verbs.CommandError, match='--task is missing; name one'):
        verb(words)
    assert not started


@pytest.mark.parametrize('words, sentence', [
    (['--task', 'reach'], 'has 1 of these demonstrations already'),
    (['--task', 'reach', '--seed', '1'], ''), (['--resume'], ''),
    (['--resume', '--episodes', '1'], 'complete')])
def test_demonstrations_that_are_there_are_kept_and_a_session_is_resumed(
        tmp_path, started, capsys, words, sentence):
    keep_episode(tmp_path, 'n', DEMONSTRATION, 0)
    asked = make_parser().parse_args(
        ['record', '--run', 'n', '--runs', str(tmp_path), '--workers', '1', *words])
    if '--task' in words and sentence:
        with pytest.raises(run_verbs.CommandError, match=sentence):
            run_verbs.record(asked)
    else:
        assert run_verbs.record(asked) == 0
    assert bool(started) == (not sentence)
    assert ('as many demonstrations' in capsys.readouterr().out) == (sentence == 'complete')


@pytest.mark.parametrize('others, here, waits', [
    ([], False, 0), ([('observer', '/')], False, 1), ([], True, 1)])
def test_who_attaches_where_no_graph_is_hears_so_at_once(monkeypatch, others, here, waits):
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)
        monkeypatch.setattr(run_folders, 'CALL_S', 0.0)
    client = types.SimpleNamespace(
        resolve_service_name=lambda name: f'/{name}', get_name=lambda: 'il_ros_command',
        get_node_names_and_namespaces=lambda: [('il_ros_command', '/'), *others],
        get_service_names_and_types_by_node=lambda *_: [],
        waiter=types.SimpleNamespace(pause=pause))
    monkeypatch.setattr(run_folders, 'ALONE_S', 0.0)
    monkeypatch.setattr(run_folders, 'may_be_here', lambda *_: here)
    with pytest.raises(CallError, match='no graph is found in ROS domain .* /open_episode; start'):
        asyncio.run(run_folders.server_of(client, 'open_episode'))
    assert len(pauses) == waits


def test_the_lock_file_of_a_part_says_that_it_may_be_here(tmp_path, monkeypatch):
    monkeypatch.setenv('ROS_HOME', str(tmp_path))
    node = types.SimpleNamespace(
        resolve_service_name=lambda name: f'/{name}', context=types.SimpleNamespace(
            get_domain_id=lambda: 7))
    assert not may_be_here('recorder', node)
    file = lock_folder() / 'domain-7' / 'open_episode.lock'
    file.parent.mkdir(parents=True)
    for owner, expected in ((os.getpid(), True), (2 ** 22 + 1, False), ('', True)):
        file.write_text(f'{owner}\n')
        assert may_be_here('recorder', node) == expected
