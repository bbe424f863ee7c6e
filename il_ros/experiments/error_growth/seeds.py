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
Policies of several training seeds: ``BC-0`` and ``BC-1`` belong to the method ``BC``.

A training seed draws demonstrations, rollouts and initial weights; a claim on a method is a claim
on the median over its seeds.
"""

import re
from statistics import median
from typing import NamedTuple, Sequence

_NAME = re.compile(r'(.+)-(\d+)')


class Trained(NamedTuple):
    """Method and training seed in the name of a policy."""

    method: str
    seed: str
    """'': none."""


def trained(name: str) -> Trained:
    """Read ``METHOD-SEED``; any other name is a method without a seed."""
    match = _NAME.fullmatch(name)
    return Trained(*match.groups()) if match else Trained(name, '')


def partner(names: Sequence[str], index: int) -> int | None:
    """Return the policy that another is compared with, the first of its seed; None: itself."""
    first = next(i for i, name in enumerate(names)
                 if trained(name).seed == trained(names[index]).seed)
    return None if first == index else first


def methods(policies: Sequence[dict]) -> list[dict]:
    """
    Return each method with several seeds, and its medians over them.

    :param policies: as ``compounding.json`` has them
    """
    groups: dict[str, list[dict]] = {}
    for policy in policies:
        method, seed = trained(policy['name'])
        if seed:
            groups.setdefault(method, []).append(policy)
    return [_medians(method, members) for method, members in groups.items() if len(members) > 1]


def _medians(method: str, members: Sequence[dict]) -> dict:
    ratios = [one['mistakes_to_first']['value'] for one in members if 'mistakes_to_first' in one]
    known = [ratio for ratio in ratios if ratio is not None]
    curves = zip(*([point['value'] for point in one['mistakes']] for one in members))
    return {'way': method, 'policies': [one['name'] for one in members],
            'median_labels': median(one['labels'] for one in members),
            'median_mistakes': [round(median(values), 6) for values in curves],
            'ratios': ratios,
            'median_ratio': round(median(known), 6) if known else None}
