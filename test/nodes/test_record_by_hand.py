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

"""``il_ros record --teleop keyboard`` in a real terminal: keys in, an episode and a view out."""

import os
import select
import signal
import subprocess
import sys
import termios
import time

from il_ros.contract.episode_spec import HOLD, OPERATOR, TELEOP, TERMINATED
from il_ros.episodes.labels import labels_of
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import read_receipt
import numpy as np

DEADLINE_S = 60.0
TYPE_S = 0.05


class Terminal:
    """The person's end of a pseudo-terminal: sees what is drawn, and types."""

    def __init__(self, words: list[str]):
        self.master, self.slave = os.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.seen = ''
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'il_ros.cli', *words], stdin=self.slave, stdout=self.slave,
            stderr=self.slave, env={**os.environ, 'DISPLAY': ''})

    def look(self):
        """Take in what is drawn, for a moment."""
        if select.select([self.master], [], [], TYPE_S)[0]:
            self.seen += os.read(self.master, 65536).decode(errors='replace')

    def until(self, found, key: str = ''):
        """Type a key again and again until something is seen."""
        deadline = time.monotonic() + DEADLINE_S
        while not found():
            assert time.monotonic() < deadline, self.seen[-3000:]
            self.look()
            if key:
                os.write(self.master, key.encode())

    def close(self):
        """End the command, if it has not, and close both ends."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def test_the_view_shows_what_there_is_until_it_is_interrupted():
    process = subprocess.Popen(
        [sys.executable, '-m', 'il_ros.cli', 'view', '--period', '0.1'], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == 'episode  none yet'
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, err


def test_a_person_records_an_episode_with_the_keys_of_a_terminal(tmp_path):
    terminal = Terminal(['record', '--task', 'reach', '--run', 'hand', '--runs', str(tmp_path),
                         '--teleop', 'keyboard', '--episodes', '1', '--seed', '3'])
    try:
        terminal.until(lambda: 'You drive while keys come' in terminal.seen)
        assert not termios.tcgetattr(terminal.slave)[3] & termios.ECHO
        terminal.until(lambda: 'running' in terminal.seen, key='\r')
        terminal.until(lambda: 'drives   a person' in terminal.seen, key='d')
        terminal.until(lambda: terminal.process.poll() is not None, key='y')
        terminal.look()
        assert terminal.process.returncode == 0, terminal.seen[-3000:]
        assert termios.tcgetattr(terminal.slave) == terminal.before
    finally:
        terminal.close()
    assert 'keyboard, engaged' in terminal.seen or 'keyboard, let go' in terminal.seen
    assert 'observation' in terminal.seen and 'Hz' in terminal.seen
    assert '1 demonstrations' in terminal.seen

    path, = (tmp_path / 'hand' / 'episodes' / 'main').glob('*.mcap')
    receipt, recorded = read_receipt(path.with_suffix('.json')), read_episode(path)
    assert (receipt.end, receipt.cause, receipt.success) == (TERMINATED, OPERATOR, True)
    assert set(recorded.driver.tolist()) <= {HOLD, TELEOP}
    labels = labels_of(recorded)
    drove = recorded.driver == TELEOP
    assert drove.any() and (labels.valid == drove).all()
    np.testing.assert_allclose(labels.actions[drove], [[0.0, -0.15, 0.0]] * drove.sum(), atol=1e-6)
