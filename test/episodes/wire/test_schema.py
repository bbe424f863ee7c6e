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

from il_ros.episodes.wire.schema import ACTION, extract, fields_of, find_schema, RECORDED, split
from il_ros.errors import SchemaError
from mcap_ros2._dynamic import generate_dynamic
import pytest
from recordings import ACTION_SCHEMA, SCHEMAS


def test_constants_comments_and_bounds_are_no_fields():
    fields = fields_of('a/B', 'uint8 HOLD=0  # nobody\n# text\nstring<=5 name\nfloat32[<=3] x\n'
                              'uint8[4] raw\nHeader header\nint32 n 7\nstring GREETING = "a # b"')
    assert [(f.type_name, f.name, f.size) for f in fields] == [
        ('string', 'name', 0), ('float32', 'x', -1), ('uint8', 'raw', 4),
        ('a/Header', 'header', 0), ('int32', 'n', 0)]


def test_a_line_that_is_no_field_is_named():
    with pytest.raises(SchemaError, match="a/B: 'what'"):
        fields_of('a/B', 'what')


def test_a_nested_definition_comes_out_whole():
    found = extract(SCHEMAS['executed'], ACTION)
    assert found.name == ACTION
    assert {name: fields_of(name, text) for name, text in split(found).items()} == {
        name: fields_of(name, text) for name, text in split(ACTION_SCHEMA).items()}


def test_what_a_schema_does_not_contain_is_refused():
    with pytest.raises(SchemaError, match='holds no il_ros_interfaces/msg/Action'):
        extract(SCHEMAS['episode'], ACTION)


def test_a_missing_definition_is_named_with_the_places_that_were_searched():
    with pytest.raises(SchemaError, match=r'nowhere/msg/Thing\.msg under'):
        find_schema('nowhere/msg/Thing')


@pytest.mark.parametrize('type_name', RECORDED.values())
def test_an_installed_definition_is_understood_by_other_tools(type_name):
    pytest.importorskip('il_ros_interfaces.msg', reason='needs il_ros_interfaces: make test')
    schema = find_schema(type_name)
    assert schema.name in generate_dynamic(schema.name, schema.text)
