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

"""YAML as people write it: one loader for all files, and numbers are numbers."""

import math
from pathlib import Path
import re

from il_ros.contract.contract_file import load_contract
from il_ros.files.share import share_path
from il_ros.files.yaml_file import read_yaml, YamlFileError
from il_ros.interactive.strategies import load_strategy
from il_ros.learning.config import TrainConfig
from il_ros.tasks.contracts import contract_text
from il_ros.teleop.mapping import load_key_mapping
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize('text, value', [
    ('1e-3', 1e-3), ('1E3', 1000.0), ('-2e+4', -2e4), ('+1.5e2', 150.0), ('.5e1', 5.0),
    ('1.e2', 100.0), ('1_000e-1', 100.0), ('1.0e-3', 1e-3), ('0.25', 0.25), ('1e999', math.inf),
    ('12', 12), ('-3', -3), ('e3', 'e3'), ('1e', '1e'), ('1e-3m', '1e-3m'), ('"1e-3"', '1e-3'),
    ('true', True), ('~', None), ('1.2.3e4', '1.2.3e4')])
def test_numbers_are_read_as_numbers_and_texts_as_texts(tmp_path, text, value):
    path = tmp_path / 'file.yaml'
    path.write_text(f'key: [{text}]\n')
    found, = read_yaml(path)['key']
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize('text, sentence', [
    ('a:\n- [1\nb: 2', "line 3, column 2: expected ',' or ']', but got ':'"),
    ('a: 1\nb: \x00', 'line 2: special characters are not allowed'),
    ('a: 1\nb: @c', "line 2, column 4: found character '@' that cannot start any token"),
    ('\n!!python/object/apply:os.system ["true"]', 'line 2, column 1: could not determine'),
    ('day: 2026-13-45', 'month must be in'), ('[' * 5_000, 'nested too deeply'),
    ('a: 1\n---\nb: 2\n', 'line 2, column 1: but found another document')])
def test_what_is_no_yaml_is_refused_with_a_sentence_and_its_line(tmp_path, text, sentence):
    path = tmp_path / 'file.yaml'
    path.write_text(text)
    with pytest.raises(YamlFileError) as refused:
        read_yaml(path)
    assert sentence in str(refused.value) and '\n' not in str(refused.value)


@pytest.mark.parametrize('before, line', [('', 1), ('\n', 2), ('a: 1\n\n', 3)])
def test_a_character_that_no_yaml_has_is_named_with_its_line(tmp_path, before, line):
    (tmp_path / 'file').write_text(f'{before}b: \x00')
    with pytest.raises(YamlFileError, match=f'^line {line}: .*character'):
        read_yaml(tmp_path / 'file')


def test_a_yaml_file_that_cannot_be_read_has_its_reason(tmp_path):
    with pytest.raises(YamlFileError, match='^No such file or directory$'):
        read_yaml(tmp_path / 'nowhere.yaml')


def test_every_kind_of_file_takes_them(tmp_path):
    training = tmp_path / 'training.yaml'
    training.write_text('inputs: [a]\nlearning_rate: 1e-3\nweight_decay: 1e-4\n')
    assert TrainConfig.load(training).learning_rate == 1e-3
    strategy = tmp_path / 'strategy.yaml'
    strategy.write_text('strategy: {gate: {threshold: 4e-1}}\n')
    assert load_strategy('gated', strategy).plan(1, 0).threshold == 0.4
    contract = tmp_path / 'reach.yaml'
    text = contract_text('reach')
    contract.write_text(re.sub(r'rate: \S+', 'rate: 2e1', text))
    assert load_contract(contract)[0].rate == 20.0
    mapping = tmp_path / 'mine.yaml'
    text = share_path('config', 'teleop', 'keyboard.yaml').read_text()
    mapping.write_text(re.sub(r'timeout_s: \S+', 'timeout_s: 3e-1', text))
    assert load_key_mapping(str(mapping)).timeout_s == 0.3


def test_one_loader_reads_all_files():
    loading = [path.name for path in (ROOT / 'il_ros').rglob('*.py')
               if re.search(r'yaml\.\w*([lL]oad|Loader)', path.read_text())]
    assert loading == ['yaml_file.py']
