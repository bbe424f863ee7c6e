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


"""
The episodes of a run as rosbag2 bags, one folder each: an MCAP file and ``metadata.yaml``.

The messages are those of the wire, without the uninitialised bytes that a sender leaves between
their fields; the format is that of rosbag2 in Jazzy (metadata version 9).
"""

import collections
from collections.abc import Iterator
from pathlib import Path

from il_ros.episodes.mcap import Channel, McapFile, read_mcap
from il_ros.episodes.receipts import verify
from il_ros.episodes.wire.cdr import canonical
from il_ros.errors import DecodeError, EpisodeFileError, ExportError, SchemaError
from il_ros.files.folders import new_folder
from il_ros.runs.inventory import episodes_of, Progress
from mcap.writer import CompressionType, Writer
import yaml

VERSION = 9
BATCH_BYTES = 16 << 20
"""Messages of a topic that are cleaned together have about so many bytes."""

_UNLIMITED = {'sec': 9223372036, 'nsec': 854775807}
_QOS = [{'history': 'keep_last', 'depth': 10, 'reliability': 'reliable',
         'durability': 'volatile', 'deadline': _UNLIMITED, 'lifespan': _UNLIMITED,
         'liveliness': 'automatic', 'liveliness_lease_duration': _UNLIMITED,
         'avoid_ros_namespace_conventions': False}]


def export_rosbag2(folder: Path, output: Path, progress: Progress = iter) -> dict[str, int]:
    """
    Write every episode of a run as a bag ``output/<id>``; flagged ones, too.

    Where another shard has the id already, the bag is ``output/<shard>-<id>``.

    :returns: how many bags and messages were written
    :raises EpisodeFileError: naming the file that is missing or damaged
    :raises ExportError: if ``output`` exists, or there is no episode
    """
    bags = messages = 0
    with new_folder(output, ExportError) as place:
        for path in progress(episodes_of(folder)):
            verify(path)
            bag = place / path.stem
            if bag.exists():
                bag = place / f'{path.parent.name}-{path.stem}'
            messages += _bag(read_mcap(path), bag)
            bags += 1
        if not bags:
            raise ExportError(f'{folder} has no episode to export')
    return {'bags': bags, 'messages': messages}


def _bag(file: McapFile, place: Path) -> int:
    place.mkdir()
    name = f'{place.name}_0.mcap'
    counts: collections.Counter = collections.Counter()
    stamps = []
    with open(place / name, 'wb') as stream:
        writer = Writer(stream, compression=CompressionType.NONE)
        writer.start('ros2', 'il_ros')
        for key, entries in file.metadata.items():
            writer.add_metadata(key, entries)
        clean, numbers = {}, {}
        for channel in file.channels.values():
            schema = channel.schema
            number = writer.register_schema(schema.name, 'ros2msg', schema.text.encode())
            numbers[channel.topic] = writer.register_channel(
                _absolute(channel.topic), 'cdr', number,
                {'offered_qos_profiles': yaml.safe_dump(_QOS)})
            clean[channel.topic] = _clean(file, channel)
        for topic, _, log_time_ns in file.in_order():
            writer.add_message(numbers[topic], log_time_ns, next(clean[topic]), log_time_ns,
                               counts[topic])
            counts[topic] += 1
            stamps.append(log_time_ns)
        writer.finish()
    types = {channel.topic: channel.schema.name for channel in file.channels.values()}
    (place / 'metadata.yaml').write_text(yaml.safe_dump(
        _metadata(name, types, counts, stamps), sort_keys=False))
    return len(stamps)


def _absolute(topic: str) -> str:
    return f'/{topic.lstrip("/")}'


def _clean(file: McapFile, channel: Channel) -> Iterator[bytes]:
    """Return the messages of a channel one by one, never many large ones at a time."""
    batch, size = [], 0
    for begin, end in channel.spots:
        batch.append(file.data[begin:end])
        size += end - begin
        if size > BATCH_BYTES:
            yield from _cleaned(file, channel, batch)
            batch, size = [], 0
    yield from _cleaned(file, channel, batch)


def _cleaned(file: McapFile, channel: Channel, raws: list[bytes]) -> list[bytes]:
    try:
        return canonical(channel.schema, raws) if raws else []
    except (DecodeError, SchemaError) as error:
        raise EpisodeFileError(f'{file.path} is not a complete episode: {error}') from error


def _metadata(name: str, types: dict, counts: dict, stamps: list[int]) -> dict:
    begin, end = min(stamps, default=0), max(stamps, default=0)
    span = {'starting_time': {'nanoseconds_since_epoch': begin},
            'duration': {'nanoseconds': end - begin}, 'message_count': len(stamps)}
    return {'rosbag2_bagfile_information': {
        'version': VERSION, 'storage_identifier': 'mcap', **span,
        'topics_with_message_count': [
            {'topic_metadata': {
                'name': _absolute(topic), 'type': kind, 'serialization_format': 'cdr',
                'offered_qos_profiles': _QOS, 'type_description_hash': ''},
             'message_count': counts[topic]} for topic, kind in types.items()],
        'compression_format': '', 'compression_mode': '', 'relative_file_paths': [name],
        'files': [{'path': name, **span}], 'custom_data': None, 'ros_distro': 'jazzy'}}
