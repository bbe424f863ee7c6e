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

"""The tables and the diagram of the reference pages, compared with the nodes and the code."""

import ast
import collections
import importlib
import importlib.util
from pathlib import Path
import re

import pytest

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / 'docs' / 'reference'
NODES = ('simulator', 'observer', 'policy', 'expert', 'teleop', 'supervisor', 'recorder',
         'collector', 'trainer', 'coordinator')
OFF_BY_DEFAULT = {'simulator': {'camera': True, 'publish_clock': True},
                  'observer': {'contract': 'push_image'}}


def page(name: str) -> str:
    """Return the text of a reference page."""
    return (REFERENCE / f'{name}.md').read_text()


def table(name: str, *headings: str) -> list[list[str]]:
    """Return the cells of a page's table with these headings, row by row."""
    text = page(name)
    start = text.index('| ' + ' | '.join(headings) + ' |')
    lines = text[start:].partition('\n\n')[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]


def names_in(cell: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r'`([^`]+)`', cell)


class Sides:
    """What one node of the graph offers and uses, by name."""

    def __init__(self, node):
        from rclpy.action import ActionClient, get_action_server_names_and_types_by_node
        self.parameters = set(node._parameters)
        self.written = {p.topic_name: (p.msg_type, p.qos_profile) for p in node.publishers}
        self.read = {s.topic_name: (s.msg_type, s.qos_profile) for s in node.subscriptions}
        served = {s.srv_name for s in node.services}
        self.types = {s.srv_name: s.srv_type for s in node.services}
        self.services = {name for name in served if '/' not in name.strip('/')
                         and not name.startswith(f'/{node.get_name()}')}
        found = get_action_server_names_and_types_by_node(
            node, node.get_name(), node.get_namespace())
        self.actions = {name.strip('/'): kinds[0] for name, kinds in found}
        self.asked = {client.srv_name for client in node.clients} | {
            one._action_name for one in node.waitables if isinstance(one, ActionClient)}


@pytest.fixture(scope='module')
def graph():
    """Build every node once, without a worker process, and return their sides by name."""
    rclpy = pytest.importorskip('rclpy', reason='needs rclpy: make test')
    from il_ros.learning.training_worker.worker_client import WorkerClient
    from il_ros.graph.executables import class_of
    from il_ros.graph.graph import overrides
    sides = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WorkerClient, 'start', lambda self: None)
        context = rclpy.Context()
        rclpy.init(context=context)
        for name in NODES:
            kind = getattr(importlib.import_module(f'il_ros.nodes.{name}'), class_of(name))
            node = kind(context=context,
                        parameter_overrides=overrides(OFF_BY_DEFAULT.get(name, {})))
            sides[name] = Sides(node)
            if hasattr(node, 'shut_down'):
                node.shut_down()
            node.destroy_node()
        context.try_shutdown()
    return sides


def ends_of(graph: dict, side: str) -> dict[str, dict[str, tuple]]:
    """Return the topics of one side: by topic and node, the type and the quality of service."""
    ends = collections.defaultdict(dict)
    for name, sides in graph.items():
        for topic, end in getattr(sides, side).items():
            topic = topic if topic == '/diagnostics' else topic.removeprefix('/')
            if topic not in ('parameter_events', 'rosout') and '/transition_event' not in topic:
                ends[topic][name] = end
    return ends


def test_the_table_of_nodes_has_every_node_with_what_it_serves(graph):
    rows = {names_in(row[0])[0]: row for row in table(
        'nodes', 'Node', 'What it does', 'Serves', 'Main parameters')}
    assert list(rows) == list(NODES)
    for name, (_, _, served, parameters) in rows.items():
        sides = graph[name]
        assert set(names_in(served)) == sides.services | set(sides.actions), name
        assert not set(names_in(parameters)) - sides.parameters, name


def test_the_table_of_topics_has_every_topic_with_its_type_and_its_ends(graph):
    rows = {names_in(row[0])[0]: row for row in table(
        'topics', 'Topic', 'Type', 'From', 'To', 'QoS')}
    written, read = ends_of(graph, 'written'), ends_of(graph, 'read')
    assert set(rows) == set(written) | set(read)
    for topic, (_, kind, writers, readers, _) in rows.items():
        assert set(names_in(writers)) == set(written[topic]), topic
        assert set(names_in(readers)) == set(read[topic]), topic
        types = {f'{end[0].__module__.partition(".")[0]}/{end[0].__name__}'
                 for ends in (written, read) for end in ends[topic].values()}
        assert types == set(names_in(kind)), topic


def is_profile(found, profile) -> bool:
    """Whether an end of a topic has the quality of service of a named profile."""
    return all(getattr(found, part) == getattr(profile, part) for part in (
        'depth', 'durability', 'reliability', 'liveliness', 'liveliness_lease_duration'))


def test_the_quality_of_service_of_every_end_is_the_one_that_the_table_names(graph):
    from il_ros.ros import qos
    written, read = ends_of(graph, 'written'), ends_of(graph, 'read')
    for row in table('topics', 'Topic', 'Type', 'From', 'To', 'QoS'):
        topic, (usual, *others) = names_in(row[0])[0], row[4].split(';')
        exceptions = {other.partition(':')[0].strip(): names_in(other)[0] for other in others}
        for node, (_, found) in {**written[topic], **read[topic]}.items():
            profile = exceptions.get(node, names_in(usual)[0])
            assert is_profile(found, getattr(qos, profile)), (topic, node)


def test_the_profiles_of_the_page_have_the_depth_and_durability_of_the_code():
    qos = pytest.importorskip('il_ros.ros.qos', reason='needs rclpy: make test')
    for name, depth, besides in table('topics', 'Name', 'Depth', 'Besides'):
        profile = getattr(qos, names_in(name)[0])
        assert profile.depth == int(depth), name
        assert ('transient local' in besides) == (profile.durability.name == 'TRANSIENT_LOCAL')


def arrows(kind: str) -> list[tuple[str, str, str]]:
    """Return the diagram's arrows ``-->`` or ``-.->``: from, what, to."""
    diagram = page('nodes').partition('```mermaid')[2].partition('```')[0]
    found = re.findall(rf'(\w+) {re.escape(kind)}\|([^|]+)\| (\w+)', diagram)
    return [(one, what, other) for one, labels, other in found for what in labels.split(', ')]


def test_every_arrow_of_the_diagram_is_a_topic_between_those_two(graph):
    assert len(arrows('-->')) > 15
    for one, topic, other in arrows('-->'):
        assert f'/{topic}' in graph[one].written, (one, topic)
        assert f'/{topic}' in graph[other].read, (topic, other)


def test_every_topic_with_two_ends_is_in_the_diagram(graph):
    shown = {(one, topic, other) for one, topic, other in arrows('-->')}
    written, read = ends_of(graph, 'written'), ends_of(graph, 'read')
    assert shown == {(one, topic, other) for topic in written
                     for one in written[topic] for other in read[topic]}


def test_every_dotted_arrow_is_a_service_or_action_and_none_is_left_out(graph):
    served = {name: one for one, sides in graph.items()
              for name in sides.services | set(sides.actions)}
    assert set(arrows('-.->')) == {(one, name.strip('/'), served[name.strip('/')])
                                   for one, sides in graph.items() for name in sides.asked}


def test_the_table_of_services_has_every_service_and_action_with_its_type_and_server(graph):
    said = {names_in(row[0])[0]: (row[1], names_in(row[2])[0], names_in(row[3])[0])
            for row in table('services', 'Name', 'Kind', 'Type', 'Served by', 'What it does',
                             'Codes')}
    found = {}
    for node, sides in graph.items():
        for name in sides.services:
            kind = sides.types[name]
            package = kind.__module__.partition('.')[0]
            found[name] = ('service', f'{package}/{kind.__name__}', node)
        for name, kind in sides.actions.items():
            found[name] = ('action', kind.replace('/action/', '/'), node)
    assert said == found


def launch_arguments(name: str) -> set[str]:
    """Return the arguments of a launch file: its own and those of the files it includes."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        words = [a.value for a in getattr(node, 'args', ()) if isinstance(a, ast.Constant)
                 ] if isinstance(node, ast.Call) else []
        called = getattr(getattr(node, 'func', None), 'id', '')
        if called == 'DeclareLaunchArgument':
            found.add(words[0])
        elif called == 'include':
            found |= launch_arguments(f'launch/{words[0]}')
        elif called == 'process_arguments':
            found |= launch_arguments('il_ros/graph/launching.py')
    return found


def test_the_table_of_launch_files_names_arguments_that_they_have():
    rows = table('launch-files', 'File', 'Starts', 'Its own arguments')
    assert {names_in(row[0])[0] for row in rows} == {
        path.name for path in (ROOT / 'launch').glob('*.launch.py')}
    for file, _, arguments in rows:
        assert not set(names_in(arguments)) - launch_arguments(f'launch/{names_in(file)[0]}')


def test_a_launch_command_gives_only_arguments_that_the_file_has():
    commands = [found for path in [ROOT / 'README.md', *(ROOT / 'docs').rglob('*.md')]
                for found in re.findall(r'ros2 launch il_ros (\S+)([^`\n]*)', path.read_text())]
    assert commands
    for name, words in commands:
        given = {word.partition(':=')[0] for word in words.split() if ':=' in word}
        assert not given - launch_arguments(f'launch/{name}'), name


def test_the_strategies_are_those_of_the_code():
    from il_ros.interactive.strategies import STRATEGIES
    rows = table('strategies', '`--strategy`', 'Who drives a rollout', 'What becomes a label')
    assert [names_in(row[0])[0] for row in rows] == list(STRATEGIES)


def test_the_environments_are_those_that_are_registered():
    from il_ros.sim.registration import environment_name
    from il_ros.tasks.registry import TASKS
    assert set(re.findall(r'il_ros/\w+-v\d', page('tasks'))) == set(map(environment_name, TASKS))


def test_the_tasks_are_those_of_the_code_with_their_horizons():
    from il_ros.tasks.registry import make_task, TASKS
    rows = table('tasks', 'Task', 'Horizon', 'Success', 'Lost')
    assert {names_in(row[0])[0]: int(row[1]) for row in rows} == {
        name: make_task(name).horizon for name in TASKS}


def generated():
    """Import tools/reference_pages.py, which belongs to no package."""
    spec = importlib.util.spec_from_file_location(
        'reference_pages', ROOT / 'tools' / 'reference_pages.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize('name', ['commands', 'parameters'])
def test_a_page_that_is_made_from_the_code_is_current(name):
    if name == 'parameters':
        pytest.importorskip('rclpy', reason='needs rclpy: make test')
    assert getattr(generated(), name)() == page(name), (
        f'docs/reference/{name}.md is out of date: run python tools/reference_pages.py')


def test_the_page_of_the_interface_has_every_public_name():
    import il_ros
    shown = re.findall(r'^\.\. auto\w+:: (\w+)$', page('api'), re.MULTILINE)
    assert sorted(shown) == sorted(il_ros.__all__)
