"""What the archive holds: the rows beyond it are found by a condition and by a comparison, and both mean the same."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shared_features.formats.shard_meta import VectorEntry
from streaming.bootstrap.archive_coverage import ArchiveCoverage

VECTORS = st.dictionaries(st.integers(0, 3), st.integers(-1, 5), max_size=4)


def coverage(offsets: dict[int, int]) -> ArchiveCoverage:
    vector = {("readings", "id", number): VectorEntry(offset, 100 + number) for number, offset in offsets.items()}
    return ArchiveCoverage({**vector, ("others", "id", 0): VectorEntry(99, 50)}, ())


@given(VECTORS)
def test_the_condition_takes_every_row_beyond_and_the_comparison_just_those(offsets: dict[int, int]) -> None:
    """The condition spares reading. It may take rows of a partition that is not known, below a known one."""
    held = coverage(offsets)
    rows = pl.DataFrame(
        [(number, offset) for number in range(5) for offset in range(7)],
        schema={"kafka_partition": pl.Int32, "kafka_offset": pl.Int64},
        orient="row",
    )
    beyond = held.held_of_rows("readings", rows["kafka_partition"].to_numpy()) < rows["kafka_offset"].to_numpy()
    assert beyond.tolist() == [offset > offsets.get(number, -1) for number, offset in rows.rows()]
    condition = held.condition_beyond("readings")
    assert (condition is None) == (not offsets)
    if condition is not None and sorted(offsets) == list(range(len(offsets))):
        taken = rows.sql(f"SELECT * FROM self WHERE {condition}").rows()
        assert sorted(taken) == rows.filter(pl.Series(beyond)).rows()


def test_nothing_is_held_of_a_topic_that_is_not_known() -> None:
    held = coverage({})
    assert held.condition_beyond("readings") is None
    assert held.held_of_rows("readings", np.array([0, 1], np.int32)).tolist() == [-1, -1]


def test_the_watermark_is_the_smallest_and_nothing_before_every_table_has_begun() -> None:
    held = coverage({0: 1, 1: 1})
    assert (held.watermark_us, held.newest_us) == (50, 101)
    assert ArchiveCoverage(held.vector, (), begun=False).watermark_us == 0
    assert (held.held(("readings", "id", 1)), held.held(("readings", "other", 1))) == (1, -1)
