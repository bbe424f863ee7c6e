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

"""Completion of verbs and options by the shell, where argcomplete is installed."""

import os
import subprocess
import sys

from il_ros.cli import parser
import pytest


def completed(line: str, place) -> set[str]:
    """Return what the shell would offer after a line."""
    code = 'import sys; sys.argv = ["il_ros"]; from il_ros.cli.parser import main; main()'
    done = subprocess.run(
        [sys.executable, '-c', code], timeout=60.0, capture_output=True, env={
            **os.environ, '_ARGCOMPLETE': '1', '_ARGCOMPLETE_IFS': ' ', 'COMP_LINE': line,
            'COMP_POINT': str(len(line)), '_ARGCOMPLETE_STDOUT_FILENAME': str(place)})
    assert not done.stdout and not done.stderr
    return {word.strip() for word in place.read_text().split()}


@pytest.mark.parametrize('line, words', [
    ('il_ros da', {'dagger', 'dataset'}), ('il_ros record --resu', {'--resume'}),
    ('il_ros dagger --strategy no', {'novelty'}), ('il_ros record --task pi', {'pick_place'}),
    ('il_ros compare runs/a b --smal', {'--smallest-difference'})])
def test_verbs_options_and_names_are_completed(tmp_path, line, words):
    pytest.importorskip('argcomplete', reason='needs argcomplete: make test')
    assert completed(line, tmp_path / 'said') == words


def test_the_command_works_without_argcomplete(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'argcomplete', None)
    monkeypatch.setenv('_ARGCOMPLETE', '1')
    with pytest.raises(SystemExit):
        parser.main(['view', '--help'])
    assert 'usage: il_ros view' in capsys.readouterr().out
