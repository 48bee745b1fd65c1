"""Held arrays: what cannot be read by its address alone is refused."""

import numpy as np
import pytest

from shared_features.kernel.held_arrays import held_arrays


def test_a_table_has_the_shape_of_each_array_and_a_number_as_it_is() -> None:
    plane = np.zeros((2, 3, 4), np.int64)
    table = held_arrays((plane, 7), (plane[1],))
    assert table[:, 1:].tolist() == [[2, 3, 4], [0, 0, 0], [3, 4, 0]]
    assert table[:, 0].tolist() == [plane.ctypes.data, 7, plane.ctypes.data + 8 * 12]


@pytest.mark.parametrize("array", [np.zeros((4, 4), np.int64)[:, :2], np.zeros(4, np.int32)], ids=["gaps", "32 bits"])
def test_an_array_that_an_address_does_not_tell_of_is_refused(array) -> None:
    with pytest.raises(ValueError, match="cannot be held"):
        held_arrays((array,))
