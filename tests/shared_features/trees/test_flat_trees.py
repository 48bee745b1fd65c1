from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared_features.trees.flat_trees import to_keys, to_values

VALUES = st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=20)


@given(VALUES, VALUES)
def test_keys_are_ordered_as_the_values_are(some, others):
    one, other = (np.array(each, np.float32)[None].T for each in (some, others))
    assert ((one < other.T) == (to_keys(one) < to_keys(other).T)).all()
    assert ((one == other.T) == (to_keys(one) == to_keys(other).T)).all()


@given(VALUES)
def test_a_key_gives_its_value_and_the_next_key_the_next_value(some):
    values = np.array(some, np.float32)
    assert (to_values(to_keys(values)) == values).all()
    finite = values[np.abs(values) < np.finfo(np.float32).max]
    assert (to_values(to_keys(finite) + 1) == np.nextafter(finite, np.float32(np.inf))).all()


def test_beyond_infinity_there_is_no_number():
    ends = to_keys(np.array([np.inf, -np.inf], np.float32))
    assert to_values(ends).tolist() == [np.inf, -np.inf]
    assert np.isnan(to_values(ends + np.array([1, -1], np.int32))).all()
