import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from training.datasets.history.entity_slices import entity_slices

COUNTS = st.lists(st.integers(0, 9), min_size=1, max_size=12)


@given(counts=COUNTS, twice=st.booleans(), at_once=st.integers(1, 20), seed=st.integers(0, 9))
def test_slices_are_whole_entities_of_few_events_and_together_all_rows(
    counts: list[int], twice: bool, at_once: int, seed: int
) -> None:
    """Of two sources that both have the events, each counts."""
    asked = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), 3))
    events = pl.LazyFrame({"key": np.repeat(np.arange(len(counts) + 1), [*counts, 50])})
    sources = [events, events] if twice else [events]
    slices = list(entity_slices(pl.DataFrame({"key": asked}), sources, at_once))
    assert sorted(np.concatenate(slices).tolist()) == list(range(len(asked)))
    found = [set(asked[rows].tolist()) for rows in slices]
    assert sum(map(len, found)) == len(counts), "no entity is in two slices"
    for entities in found:
        held = [counts[each] * len(sources) for each in entities if counts[each]]
        assert len(held) <= 1 or sum(held) <= at_once


def test_few_events_are_one_slice_in_the_order_of_the_rows() -> None:
    asked = pl.DataFrame({"a": ["x", "y", "x"], "b": [1, 1, 1]})
    (rows,) = entity_slices(asked, [asked.lazy()], 3)
    assert rows.tolist() == [0, 1, 2]
