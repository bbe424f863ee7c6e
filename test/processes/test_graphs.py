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

"""Commands with a graph each: their domains, and the sentence of one that fails."""

import itertools
import os

from il_ros.processes import graphs
from il_ros.processes.graphs import Command, environments, GraphError, run_commands
import pytest


def test_the_next_domains_that_nobody_holds_follow_the_one_that_the_user_chose(monkeypatch):
    domain_id = pytest.importorskip(
        'domain_coordinator', reason='needs domain_coordinator: make test').domain_id
    first = 101 + os.getpid() % 100
    monkeypatch.setenv('ROS_DOMAIN_ID', str(first))
    with domain_id(lambda: first), domain_id(lambda: first + 1), environments(3) as found:
        assert found == [{'ROS_DOMAIN_ID': str(first + more)} for more in (0, 2, 3)]
        others = itertools.count(first + 2)
        with domain_id(lambda: next(others)) as other:
            assert other == first + 4
    monkeypatch.delenv('ROS_DOMAIN_ID')
    with environments(2) as found:
        assert found == [{}, {}]


@pytest.mark.parametrize('chosen, said', [
    ('231', 'ROS_DOMAIN_ID is 231, and too few free domains follow for 3 graphs'),
    ('233', "ROS_DOMAIN_ID is '233'; expected a number from 0 to 232"),
    ('mine', "ROS_DOMAIN_ID is 'mine'; expected a number from 0 to 232")])
def test_a_choice_that_leaves_no_domain_for_each_is_refused_before_anything_starts(
        monkeypatch, tmp_path, chosen, said):
    monkeypatch.setenv('ROS_DOMAIN_ID', chosen)
    with pytest.raises(GraphError, match=said):
        run_commands([], tmp_path / 'logs', 3)
    assert not [*tmp_path.iterdir()]


def test_a_command_that_fails_is_named_with_its_own_sentence_and_log(tmp_path):
    (tmp_path / 'bad.log').write_text('il_ros: of another call\n')
    commands = [Command('bad', ('record', '--task', 'push', '--run', 'r', '--seed', '600000',
                                '--runs', str(tmp_path)))]
    with pytest.raises(GraphError, match='^bad ended with exit code 1; last output: --seed .*; '
                                         f'more in {tmp_path}/bad.log'):
        run_commands(commands, tmp_path, 2)
    assert (tmp_path / 'bad.log').read_text().startswith('il_ros: of another call')


def test_the_other_commands_are_ended_with_the_one_that_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(graphs, '_COMMAND', ('/bin/sleep',))
    with pytest.raises(GraphError, match='^bad ended with exit code 1'):
        run_commands([Command('long', ('60',)), Command('bad', ('soon',))], tmp_path, 2)
