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

"""A summary with made-up numbers, to be changed by each test."""

from il_ros.evaluation.interval import wilson


def policy(k, n, **fields) -> dict:
    """Return what every judged policy says of itself."""
    return {'success': wilson(k, n).as_dict(), 'mistakes_per_step': 0.1, 'loss_held_out': 0.02,
            'epsilon': {'k': 9, 'n': 262}, **fields}


def summary(bc=88, last=193, baseline=148, expert=199) -> dict:
    """Return the summary of a run of two rounds; the numbers are successes of 200."""
    costs = {'expert_driven_steps': 70, 'policy_driven_steps': 260, 'takeovers': 8,
             'objects_lost': 1}
    return {
        'task': 'push', 'strategy': 'corrections', 'seed': 0, 'horizon': 80,
        'expert': wilson(expert, 200).as_dict(),
        'bc': policy(bc, 200, labels=264, demonstrations=10, mistakes_per_step=0.31),
        'rounds': [policy(70, 100, round=1, labels=334, queries=594, watched=260, **costs),
                   policy(last, 200, round=2, labels=404, queries=924, watched=520, **costs)],
        'bc_same_labels': policy(baseline, 200, labels=410, demonstrations=16),
        'evaluation_queries': 17400, 'expert_seconds': 134.2, 'control_steps_per_s': 812.3,
        'wall_s': 161.2, 'timing': {'expert': 12.0, 'train': 63.0, 'evaluate': 52.0}}
