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

"""A shape that cannot be built is refused where it is written."""

from il_ros.tasks.scene import Shape
import pytest

COLOUR = (1.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize('kind, size_m, colour, sentence', [
    ('sphere', (0.1,), COLOUR, "kind of a Shape is 'sphere'; expected box, cylinder, socket"),
    ('box', (0.1,), COLOUR, r'size_m of a box is \(0.1,\); expected 3 lengths above 0, in m'),
    ('cylinder', (0.1, 0.0), COLOUR, 'expected 2 lengths above 0'),
    ('box', (0.1, 0.1, 0.1), COLOUR[:3], 'expected red, green, blue and opacity')])
def test_what_is_wrong_with_a_shape_is_a_sentence(kind, size_m, colour, sentence):
    with pytest.raises(ValueError, match=sentence):
        Shape(kind, size_m, mass_kg=0.1, friction=1.0, colour=colour)
