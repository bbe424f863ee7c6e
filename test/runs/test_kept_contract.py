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

"""A contract file of one's own goes where its episodes go, and is found again."""

import dataclasses
from types import SimpleNamespace

from il_ros.contract.contract import ContractError
from il_ros.contract.contract_file import load_contract
from il_ros.runs.kept_contract import contract_file_of, FOLDER, keep_contract, needed_contract
from il_ros.runs.merge import merge_runs
from il_ros.runs.split import sort_episodes, split_into_runs
from il_ros.tasks.contracts import contract_text, find_contract
import pytest
from recordings import record, spec


@pytest.fixture
def run(tmp_path):
    """Return a run of one episode that has a contract file."""
    text = contract_text('reach')
    (tmp_path / 'mine.yaml').write_text(text.replace('rate: 20.0', 'rate: 10.0'))
    record(tmp_path / 'first' / 'episodes' / 'main', spec('rollout-r01-000001', seed=1))
    keep_contract(tmp_path / 'first', str(tmp_path / 'mine.yaml'))
    return tmp_path / 'first'


def recorded_at(run, rate_hz: float):
    """Return what was recorded with the run's contract in a graph of this rate."""
    contract, _ = load_contract(run / FOLDER / 'mine.yaml')
    return dataclasses.replace(contract, rate=rate_hz)


def test_the_rate_of_the_graph_goes_before_that_of_the_file(run):
    file = str(run / FOLDER / 'mine.yaml')
    assert contract_file_of(run, recorded_at(run, 10.0), 'reach') == file
    contract = recorded_at(run, 20.0)
    assert contract_file_of(run, contract, 'reach') is None
    assert contract_file_of(run, contract, 'reach', 20.0) == file
    assert contract_file_of(run, recorded_at(run, 10.0), 'reach', 20.0) is None


def test_what_repeats_an_episode_finds_its_contract_or_says_where_to_put_it(run):
    episode = SimpleNamespace(contract=recorded_at(run, 50.0), spec=dataclasses.replace(
        spec(), task='reach'))
    assert needed_contract(run, episode) == str(run / FOLDER / 'mine.yaml')
    (run / FOLDER / 'mine.yaml').unlink()
    with pytest.raises(ContractError, match=f'contract mine .* put it into {run / FOLDER}'):
        needed_contract(run, episode)
    own, _ = find_contract('reach')
    episode.contract = own
    assert needed_contract(run, episode) == 'reach'


def test_a_run_that_is_made_of_others_has_their_contract_file(run):
    second = run.with_name('second')
    record(second / 'episodes' / 'main', spec('rollout-r01-000002', seed=2))
    merged = run.with_name('merged')
    merge_runs([run, second], merged)
    assert (merged / FOLDER / 'mine.yaml').read_bytes() == (
        run / FOLDER / 'mine.yaml').read_bytes()
    for name in split_into_runs(sort_episodes(merged, 'round'), merged):
        assert (run.with_name(name) / FOLDER / 'mine.yaml').exists()
