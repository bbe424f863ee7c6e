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

"""Which nodes are there: a process that ends, is silent, or takes another one's place."""

from il_ros.ros.presence.peer_watch import BadBeatError, Beat, BEAT_S, PeerWatch, Process, SILENT_S
import pytest

OWN, NEAR = Process('here/1', 10, 100), Process('here/1', 11, 200)
FAR, FARTHER = Process('there/1', 11, 300), Process('there/1', 12, 400)


class Stage:
    """A watch, the processes of its machine, and a clock."""

    def __init__(self):
        self.running = {NEAR}
        self.watch = PeerWatch(OWN, lambda process: process in self.running)
        self.now_s = 1000.0

    def hear(self, process: Process, *parts: str) -> list[str]:
        """Let a process say that it is there; return the parts that are lost by it."""
        return list(self.watch.hear(Beat(process, parts), self.now_s))

    def pass_by(self, seconds: float, step_s: float = 0.25) -> list[str]:
        """Let time go by, with looks; return the parts that were lost."""
        lost, end_s = [], self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += step_s
            lost += self.watch.look(self.now_s)
        return lost


@pytest.fixture
def stage() -> Stage:
    """Return a stage on which one process of this machine may be heard."""
    return Stage()


def test_a_beat_is_read_as_it_was_said():
    beat = Beat(NEAR, ('recorder', 'policy'))
    assert Beat.of(str(beat)) == beat
    assert str(NEAR) == 'process 11 on here'


def test_a_node_is_called_by_its_name_whatever_part_it_plays(stage):
    beat = Beat.of(str(Beat(NEAR, ('recorder', 'simulator:operator_task'))))
    stage.watch.hear(beat, stage.now_s)
    assert [stage.watch.name(part) for part in ('recorder', 'simulator', 'policy')] == [
        'recorder', 'operator_task', 'policy']
    stage.running.clear()
    assert set(stage.watch.look(stage.now_s)) == {'recorder', 'simulator'}


@pytest.mark.parametrize('text', ['', 'here 1 recorder', 'here 1 2 ', 'here x 2 recorder',
                                  'here 1 2 recorder policy', 'a' * 100_000])
def test_what_is_no_beat_is_refused_in_one_sentence(text):
    with pytest.raises(BadBeatError, match='expected PLACE PID START PART') as caught:
        Beat.of(text)
    assert len(str(caught.value)) < 200


def test_a_process_of_this_machine_is_lost_when_it_ends_and_not_when_it_is_silent(stage):
    stage.hear(NEAR, 'recorder', 'policy')
    assert stage.pass_by(60.0) == []
    stage.running.clear()
    assert stage.pass_by(0.25) == ['recorder', 'policy']
    assert stage.watch.is_gone('recorder') and stage.watch.losses('recorder') == 1
    assert stage.pass_by(60.0) == []


def test_a_process_elsewhere_is_lost_when_it_is_silent_and_back_when_it_is_heard(stage):
    stage.hear(FAR, 'trainer')
    assert stage.pass_by(SILENT_S - 0.25) == []
    stage.hear(FAR, 'trainer')
    assert stage.pass_by(SILENT_S - 0.25) == []
    assert stage.pass_by(0.25) == ['trainer']
    stage.hear(FAR, 'trainer')
    assert not stage.watch.is_gone('trainer')
    assert stage.watch.losses('trainer') == 1


def test_a_loss_is_known_within_two_seconds():
    assert SILENT_S + 0.25 <= 2.0 and SILENT_S > 3 * BEAT_S


def test_a_process_of_this_machine_that_nobody_may_see_is_one_elsewhere(stage):
    stage.running.clear()
    stage.hear(NEAR, 'recorder')
    assert stage.pass_by(SILENT_S - 0.25) == []
    stage.hear(NEAR, 'recorder')
    assert stage.pass_by(SILENT_S) == ['recorder']


def test_a_pause_of_whoever_looks_is_nobodys_silence(stage):
    stage.hear(FAR, 'trainer')
    assert stage.pass_by(30.0, step_s=30.0) == []
    stage.hear(FAR, 'trainer')
    assert stage.pass_by(SILENT_S - 0.25) == []


def test_a_node_that_was_killed_and_started_again_between_two_looks_is_lost_and_back(stage):
    stage.hear(NEAR, 'recorder')
    stage.running = {Process('here/1', 11, 201)}  # by chance with the same number
    assert stage.hear(Process('here/1', 11, 201), 'recorder') == ['recorder']
    assert not stage.watch.is_gone('recorder') and stage.watch.losses('recorder') == 1
    stage.hear(FAR, 'trainer')
    stage.pass_by(2 * BEAT_S)
    assert stage.hear(FARTHER, 'trainer') == ['trainer']
    assert not stage.watch.is_gone('trainer')


def test_a_second_node_of_a_part_does_not_take_the_first_ones_place(stage):
    stage.hear(NEAR, 'recorder')
    stage.hear(FAR, 'trainer')
    assert stage.hear(FARTHER, 'recorder', 'trainer') == []
    stage.running.clear()
    assert stage.pass_by(0.25) == ['recorder']


def test_this_process_is_never_lost_to_itself(stage):
    stage.hear(OWN, 'collector', 'recorder')
    assert not list(stage.watch.parts)
    assert stage.pass_by(60.0) == []


def test_who_was_never_heard_is_not_gone(stage):
    assert not stage.watch.is_gone('simulator')
    assert stage.watch.losses('simulator') == 0
