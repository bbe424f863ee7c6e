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


"""``il_ros dataset`` on a real run: what each verb prints, writes and returns."""

import dataclasses
import json
import re
import shutil

from command_line import config_for, dagger_words, il_ros
from il_ros.cli.dataset_verbs import sources_of
from il_ros.cli.parser import main
from il_ros.dataset.dataset import DATASET, filter_keys
from il_ros.episodes.label_file import read_labels
from il_ros.episodes.reader import read_episode
from il_ros.episodes.receipts import INCOMPLETE, read_receipt, receipt_path, write_receipt
from il_ros.runs.inventory import episodes_of
from il_ros.runs.shard import MISSING, UNACKNOWLEDGED
from il_ros.sim.replay import compare_replay
from il_ros.sim.simulation import Simulation
import numpy as np
import pytest

pytestmark = pytest.mark.system


@pytest.fixture
def run(whole_run, tmp_path):
    """Return a copy of a small run of reach."""
    return shutil.copytree(whole_run('reach'), tmp_path / 'runs' / 'first')


@pytest.fixture
def dataset(run, capfd):
    """Return the function that calls a verb and returns its exit code and what it printed."""
    def call(verb: str, *words: str, name: str = 'first') -> tuple[int, str]:
        capfd.readouterr()
        code = main(['dataset', verb, name, *words, '--runs', str(run.parent)])
        said = capfd.readouterr()
        print(said.out, said.err)  # for the report of a failure
        return code, said.out
    return call


def test_a_fresh_run_is_whole_and_there_is_nothing_to_repair(run, dataset):
    code, out = dataset('verify')
    assert (code, out.count('\n')) == (0, 1) and 'no errors' in out
    assert dataset('repair') == (0, f'{run}: nothing to repair\n')
    assert dataset('verify', name=str(run))[0] == 0


def test_info_counts_what_verify_reads(run, dataset):
    code, out = dataset('info', '--json')
    found = json.loads(out)
    assert code == 0 and found['episodes'] == len(episodes_of(run))
    assert found['rate_hz'] == pytest.approx(20.0)
    assert set(found['rounds']) == {'0', '1'} and found['drivers']['policy'] > 0
    code, out = dataset('info')
    assert code == 0 and re.search(rf'^steps +{found["steps"]} ', out, re.MULTILINE)


def test_every_state_is_bit_identical_when_it_is_replayed(run, dataset):
    count = len(episodes_of(run))
    code, out = dataset('replay')
    assert code == 0 and f'{count} of {count} episodes are bit-identical' in out


def test_recorded_actions_go_through_a_graph_of_their_own_to_the_same_states(run, dataset):
    paths = [path for path in episodes_of(run) if path.stem.startswith('demonstration')][:2]
    names = [path.stem for path in paths]
    # An action that was limited is recorded as what remained of it, rounded to float32.
    exact = sum(not read_episode(path).limits.any() for path in paths)
    words = ('--through', 'graph', '--episode', names[0], '--episode', names[1])
    code, out = dataset('replay', *words)
    assert code == 0
    assert exact and out.startswith(f'{exact} of 2 episodes came to the same states, bit for bit')
    apart = [float(far) for far in re.findall('at most ([0-9.e-]+)', out)]
    assert exact == 2 or 0.0 < max(apart) < 0.01
    assert f'the replayed episodes are in {run}-replay-1' in out
    replayed = episodes_of(run.with_name(f'{run.name}-replay-1'))
    assert [path.stem for path in replayed] == [f'replay-{name}' for name in names]
    assert dataset('replay', *words, '--output', f'{run.name}-replay-1')[0] == 1
    code, out = dataset('replay', *words)
    assert code == 0 and f'the replayed episodes are in {run}-replay-2' in out
    assert dataset('replay', '--through', 'graph', '--episode', 'nobody')[0] == 1


@pytest.mark.parametrize('word, value', [('--output', 'other'), ('--tolerance', '0.02')])
def test_what_only_a_graph_heeds_is_refused_without_one(run, word, value, capfd):
    words = ['dataset', 'replay', 'first', '--runs', str(run.parent), word, value]
    assert main(words) == 1
    assert f'{word} is ' in capfd.readouterr().err
    with pytest.raises(SystemExit):
        main([*words, '--through', 'graph', '--tolerance', '1.5'])
    assert "'1.5' must be a number between 0 and 1" in capfd.readouterr().err


@pytest.mark.parametrize('what', ['command', 'state'])
def test_a_replay_names_the_first_state_that_differs(run, what):
    episode = read_episode(episodes_of(run)[0])
    simulation = Simulation('reach', episode.contract.rate)
    if what == 'command':
        commands = episode.commands.copy()
        commands[4, 0] += 1e-6
        changed = dataclasses.replace(episode, commands=commands)
    else:
        observations = episode.observations.copy()
        observations[5, 0] = np.nextafter(observations[5, 0], np.float32(9))
        changed = dataclasses.replace(episode, observations=observations)
    try:
        found = compare_replay(simulation, changed, sources_of(run, episode))
        assert found.first_difference == 5 and 'panda_joint1 was' in found.sentence
        assert compare_replay(simulation, episode, sources_of(run, episode)).identical
    finally:
        simulation.close()


def test_relabelling_asks_about_every_state_and_prints_what_it_cost(run, dataset):
    episodes = [read_episode(path) for path in episodes_of(run)]
    steps = sum(episode.steps for episode in episodes)
    code, out = dataset('relabel', '--expert')
    assert code == 0
    assert f'{len(episodes)} episodes, {steps} queries, {steps} valid, ' in out
    for path, episode in zip(episodes_of(run), episodes, strict=True):
        stored = read_labels(path, episode)
        asked = episode.expert.valid
        np.testing.assert_array_equal(stored.answers.actions[asked],
                                      episode.expert.actions[asked])
    code, out = dataset('verify')
    assert code == 1 and f'{DATASET} was made of' in out
    keys = filter_keys(run / DATASET)
    assert dataset('repair')[0] == 0
    assert dataset('verify')[0] == 0 and filter_keys(run / DATASET) == keys
    assert '0 queries, 0 valid' in dataset('relabel', '--expert')[1]


@pytest.mark.drill
def test_later_labels_count_in_training_where_that_is_asked_for_and_else_it_is_said(
        run, dataset, tmp_path, capfd):
    config = str(config_for('reach', tmp_path))

    def trained(name: str) -> tuple[int, bytes]:
        folder = tmp_path / name
        capfd.readouterr()
        assert main(['train', '--run', 'first', '--runs', str(run.parent), '--config', config,
                     '--output', str(folder)]) == 0
        labels = int(re.match('[0-9]+', capfd.readouterr().out)[0])
        return labels, (folder / 'policy.safetensors').read_bytes()
    before = trained('before')
    code, out = dataset('relabel', '--expert')
    words = out.splitlines()[0]
    assert code == 0 and 'get none that counts' in words and '--use makes' in words
    assert trained('after') == before
    lost = int(re.search('; ([0-9]+) get none that counts', words)[1])
    code, out = dataset('relabel', '--expert', '--use')
    assert code == 0 and '0 queries, 0 valid' in out and 'get none' not in out
    labels, weights = trained('used')
    assert labels == before[0] + lost and weights != before[1]
    assert json.loads(dataset('info', '--json')[1])['later_used'] == lost
    assert dataset('repair')[0] == 0 and dataset('verify')[0] == 0


def test_damage_is_named_and_what_can_be_saved_is_saved(run, dataset):
    path = episodes_of(run)[0]
    path.write_bytes(path.read_bytes()[:-500])
    checkpoint = next((run / 'checkpoints').glob('*/policy.safetensors'))
    data = checkpoint.read_bytes()
    code, out = dataset('verify')
    assert code == 1 and str(path) in out
    assert dataset('repair')[0] == 3
    assert dataset('verify')[0] == 0
    checkpoint.write_bytes(data[:-4] + b'\0\0\0\1')
    code, out = dataset('verify')
    assert code == 1 and str(checkpoint.parent) in out
    code, out = dataset('repair')
    assert code == 1 and 'not repairable' in out


def test_a_damaged_data_set_is_made_anew_with_its_keys(run, dataset):
    keys = filter_keys(run / DATASET)
    (run / DATASET).write_bytes((run / DATASET).read_bytes()[:900])
    assert dataset('verify')[0] == 1
    assert dataset('repair')[0] == 0
    assert filter_keys(run / DATASET) == keys and dataset('verify')[0] == 0
    assert (run / 'dataset.damaged-1.hdf5').stat().st_size == 900


def test_parts_merge_into_the_run_again(run, dataset):
    assert dataset('split', '--ratio', '0.5', '--into', 'runs')[0] == 0
    code, out = dataset('merge', 'first-valid', '--output', 'both', name='first-train')
    count = len(episodes_of(run))
    assert code == 0 and f'{count} episodes of 2 runs' in out
    assert dataset('verify', name='both')[0] == 0


@pytest.mark.parametrize('verb, words, code', [
    ('info', [], 1), ('export', ['--to', 'robomimic', '--output', 'OUT'], 0),
    pytest.param('export', ['--to', 'rosbag2', '--output', 'OUT'], 0, marks=pytest.mark.drill),
    ('split', ['--by', 'round'], 0), ('merge', ['--output', 'OUT'], 0),
    pytest.param('plot', [], 0, marks=pytest.mark.drill),
    pytest.param('replay', ['--episodes', '1'], 0, marks=pytest.mark.drill)])
def test_an_episode_that_an_incomplete_copy_lacks_is_named(run, dataset, verb, words, code):
    path = next(path for path in episodes_of(run) if path.stem.startswith('rollout'))
    path.unlink()
    words = [str(run.parent / 'out') if word == 'OUT' else word for word in words]
    found, out = dataset(verb, *words)
    line, = [line for line in out.splitlines() if path.name in line]
    assert found == code and line.startswith(('left out: ', 'not counted: '))
    assert str(path) in line and MISSING in line


def test_an_export_names_the_episodes_that_it_leaves_out(run, dataset):
    path = next(path for path in episodes_of(run) if path.stem.startswith('rollout'))
    write_receipt(path, dataclasses.replace(read_receipt(receipt_path(path)), flags=INCOMPLETE))
    code, out = dataset('export', '--to', 'robomimic', '--output', str(run.parent / 'out'))
    assert code == 0 and f'left out: {path} (incomplete)' in out


@pytest.mark.drill
def test_training_names_what_an_incomplete_copy_lacks(run, tmp_path, capfd):
    lost, halved = [path for path in episodes_of(run) if path.stem.startswith('rollout')]
    lost.unlink()
    receipt_path(halved).unlink()
    words = ['train', '--run', 'first', '--runs', str(run.parent), '--config',
             str(config_for('reach', tmp_path)), '--output', str(tmp_path / 'policy')]
    assert main(words) == 0
    out = capfd.readouterr().out
    assert f'left out: {lost} ({MISSING})' in out
    assert f'left out: {halved} ({UNACKNOWLEDGED})' in out
    for path in episodes_of(run):
        path.unlink()
    assert main([*words, '--overwrite']) == 1
    assert 'receipts, but none of their episodes' in capfd.readouterr().err


def test_a_run_that_lacks_an_episode_which_it_needs_is_not_resumed(run, tmp_path):
    lost = next(path for path in episodes_of(run) if path.stem.startswith('demonstration'))
    lost.unlink()
    state = run / 'run.json'
    document = json.loads(state.read_text())
    names = [entry['stage'] for entry in document['finished']]
    del document['finished'][names.index('r00-aggregate'):]
    document['goal']['run'] = 'first'
    state.write_text(json.dumps(document))
    code, _, err = il_ros(*dagger_words('reach', tmp_path, 'first', '--resume'), '--config',
                          document['goal']['config'])
    assert code == 1 and f'lacks {lost.stem}, which this run recorded and needs' in err, err
    assert 'Traceback' not in err


def test_plots_are_pictures_and_one_page_without_outside_references(run, dataset):
    name = episodes_of(run)[-1].stem
    code, out = dataset('plot', '--episode', name)
    assert code == 0
    files = sorted(path.name for path in (run / 'plots').iterdir())
    assert files == sorted(['paths.png', 'who_drove.png', 'disagreement.png',
                            f'actions_{name}.png', 'plots.html'])
    for file in files[:-2]:
        assert (run / 'plots' / file).read_bytes().startswith(b'\x89PNG')
    page = (run / 'plots' / 'plots.html').read_text()
    assert page.count('<img') == 4 and not re.search(r'(src|href)="(?!data:)', page)


@pytest.mark.parametrize('words, sentence', [
    (['info', 'none'], "there is no run 'none'"),
    (['export', 'first', '--to', 'robomimic', '--output', 'RUN'], 'exists already'),
    (['split', 'first', '--by', 'luck'], "--by is 'luck'; expected one of round, driver"),
    (['plot', 'first', '--episode', 'x'], 'has no episode x')])
def test_bad_words_get_one_sentence(run, capfd, words, sentence):
    words = [str(run) if word == 'RUN' else word for word in words]
    assert main(['dataset', *words, '--runs', str(run.parent)]) == 1
    assert sentence in capfd.readouterr().err
