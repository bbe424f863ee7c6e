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

"""The race of ``make bench-peer``: who reaches the goal, and that everyone gives up in time."""

import dataclasses

from benchmarks.race import ours, PeerComparison, Rules
from il_ros.learning.config import TrainConfig
from il_ros.tasks.expert_registry import make_expert
import numpy as np

RULES = Rules(task='reach', evaluation_episodes=4, demonstrations=2, episodes_per_round=2)


def test_who_reaches_the_goal_stops_there_and_has_labels_and_seconds():
    said = []
    race = PeerComparison(RULES, said.append)
    expert = make_expert('reach', race.environment.contract)
    assert not race.judge(expert.act, 123)
    result = race.result()
    assert result['labels'] == 123
    assert 0.0 <= result['seconds'] == said[0]['seconds']
    assert said[0]['success']['k'] == said[0]['success']['n'] == 4


def test_who_does_not_goes_on_until_the_labels_are_used_up():
    rules = Rules(task='reach', evaluation_episodes=2, most_labels=100)
    race = PeerComparison(rules, lambda _: None)

    def still(_):
        return np.zeros(3, np.float32)
    assert race.judge(still, 99)
    assert not race.judge(still, 100)
    result = race.result()
    assert result['labels'] is None and result['seconds'] is None
    assert [judged['labels'] for judged in result['curve']] == [99, 100]


def test_the_clock_stands_still_while_a_policy_is_judged(monkeypatch):
    now_s = [0.0]
    monkeypatch.setattr('benchmarks.race.time.perf_counter', lambda: now_s[0])
    race = PeerComparison(RULES, lambda _: None)
    expert = make_expert('reach', race.environment.contract)

    def slow(values):
        now_s[0] += 100.0
        return expert.act(values)
    now_s[0] += 7.0
    race.judge(slow, 1)
    now_s[0] += 5.0
    race.judge(slow, 2)
    assert [judged['seconds'] for judged in race.result()['curve']] == [7.0, 12.0]


def test_our_way_starts_from_demonstrations_and_counts_every_label(monkeypatch):
    quick = dataclasses.replace(TrainConfig.of('reach'), steps=5, warmup_steps=1)
    monkeypatch.setattr(TrainConfig, 'of', lambda task: quick)
    result = ours(Rules(task='reach', evaluation_episodes=2, demonstrations=2,
                        episodes_per_round=1, most_labels=1), lambda _: None)
    [judged] = result['curve']
    assert judged['labels'] > 2
