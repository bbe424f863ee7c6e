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


"""Filter keys of the aggregated data set, and the episodes of a run under each."""

from pathlib import Path

from il_ros.dataset.dataset import HELD_OUT
from il_ros.interactive import rounds, run_state, stage_work
from il_ros.interactive.rounds import planned_stages
from il_ros.interactive.run_state import RunState
from il_ros.interactive.stage import Stage


def dataset_keys(state: RunState, stage: Stage) -> dict[str, tuple[str, ...]]:
    """
    Return the filter keys, by episode id, once an ``aggregate`` stage is done.

    The order is that of the demos: held-out demonstrations first, then round by round.
    """
    sets: dict[str, set[str]] = {}
    for episode_id in stage_work.held_out_episodes(state):
        sets.setdefault(episode_id, set()).add(HELD_OUT)
    for earlier in rounds.aggregated_stages(state, stage):
        for episode_id in stage_work.dataset_episodes(state, earlier):
            sets.setdefault(episode_id, set()).add(stage_work.filter_key(earlier))
    return {episode_id: tuple(sorted(keys)) for episode_id, keys in sets.items()}


def last_aggregate(state: RunState) -> Stage | None:
    """Return the newest ``aggregate`` stage that is finished; None: there is none."""
    done = [stage for stage in planned_stages(state)
            if stage.act == 'aggregate' and state.has(stage)]
    return done[-1] if done else None


def planned_keys(folder: Path) -> dict[str, tuple[str, ...]] | None:
    """Return the filter keys that the state of a run in a folder names; None: it has none."""
    if not (Path(folder) / run_state.FILE_NAME).exists():
        return None
    state = run_state.load(folder)
    stage = last_aggregate(state)
    return dataset_keys(state, stage) if stage else None
