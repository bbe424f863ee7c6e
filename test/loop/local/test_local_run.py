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

"""A run in this process: what it leaves, how it goes on, and what it refuses."""

import dataclasses
import importlib.util
import itertools
from pathlib import Path
import sys

import il_ros
from il_ros.api import dagger as api
from il_ros.episodes.wire.schema import find_schema
from il_ros.loop import results
from il_ros.loop.local.backend import LocalBackend
from il_ros.loop.local.player import Player
from il_ros.runs.shard import receipts_in, Shard
import pytest

pytest.importorskip('il_ros_interfaces', reason='needs il_ros_interfaces: make test')

FEW = il_ros.TrainConfig(inputs=('goal_position - tool_position',), hidden=(32,), steps=60,
                         warmup_steps=5)
SMALL = {'rounds': 1, 'episodes_per_round': 2, 'demonstrations': 2, 'config': FEW, 'horizon': 30,
         'evaluation_episodes': 0, 'final_evaluation_episodes': 2, 'baseline': False}


def contents(run: il_ros.Run) -> dict:
    """Return the content of every episode by its id."""
    return {receipt.spec.episode_id: receipt.content_sha256
            for _, receipt in receipts_in(run.folder / 'episodes')}


@pytest.fixture(scope='module')
def whole(tmp_path_factory) -> il_ros.Run:
    """Return an unbroken run."""
    return il_ros.dagger('reach', run=tmp_path_factory.mktemp('runs') / 'first', **SMALL)


def test_a_run_has_a_table_a_curve_a_report_and_policies(whole, tmp_path):
    assert [row[0] for row in whole.table().rows] == [
        'expert', 'BC, 2 demonstrations', 'corrections, round 1']
    assert 'corrections, round 1' in str(whole.table())
    axes, = whole.success_curve().axes
    assert axes.get_xlabel() == 'labels of the expert'
    page = whole.report(tmp_path / 'copy.html')
    assert page.read_text() == whole.report().read_text()
    assert whole.policy(0).sha256 != whole.policy().sha256
    assert il_ros.open_run(whole.folder) == whole


@pytest.mark.drill
def test_a_run_that_was_interrupted_goes_on_to_the_same_end(whole, tmp_path, monkeypatch):
    play, played = Player.play, []

    def interrupted(*words):
        if len(played) == 13:
            raise KeyboardInterrupt
        played.append(words)
        return play(*words)
    monkeypatch.setattr(Player, 'play', interrupted)
    with pytest.raises(KeyboardInterrupt):
        il_ros.dagger('reach', run=tmp_path / 'first', **SMALL)
    monkeypatch.setattr(Player, 'play', play)
    broken = il_ros.open_run(tmp_path / 'first')
    assert broken.summary is None and len(broken.episodes()) == 13
    with pytest.raises(il_ros.ImitationError, match='run first exists in .*; choose another name'):
        il_ros.dagger('reach', run=tmp_path / 'first', **SMALL)
    with pytest.raises(il_ros.ImitationError, match='config is not what the run began with'):
        il_ros.dagger('reach', run=tmp_path / 'first', resume=True, **{
            **SMALL, 'config': dataclasses.replace(FEW, steps=61)})
    il_ros.dagger('reach', run=tmp_path / 'first', resume=True, **SMALL)
    assert contents(broken) == contents(whole)
    assert broken.policy().sha256 == whole.policy().sha256
    assert not list(broken.folder.rglob('*.tmp'))


def test_a_policy_that_succeeds_less_is_not_collected_with_and_the_report_says_so(
        tmp_path, monkeypatch):
    play, load, loaded = Player.play, LocalBackend.load, []

    def judged(player, spec, *words):
        receipt = play(player, spec, *words)
        return dataclasses.replace(receipt, success=spec.round == 0)

    async def noted(backend, path, sha256):
        loaded.append(path.name)
        await load(backend, path, sha256)
    monkeypatch.setattr(Player, 'play', judged)
    monkeypatch.setattr(LocalBackend, 'load', noted)
    monkeypatch.setattr(results, '_filmstrips', lambda *_: [])
    run = il_ros.dagger('reach', run=tmp_path / 'first', keep_better=True, **{
        **SMALL, 'rounds': 2, 'episodes_per_round': 1, 'evaluation_episodes': 1,
        'final_evaluation_episodes': 1, 'config': dataclasses.replace(FEW, steps=20)})
    # Loaded and judged, twice each; then what the next round, or whoever comes after, uses.
    assert [name for name, _ in itertools.groupby(loaded)] == [
        'round_00', 'round_01', 'round_00', 'round_02', 'round_00']
    assert [(one['successes'], one['other_successes'], one['loaded'])
            for one in run.summary['choices']] == [(0, 1, 0), (0, 1, 0)]
    assert run.policy().sha256 == run.policy(2).sha256, 'the result is the last checkpoint'
    assert 'round 0 in 1 of the same 1 held-out episode: round 0 is loaded' in ' '.join(
        run.report().read_text().split())


@pytest.mark.parametrize('asked, sentence', [
    ({'over': 'air'}, "over is 'air'; expected 'process' or 'graph'"),
    ({'strategy': 'human'}, 'strategy human needs a person, who drives through ROS'),
    ({'strategy': 'luck'}, "strategy 'luck' is unknown"),
    ({'rounds': 100}, 'rounds is 100; expected a whole number'),
    ({'config': 'nowhere.yaml'}, "config is '.*nowhere.yaml'; there is no such file"),
    ({'options': {'no_such': 1}}, 'no_such')])
def test_what_cannot_be_run_is_refused_in_one_sentence(tmp_path, asked, sentence):
    with pytest.raises(il_ros.ImitationError, match=sentence) as refused:
        il_ros.dagger('reach', run=tmp_path / 'first', **{**SMALL, **asked})
    assert '\n' not in str(refused.value)
    assert not list(tmp_path.rglob('*.mcap'))


def test_without_ros_the_graph_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(il_ros.ImitationError, match="needs rclpy; .* or use over='process'"):
        il_ros.dagger('reach', run=tmp_path / 'first', over='graph', **SMALL)


def test_without_the_definitions_of_the_messages_nothing_is_begun(tmp_path, monkeypatch):
    monkeypatch.setenv('AMENT_PREFIX_PATH', '')
    monkeypatch.setattr(sys, 'prefix', str(tmp_path))
    find_schema.cache_clear()
    with pytest.raises(il_ros.ImitationError, match='definition of .* is missing'):
        il_ros.dagger('reach', run=tmp_path / 'first', **SMALL)
    assert not (tmp_path / 'first' / 'run.json').exists()


def test_a_name_alone_lies_under_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(api, '_in_process', lambda goal, folder, *_: None)
    assert il_ros.dagger('reach', run='first', **SMALL).folder == Path('runs', 'first')
    assert il_ros.dagger('reach', run='mine/first', **SMALL).folder == Path('mine', 'first')
    temporary = il_ros.dagger('reach', **SMALL)
    folder = temporary.folder
    assert folder.is_dir()
    del temporary
    assert not folder.exists()


def test_a_folder_that_another_process_records_into_is_refused(whole, tmp_path):
    shard = Shard(tmp_path / 'first' / 'episodes' / 'main')
    backend = LocalBackend('reach')
    with backend, pytest.raises(il_ros.ImitationError, match='belongs to another recorder'):
        backend._take_shard(shard.folder)
    shard.close()
