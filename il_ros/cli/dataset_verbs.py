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


"""What the verbs of ``il_ros dataset`` do and print."""

import argparse
from collections.abc import Iterable, Sequence
import functools
import json
from pathlib import Path

from il_ros import hints
from il_ros.dataset.dataset import DATASET
from il_ros.episodes.placing import free_paths
from il_ros.errors import CommandError, ImitationError, NoSuchRunError
from il_ros.files.folders import require_writable
from il_ros.progress import each, Progress
from il_ros.runs import inventory
from il_ros.runs.inventory import EPISODES, episodes_of, find_run, Inventory, take_inventory
from il_ros.runs.shard import missing_in
from il_ros.runs.verification import Finding, verify_run

LOST = 3
"""Exit code of a repair that lost something."""


def dataset(args: argparse.Namespace) -> int:
    """Carry out one verb and return the exit code."""
    return VERBS[args.dataset_verb](args)


def _progress(what: str, unit: str = 'episode') -> inventory.Progress:
    return functools.partial(each, what=what, unit=unit)


def _run(args: argparse.Namespace) -> Path:
    return find_run(args.runs, args.run)


def _whole_run(args: argparse.Namespace, run: str = '') -> Path:
    """Return the folder of a run, and name the episodes that it lacks: the others are used."""
    folder = find_run(args.runs, run or args.run)
    _say_left_out(missing_in(folder / EPISODES))
    return folder


def _say_left_out(episodes: Iterable[tuple[Path, str]]):
    for path, reason in episodes:
        print(f'left out: {path} ({reason})')


def _say_old(keys: Iterable[str]):
    for key in keys:
        print(f'left out: the filter key {key}, which is older than the newest episodes')


def info(args: argparse.Namespace) -> int:
    """Print what a run holds."""
    found = take_inventory(_run(args), _progress('reading'))
    if args.json:
        print(json.dumps(found.as_dict(), indent=1))
    else:
        print(_table(found))
    return 1 if found.unreadable else 0


def _table(found: Inventory) -> str:
    from il_ros.reports.table import Table
    counts = [('task', found.tasks), ('purpose', found.purposes), ('round', found.rounds),
              ('outcome', found.outcomes), ('steps driven by', found.drivers),
              ('flagged', found.flags)]
    lines = [('episodes', str(found.episodes), ''),
             ('steps', str(found.steps), f'{found.seconds:.1f} s')]
    lines += [(f'{what} {name}', str(counter[name]), _share(counter[name], counter))
              for what, counter in counts for name in sorted(counter)]
    lines += [(name, str(getattr(found, name)), '')
              for name in ('labels', 'queries', 'watched', 'takeovers')]
    if found.later_queries:
        lines.append(('queries later', str(found.later_queries),
                      f'{found.later_labels} valid, {found.later_used} used in training'))
    lines += [('rate, mean', f'{found.rate_hz:.3f} Hz',
               f'contract: {found.contract_rate_hz:g} Hz'),
              ('largest gap', f'{1e3 * found.largest_gap_s:.1f} ms', found.largest_gap_in),
              ('messages dropped', str(found.dropped), '')]
    lines += [(f'stream {topic}', str(found.streams[topic]),
               f'{found.stream_drops[topic]} dropped') for topic in sorted(found.streams)]
    return '\n'.join([Table((found.run, '', ''), lines).text(),
                      *(f'not counted: {one}' for one in found.unreadable)])


def _share(count: int, counter) -> str:
    return f'{100 * count / sum(counter.values()):.1f} %' if len(counter) > 1 else ''


def verify(args: argparse.Namespace) -> int:
    """Print what is damaged; exit code 1 if anything is."""
    folder = _run(args)
    findings = [*verify_run(folder, _progress('verifying')), *_checkpoints(folder)]
    for finding in findings:
        print(finding.sentence)
    count = len(episodes_of(folder))
    print(f'{len(findings)} findings in {folder}, {count} episodes' if findings else
          f'{folder}: {count} episodes verified, no errors')
    return 1 if findings else 0


def _checkpoints(folder: Path) -> list[Finding]:
    places = [path for path in sorted((folder / 'checkpoints').glob('*'))
              if path.is_dir() and not path.name.startswith('.')]
    findings = []
    for place in each(places, 'verifying', 'checkpoint'):
        from il_ros.learning.checkpoint import load
        try:
            load(place)
        except ImitationError as error:
            findings.append(Finding(place, str(error)))
    return findings


def repair(args: argparse.Namespace) -> int:
    """Mend a run; exit code 0, 3 (something is lost) or 1 (not repairable)."""
    from il_ros.runs.repair import FAILED, LOSS, Repair, repair_episodes
    folder = _run(args)
    repairs = repair_episodes(folder, _progress('repairing', 'shard'))
    repairs += _repair_dataset(folder)
    repairs += [Repair(one.path, FAILED, f'{one.sentence}; a checkpoint cannot be repaired, '
                                         'only trained again') for one in _checkpoints(folder)]
    for one in repairs:
        print(f'{one.result}: {one.sentence}')
    if not repairs:
        print(f'{folder}: nothing to repair')
    results = {one.result for one in repairs}
    return 1 if FAILED in results else LOST if LOSS in results else 0


def _repair_dataset(folder: Path) -> list:
    from il_ros.episodes.placing import set_aside
    from il_ros.runs.rebuild import keys_of, rebuild
    from il_ros.runs.repair import DONE, FAILED, Repair
    from il_ros.interactive.dataset_keys import planned_keys
    repairs = []
    wrong = [one for one in verify_run(folder) if one.path.suffix == '.hdf5']
    for name in dict.fromkeys(one.path.name for one in wrong):
        busy = [one for one in wrong if one.path.name == name and one.busy]
        if busy:
            repairs.append(Repair(folder / name, FAILED, busy[0].sentence))
            continue
        keys = keys_of(folder, planned_keys(folder)) if name == DATASET else None
        what = f'{folder / name} was out of date'
        if keys is None or not all(one.outdated for one in wrong if one.path.name == name):
            aside = set_aside(folder / name)
            what = f'{folder / name} was damaged and is moved to {aside.name}'
        if keys is None:
            repairs.append(Repair(folder / name, DONE, (
                f'{what}; the next training on all of the run will rebuild it')))
            continue
        made = rebuild(folder, keys)
        repairs.append(Repair(folder / name, DONE, f'{what}; rebuilt from {made.demos} episodes'))
    return repairs


def _place(args: argparse.Namespace, name: str) -> Path:
    """Return where a new run goes: under the runs, or to a path."""
    return Path(name) if '/' in name else Path(args.runs) / name


def merge(args: argparse.Namespace) -> int:
    """Put several runs into a new one."""
    from il_ros.runs.merge import merge_runs
    runs = [_whole_run(args, run) for run in args.run]
    output = _place(args, args.output)
    require_writable(output, CommandError)
    merged = merge_runs(runs, output, args.rename, _progress('merging'), args.mix_options)
    for old, new in merged.renamed.items():
        print(f'{old} is now {new}')
    for name in merged.repeated:
        print(f'{name} was there twice, byte for byte: taken once')
    print(f'{merged.episodes} episodes of {len(runs)} runs in {output}')
    return 0


def split(args: argparse.Namespace) -> int:
    """Part a run into filter keys or new runs."""
    from il_ros.runs.rebuild import fresh_keys
    from il_ros.runs.split import draw_episodes, sort_episodes, split_into_keys, split_into_runs
    from il_ros.interactive.dataset_keys import planned_keys
    folder, keys = _whole_run(args), args.into == 'keys'
    if args.by is not None:
        groups = sort_episodes(folder, args.by, _progress('sorting'), to_train=keys)
    else:
        groups = draw_episodes(folder, args.ratio, args.seed, _progress('drawing'),
                               to_train=keys)
    if args.into == 'runs':
        for name, count in split_into_runs(groups, folder).items():
            print(f'{folder.parent / name}: {count} episodes')
        return 0
    present, old = fresh_keys(folder, planned_keys(folder))
    made = split_into_keys(folder, groups, present)
    for key in groups:
        print(f'{key}: {len(groups[key])} episodes, {made.labels.get(key, 0)} labels in '
              f'{folder / DATASET}')
    _say_old(key for key in old if key not in groups)
    _say_left_out(made.skipped)
    return 0


def replay(args: argparse.Namespace) -> int:
    """Repeat episodes in the simulator or through a graph; exit code 1 if that went otherwise."""
    folder = _whole_run(args)
    paths = _chosen(folder, args.episode or ())[:args.episodes or None]
    if args.through == 'simulator':
        _refuse_without_a_graph(args)
        return _replay_commands(folder, paths)
    from il_ros.graph.replay import Replay, ReplayParameters, replay
    runs, tolerance = Path(args.runs), args.tolerance
    free, = free_paths(runs, f'{folder.name}-replay-{{}}')
    return replay(Replay(
        folder, tuple(paths), runs, args.output or free.name, args.through == 'arm',
        ReplayParameters.tolerance if tolerance is None else tolerance))


def _refuse_without_a_graph(args: argparse.Namespace):
    for name in ('output', 'tolerance'):
        if getattr(args, name) is not None:
            raise CommandError(
                f'--{name} is {getattr(args, name)!r} with --through simulator, which keeps '
                'nothing and compares bit for bit; expected --through graph or arm')


def _chosen(folder: Path, names: Sequence[str]) -> list[Path]:
    paths = episodes_of(folder)
    unknown = set(names) - {path.stem for path in paths}
    if unknown:
        raise NoSuchRunError(f'{folder} has no episode {sorted(unknown)[0]!r}; the names are '
                             f'shown by {hints.plot(folder)}')
    return [path for path in paths if not names or path.stem in names]


def _replay_commands(folder: Path, paths: Sequence[Path]) -> int:
    from il_ros.episodes.reader import read_episode
    from il_ros.robots.model import find_robot
    from il_ros.sim.replay import compare_replay
    from il_ros.sim.simulation import Simulation
    make = functools.lru_cache(maxsize=1)(
        lambda task, rate_hz, robot: Simulation(task, rate_hz, robot=find_robot(robot)))
    identical = states = 0
    with Progress('replaying', len(paths), 'episode') as progress:
        for path in paths:
            episode = read_episode(path)
            sources = sources_of(folder, episode)  # it also finds the robot's file
            found = compare_replay(
                make(episode.spec.task, episode.contract.rate, episode.contract.robot), episode,
                sources)
            states += found.states
            identical += found.identical
            if not found.identical:
                progress.say(f'{path} differs at step {found.first_difference}: {found.sentence}')
            progress.update()
    print(f'{identical} of {len(paths)} episodes are bit-identical ({states} states compared)')
    return 0 if identical == len(paths) else 1


def sources_of(folder: Path, episode) -> tuple:
    """
    Return where the features of an episode's contract come from.

    :param folder: of its run
    :raises ContractError: if no file has its contract
    """
    from il_ros.tasks.contracts import find_contract
    from il_ros.runs.kept_contract import needed_contract
    _, sources = find_contract(needed_contract(folder, episode))
    return sources


def plot(args: argparse.Namespace) -> int:
    """Draw a run as PNG files and a page."""
    from il_ros.reports.recordings import write_plots
    folder = _whole_run(args)
    paths = episodes_of(folder)
    if not paths:
        raise NoSuchRunError(f'{folder} has no episode to draw')
    output = Path(args.output or folder / 'plots')
    require_writable(output, CommandError)
    files = write_plots(folder.name, paths, output, args.episode or (), args.episodes,
                        _progress('reading'))
    print(f'{output / files[-1]} shows it; {len(files) - 1} pictures beside it')
    return 0


def relabel(args: argparse.Namespace) -> int:
    """Ask a labelling service about every recorded state of a run."""
    from il_ros.cli import relabelling
    folder = _whole_run(args)
    code = relabelling.relabel(folder, args.expert, args.replace, args.deadline, args.use)
    if (folder / DATASET).exists():
        print(f'{folder / DATASET} does not know these labels yet; it is rebuilt by '
              f'{hints.repair(folder)}')
    return code


def export(args: argparse.Namespace) -> int:
    """Write a run in the format of another tool."""
    folder, output, progress = _whole_run(args), Path(args.output), _progress('exporting')
    require_writable(output, CommandError)
    if args.to != 'rosbag2':
        from il_ros.runs.export.segments import left_out
        from il_ros.runs.rebuild import fresh_keys
        _say_left_out(left_out(folder))
        _say_old(fresh_keys(folder)[1])
    if args.to == 'rosbag2':
        from il_ros.runs.export.rosbag2 import export_rosbag2
        counts = export_rosbag2(folder, output, progress)
    elif args.to == 'lerobot':
        from il_ros.runs.export.lerobot import export_lerobot
        counts = export_lerobot(folder, output, args.actions, progress)
    else:
        from il_ros.runs.export.robomimic import export_robomimic
        counts = export_robomimic(folder, output, args.actions, progress)
    print(f'{output}: {", ".join(f"{count} {what}" for what, count in counts.items())}')
    return 0


VERBS = {'info': info, 'verify': verify, 'repair': repair, 'merge': merge, 'split': split,
         'replay': replay, 'plot': plot, 'relabel': relabel, 'export': export}
