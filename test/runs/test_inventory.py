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

"""What a run holds, in numbers: outcomes and drivers in a word, rates and gaps by the stamps."""

import types

from il_ros.contract.episode_spec import ABORTED, EpisodeSpec, EXPERT, HOLD, LOST, NOT_ENDED
from il_ros.contract.episode_spec import POLICY, TELEOP, TERMINATED, TRUNCATED
from il_ros.episodes.label_file import write_labels
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import INCOMPLETE, Receipt
from il_ros.errors import NoSuchRunError
from il_ros.runs.inventory import driver_of, episodes_of, find_run, Inventory, outcome_of
from il_ros.runs.inventory import shards_of, take_inventory
import numpy as np
import pytest
from recordings import executed, messages, record, spec


@pytest.mark.parametrize('fields, word', [
    ({'end': TERMINATED, 'success': True}, 'success'), ({'end': TERMINATED}, 'failure'),
    ({'end': TRUNCATED}, 'truncated'), ({'end': TRUNCATED, 'success': True}, 'success'),
    ({'end': ABORTED}, 'aborted'), ({'end': TERMINATED, 'cause': LOST}, 'lost'),
    ({'end': ABORTED, 'cause': LOST}, 'aborted'), ({'end': NOT_ENDED}, 'incomplete'),
    ({'end': TERMINATED, 'success': True, 'flags': INCOMPLETE}, 'incomplete'),
    ({'end': TERMINATED, 'success': True, 'flags': 14}, 'success')])
def test_an_episode_went_in_a_word(fields, word):
    assert outcome_of(Receipt(EpisodeSpec('e', 'r', 'push'), **fields)) == word


@pytest.mark.parametrize('drivers, name', [
    ([POLICY], 'policy'), ([EXPERT, HOLD], 'expert'), ([HOLD, HOLD], 'nobody'), ([], 'nobody'),
    ([POLICY, EXPERT], 'mixed'), ([TELEOP, POLICY, HOLD], 'mixed')])
def test_who_drove_is_one_name_or_mixed_or_nobody(drivers, name):
    assert driver_of(types.SimpleNamespace(driver=np.array(drivers, np.uint8))) == name


def test_a_run_is_counted_with_its_rate_and_its_largest_gap(tmp_path):
    folder = tmp_path / 'runs' / 'demo'
    first = record(folder / 'episodes' / 'a', spec('rollout-r01-000001', seed=1))
    late = spec('rollout-r02-000002', seed=2, round=2)
    wire = messages(late, 4, [POLICY, EXPERT, EXPERT, HOLD])
    record(folder / 'episodes' / 'b', late, wire)
    (folder / 'episodes' / 'note').touch()
    assert [path.name for path in shards_of(folder)] == ['a', 'b']
    assert [path.stem for path in episodes_of(folder)] == [first.stem, late.episode_id]
    seen = []
    found = take_inventory(folder, lambda paths: seen.extend(paths) or paths)
    assert len(seen) == 2 and found.run == 'demo' and found.unreadable == []
    assert found.episodes == 2 and found.tasks == {'push': 2} and found.rounds == {0: 1, 2: 1}
    assert found.steps == found.intervals and found.contract_rate_hz == 20.0
    assert found.rate_hz == pytest.approx(found.intervals / found.seconds)
    assert found.drivers['policy'] == 13 and found.drivers['expert'] == 2
    written = found.as_dict()
    assert written['rounds'] == {'0': 1, '2': 1} and written['rate_hz'] == found.rate_hz
    assert written['episodes'] == 2


def test_of_equal_gaps_the_first_episode_is_named(tmp_path):
    folder = tmp_path / 'demo'
    for seed in (1, 2, 3):
        of = spec(f'rollout-r01-{seed:06d}', seed=seed)
        record(folder / 'episodes' / 'a', of, messages(of, 4))
    found = take_inventory(folder)
    assert found.largest_gap_s == pytest.approx(0.05)
    assert found.largest_gap_in == 'rollout-r01-000001'
    assert found.seconds == pytest.approx(3 * 4 * 0.05) and found.intervals == 12
    assert found.rate_hz == pytest.approx(20.0)
    assert Inventory('none').rate_hz == 0.0


def test_labels_that_came_later_are_counted_apart_from_those_that_count(tmp_path):
    folder, of = tmp_path / 'demo', spec()
    wire = messages(of)
    for step in (3, 4, 5):
        wire[3 * step + 2] = ('executed', executed(of, step, candidates=[]))
    path = record(folder / 'episodes' / 'a', of, wire)
    write_labels(path, read_episode(path), np.array([2, 3, 4]), np.full((3, 2), 0.1, np.float32),
                 np.array([True, True, False]), 'push 1.0')
    found = take_inventory(folder)
    assert (found.labels, found.queries) == (9, 9)
    assert (found.later_queries, found.later_labels, found.later_used) == (3, 2, 1)


def test_a_run_that_is_nowhere_is_named_with_both_places(tmp_path):
    (tmp_path / 'demo' / 'episodes').mkdir(parents=True)
    assert find_run(tmp_path, 'demo') == tmp_path / 'demo'
    assert find_run(tmp_path / 'no', str(tmp_path / 'demo')) == tmp_path / 'demo'
    with pytest.raises(NoSuchRunError, match="no run 'x': neither .*/x nor x has a folder epi"):
        find_run(tmp_path, 'x')
    with pytest.raises(NoSuchRunError, match='x has not a folder episodes'):
        find_run(tmp_path, str(tmp_path / 'x'))
