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

"""A run on a cluster: the same episodes as in one process, also when a node is lost."""

import os
from pathlib import Path

from il_ros.contract.episode_spec import DrivePlan, EpisodeSpec, EXPERT, ROLLOUT
from il_ros.episodes.receipts import verify
from il_ros.loop.cells import CellJob, CellTask
from il_ros.loop.cluster import CLUSTER, ClusterCells, ClusterError, connected
from il_ros.loop.failures import RunError
import pytest

pytest.importorskip('ray', reason='needs Ray: make test-cluster')
os.environ['RAY_USAGE_STATS_ENABLED'] = '0'
NODES = 3


@pytest.mark.parametrize('address', ['127.0.0.1:1', 'auto'])
def test_without_a_cluster_it_is_said_how_to_start_one(address, monkeypatch):
    # Before the cluster of the other tests, which auto would find.
    monkeypatch.delenv('RAY_ADDRESS', raising=False)
    with pytest.raises(ClusterError, match='ray start --head'):
        connected(address)


@pytest.fixture(scope='module')
def cluster():
    """Yield three nodes with one CPU each."""
    from ray.cluster_utils import Cluster
    head = {'num_cpus': 1, 'include_dashboard': False}
    made = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(NODES - 1):
        made.add_node(num_cpus=1)
    made.wait_for_nodes()
    yield made
    made.shutdown()


def jobs(count: int) -> list[CellJob]:
    """Return episodes of the expert."""
    return [CellJob(EpisodeSpec(f'rollout-r01-{seed:06d}', 'run', 'reach', ROLLOUT, 1, seed, 40,
                                plan=DrivePlan(EXPERT))) for seed in range(count)]


def alone(count: int, folder: Path) -> dict:
    """Return the content hashes of the same episodes, run in this process."""
    from il_ros.loop.local.player import Player
    player = Player('reach')
    try:
        return {job.spec.episode_id: player.play(job.spec, folder, -1.0).content_sha256
                for job in jobs(count)}
    finally:
        player.close()


def test_episodes_of_three_nodes_are_those_of_one_process_though_one_is_lost(cluster, tmp_path):
    run, receipts = tmp_path / 'run', []
    (tmp_path / 'alone').mkdir()
    cells = ClusterCells(CellTask('reach', '', ''), run, cluster.address)

    def keep(receipt):
        receipts.append(receipt)
        if len(receipts) == 5:
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
    try:
        cells.play(jobs(30), keep)
        assert len(cells.lost) <= 1
    finally:
        cells.close()
    found = {receipt.spec.episode_id: receipt.content_sha256 for receipt in receipts}
    assert len(receipts) == 30 and found == alone(30, tmp_path / 'alone')
    paths = sorted((run / 'episodes' / CLUSTER).glob('*.mcap'))
    assert len(paths) == 30
    for path in paths:
        assert verify(path).path == f'episodes/{CLUSTER}/{path.name}'


def test_what_cannot_be_run_on_a_node_is_said(cluster, tmp_path):
    cells = ClusterCells(CellTask('nonsense', '', ''), tmp_path / 'run', cluster.address)
    with pytest.raises(RunError, match='nonsense'):
        cells.play(jobs(1), lambda _: None)
