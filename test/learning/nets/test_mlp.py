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

"""A network is whole: its layers fit together, and its arrays are those that it was saved with."""

from il_ros.errors import LearningError
from il_ros.learning.nets.mlp import Mlp
import numpy as np
import pytest


def array(*shape: int) -> np.ndarray:
    """Return numbers of a shape."""
    return np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize('weights, biases, said', [
    ([], [], 'has 0 weights and 0 biases'), ([(2, 3)], [], 'has 1 weights and 0 biases'),
    ([(2, 3)], [(3,), (3,)], 'has 1 weights and 2 biases'),
    ([(2, 3)], [(2,)], r'has weight \(2, 3\) and bias \(2,\)'),
    ([(3,)], [()], 'a layer has weight'), ([(1, 1, 2, 3)], [(1, 1, 3)], 'a layer has weight'),
    ([(2, 3), (2, 1)], [(3,), (1,)], 'gives 3 values to one that takes 2'),
    ([(2, 2, 3), (3, 3, 1)], [(2, 3), (3, 1)], r'of \(2,\) members follows one of \(3,\)'),
    ([(2, 2, 3), (3, 1)], [(2, 3), (1,)], r'members follows one of')])
def test_layers_that_do_not_fit_make_no_network(weights, biases, said):
    with pytest.raises(LearningError, match=said):
        Mlp(tuple(array(*shape) for shape in weights), tuple(array(*shape) for shape in biases))


def test_widths_and_members_are_those_of_the_layers():
    alone = Mlp((array(2, 3), array(3, 1)), (array(3), array(1)))
    assert (alone.widths, alone.members) == ((2, 3, 1), 1)
    two = Mlp((array(2, 5, 3), array(2, 3, 1)), (array(2, 3), array(2, 1)))
    assert (two.widths, two.members) == ((5, 3, 1), 2)
    one = Mlp((array(1, 5, 3),), (array(1, 3),))
    assert (one.widths, one.members) == ((5, 3), 1)


def test_what_is_negative_between_layers_is_zero_and_at_the_end_stays():
    net = Mlp((np.float32([[1, -1]]), np.float32([[2], [3]])),
              (np.float32([0.5, 0]), np.float32([-9])))
    assert net.forward(np.float32([2])).tolist() == [-4.0]
    assert net.forward(np.float32([[2], [-1]])).tolist() == [[-4.0], [-6.0]]


def test_every_member_answers_as_it_does_alone():
    weights, biases = (array(2, 3, 4) / 9 - 1, array(2, 4, 2) / 9 - 1), (array(2, 4), array(2, 2))
    together = Mlp(weights, biases)
    for inputs in (array(3) / 7 - 0.3, array(5, 3) / 7 - 1):
        alone = [Mlp(tuple(w[at] for w in weights), tuple(b[at] for b in biases)).forward(inputs)
                 for at in range(2)]
        np.testing.assert_allclose(together.forward(inputs), alone, rtol=1e-5)


def test_arrays_that_are_missing_surplus_or_of_another_kind_are_named():
    net = Mlp((array(2, 3), array(3, 1)), (array(3), array(1)))
    arrays = net.tensors()
    again = Mlp.from_tensors(arrays, (2, 3, 1))
    np.testing.assert_array_equal(again.forward(array(2)), net.forward(array(2)))
    for changed, said in (
            ({**arrays, 'layers.2.bias': array(1)}, 'layers.2.bias is surplus'),
            ({name: one for name, one in arrays.items() if name != 'layers.1.bias'},
             'layers.1.bias is missing'),
            ({**arrays, 'layers.0.weight': array(3, 2)}, r'layers.0.weight is float32 of shape '
             r'\(3, 2\); expected float32 of \(2, 3\)'),
            ({**arrays, 'layers.0.bias': np.zeros(3)}, 'layers.0.bias is float64')):
        with pytest.raises(LearningError, match=said):
            Mlp.from_tensors(changed, (2, 3, 1))
    with pytest.raises(LearningError, match=r'expected float32 of \(2, 2, 3\)'):
        Mlp.from_tensors(arrays, (2, 3, 1), members=2)
