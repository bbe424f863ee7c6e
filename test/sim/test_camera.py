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

import numpy as np


def test_a_picture_has_the_size_that_was_asked_for(push):
    push.reset(seed=1)
    pixels = push.simulation.render(160, 120)
    assert pixels.shape == (120, 160, 3)
    assert pixels.dtype == np.uint8


def test_a_picture_shows_the_goal_and_the_object_where_they_are(environment):
    pictures = []
    for seed in (1, 2):
        environment.reset(seed=seed)
        pictures.append(environment.simulation.render(160, 120).astype(int))
    for picture in pictures:
        red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
        assert ((green > red + 60) & (green > blue + 60)).sum() > 5
        if environment.simulation.task.shapes:
            assert ((red > green + 60) & (red > blue + 60)).sum() > 5
    assert (pictures[0] != pictures[1]).any()
