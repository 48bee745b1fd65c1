from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.datasets.rows.position_index import PositionIndex

RANDOM = np.random.default_rng(4)


def positions(offsets: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Of three partitions with the same offsets, in any order."""
    order = RANDOM.permutation(3 * len(offsets))
    return np.repeat(np.array([0, 7, 2], np.int32), len(offsets))[order], np.tile(offsets, 3)[order]


def test_positions_are_in_order_of_partition_and_offset() -> None:
    partition, offset = positions(np.arange(0, 60, 3))
    index = PositionIndex(partition, offset)
    np.testing.assert_array_equal(index.order, np.lexsort((offset, partition)))
    assert len(index) == 60
    assert index.is_distinct


def test_the_rows_of_another_table_are_found_by_position() -> None:
    partition, offset = positions(np.arange(40))
    theirs, at = positions(np.arange(5, 50))
    found = PositionIndex(partition, offset).lines(theirs, at)
    rows = {place: row for row, place in enumerate(zip(theirs.tolist(), at.tolist(), strict=True))}
    ours = sorted(zip(partition.tolist(), offset.tolist(), strict=True))
    assert found.of.tolist() == [rows.get(place, -1) for place in ours]
    assert (found.missing, found.twice, found.others) == (3 * 5, 0, 3 * 10)


def test_rows_of_one_position_and_partitions_nobody_asked_for_are_counted() -> None:
    index = PositionIndex(np.array([1, 1], np.int32), np.array([4, 5]))
    found = index.lines(np.array([1, 1, 1, 9], np.int32), np.array([5, 4, 5, 4]))
    assert found.of.tolist() == [1, 2]
    assert (found.missing, found.twice, found.others) == (0, 1, 1)


def test_no_position_is_none_of_another() -> None:
    nothing = PositionIndex(np.empty(0, np.int32), np.empty(0, np.int64))
    assert nothing.is_distinct
    assert nothing.find(np.array([1], np.int32), np.array([4])).tolist() == [-1]
