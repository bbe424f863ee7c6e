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

"""Figures of a run's recordings: PNG files, and a page that shows them all."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from il_ros.dataset.dataset import training_episode
from il_ros.episodes.labels import takeovers
from il_ros.errors import NoSuchEpisodeError
from il_ros.files.atomic import write_atomically
from il_ros.reports import dataset_plots as plots
from il_ros.reports.dataset_plots import Picture, Recorded
from il_ros.reports.page import Figure, render
from il_ros.reports.wording import counted
import numpy as np

PAGE = 'plots.html'


def write_plots(run: str, files: Sequence[Path], output: Path, ids: Sequence[str] = (),
                most: int = 40, progress: Callable[[Sequence], Iterable] = iter) -> list[str]:
    """
    Draw recorded episodes into a folder, replacing what an earlier call drew.

    :param files: of the episodes
    :param ids: episodes whose actions are drawn; none: the first episode
    :param most: episodes in the figures of many, spread over all; 0: all
    :returns: names of the files that were written, the page last
    :raises NoSuchEpisodeError: naming an id that is not among the episodes
    :raises EpisodeFileError: naming the file that is missing or damaged
    """
    by_id = {path.stem: path for path in files}
    for name in ids:
        if name not in by_id:
            raise NoSuchEpisodeError(f'{run} has no episode {name}; the first is {files[0].stem}')
    count = min(most or len(files), len(files))
    shown = [files[index] for index in np.unique(np.linspace(0, len(files) - 1, count).round()
                                                 .astype(int))]
    recorded = [Recorded(*training_episode(path)) for path in progress(shown)]
    single = [Recorded(*training_episode(by_id[name])) for name in ids] or recorded[:1]
    drawn = _drawn(recorded, single)
    Path(output).mkdir(parents=True, exist_ok=True)
    for name, (_, picture, _) in drawn.items():
        write_atomically(Path(output) / f'{name}.png', picture.png)
    page = render(
        'recordings.html.j2', title=f'Recordings of {run}',
        subtitle=f'{len(recorded)} of {len(files)} episodes',
        figures=[Figure(title, picture.svg, note) for title, picture, note in drawn.values()])
    write_atomically(Path(output) / PAGE, page.encode())
    return [*(f'{name}.png' for name in drawn), PAGE]


def _drawn(recorded: Sequence[Recorded],
           single: Sequence[Recorded]) -> dict[str, tuple[str, Picture, str]]:
    """Return title, picture and note of each figure by the name of its file."""
    taken = sum(takeovers(one.episode.driver) for one in recorded)
    found = {
        'paths': ('Paths of the tool and the objects', plots.paths(recorded),
                  'In the base frame, coloured by driver.'),
        'who_drove': ('Driver of each step', plots.who_drove(recorded),
                      f'{counted(taken, "takeover")}, marked: steps at which the expert or a '
                      'person took over from the policy.'),
        'disagreement': ('Policy and label', plots.disagreement(recorded),
                         'The largest difference over the elements of the action, as a share of '
                         'the accepted range, where both are known.')}
    for one in single:
        name = one.episode.spec.episode_id
        found[f'actions_{name}'] = (
            f'Actions and labels of {name}', plots.actions(one),
            'Lines: executed actions, after limits. Dots: labels that training may use.')
    return found
