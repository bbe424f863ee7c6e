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


@pytest.fixture
def played(monkeypatch):
    """Play commands without processes: each is over at the second look; note who runs when."""
    class Process:
        running: list[tuple[str, str]] = []
        most, ended, exit_codes = 0, [], {}

        def __init__(self, name: str, domain: str):
            self.name, self.asked, self.returncode = (name, domain), 0, 0
            Process.running.append(self.name)
            Process.most = max(Process.most, len(Process.running))

        def poll(self):
            self.asked += 1
            if self.asked < 2:
                return None
            Process.running.remove(self.name)
            self.returncode = Process.exit_codes.get(self.name[0], 0)
            return self.returncode

    begun = []

    def started(command, environment, logs):
        begun.append((command.name, environment.get('ROS_DOMAIN_ID', '')))
        return graphs._Running(command, Process(*begun[-1]), environment, 0)
    monkeypatch.setattr(graphs, '_start', started)
    monkeypatch.setattr(graphs, 'LOOK_S', 0.0)
    monkeypatch.setattr(graphs, 'end', lambda processes, *_: Process.ended.append(
        [process.name[0] for process in processes]))
    Process.begun = begun
    return Process


def test_so_many_run_side_by_side_in_their_order_and_domains_are_used_again(
        played, monkeypatch, tmp_path):
    monkeypatch.setenv('ROS_DOMAIN_ID', '7')
    looks = []
    run_commands([Command(name, ()) for name in 'abcde'], tmp_path / 'logs', 2,
                 lambda: looks.append(len(played.running)))
    assert [name for name, _ in played.begun] == list('abcde')
    assert played.most == 2 and not played.running and played.ended == [[]]
    domains = [domain for _, domain in played.begun]
    assert domains[0] == '7' and len(set(domains)) == 2 and domains[:2] == domains[2:4]
    assert looks == [2, 0, 2, 0, 1, 0] and (tmp_path / 'logs').is_dir()


def test_commands_are_looked_at_several_times_a_second():
    assert 0.05 <= graphs.LOOK_S <= 0.5


def test_nobody_is_begun_after_one_that_fails_and_who_runs_is_ended(
        played, monkeypatch, tmp_path):
    monkeypatch.delenv('ROS_DOMAIN_ID', raising=False)
    played.exit_codes['a'] = 3
    (tmp_path / 'a.log').touch()
    with pytest.raises(GraphError, match='^a ended with exit code 3; more in .*/a.log$'):
        run_commands([Command(name, ()) for name in 'abc'], tmp_path, 2)
    assert [name for name, _ in played.begun] == ['a', 'b'] and played.ended == [['b']]


@pytest.mark.parametrize('chosen, count', [('0', 1), ('232', 1), ('231', 2)])
def test_the_first_and_the_last_domain_may_be_chosen(monkeypatch, chosen, count):
    monkeypatch.setenv('ROS_DOMAIN_ID', chosen)
    with environments(count) as found:
        assert [int(one['ROS_DOMAIN_ID']) for one in found] == [
            int(chosen) + more for more in range(count)]
