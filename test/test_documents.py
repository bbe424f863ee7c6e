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

"""What the README and the other documents tell a reader to type or to open exists."""

from pathlib import Path
import re
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*ROOT.glob('*.md'), *(ROOT / 'docs').rglob('*.md')]
README = (ROOT / 'README.md').read_text()


def commands(text: str) -> list[str]:
    """Return what is to be typed: lines of bash blocks, and inline code of one command."""
    blocks = re.findall(r'```bash\n(.*?)```', text, re.DOTALL)
    lines = [line.partition('#')[0].strip() for block in blocks for line in block.splitlines()]
    inline = re.findall(r'`((?:make|il_ros|ros2|\.venv/bin/il_ros) [^`]*)`', text)
    return [line for line in [*lines, *inline] if line]


def all_commands(start: str) -> set[str]:
    """Return the commands of all documents that begin with ``start``."""
    return {command for path in DOCUMENTS for command in commands(path.read_text())
            if re.match(start, command)}


def test_the_first_two_commands_of_the_readme_are_the_demo_and_the_tests():
    assert [command.split()[:2] for command in commands(README)[:2]] == [
        ['make', 'demo'], ['make', 'test']]


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    named = {re.match(r'make ([a-z-]+)', command)[1] for command in all_commands(r'make [a-z]')}
    assert named and not named - targets


def test_every_link_into_the_repository_leads_somewhere():
    broken = []
    for path in DOCUMENTS:
        for target in re.findall(r'\]\(([^)#\s]+)', path.read_text()):
            if not re.match(r'[a-z]+:', target) and not (path.parent / target).exists():
                broken.append(f'{path.name}: {target}')
    assert not broken


def test_every_launch_file_that_is_named_exists():
    named = {name for path in DOCUMENTS
             for name in re.findall(r'\b(\w+\.launch\.py)\b', path.read_text())}
    assert not {name for name in named if not (ROOT / 'launch' / name).is_file()}


def help_of(*words: str) -> str:
    """Return what ``il_ros ... --help`` prints."""
    code = 'import sys; from il_ros.cli.parser import main; sys.exit(main())'
    done = subprocess.run([sys.executable, '-c', code, *words, '--help'], cwd=ROOT,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize('command', sorted(
    all_commands(r'(\.venv/bin/|ros2 run il_ros )?il_ros [a-z]')))
def test_a_command_of_the_documents_is_understood(command):
    pytest.importorskip('rclpy', reason='needs rclpy: make test')
    words = re.sub(r'^(\.venv/bin/|ros2 run il_ros )?il_ros ', '', command).split()
    options = [word for word in words if word.startswith('--') and word != '--help']
    shown = help_of(*words[:2 if words[0] == 'dataset' else 1])
    assert not [option for option in options if option.partition('=')[0] not in shown]
