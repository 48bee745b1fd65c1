from datetime import UTC, datetime

import polars as pl
import pytest

from training.datasets.exports.table_digest import table_digest

TABLE = pl.DataFrame(
    {
        "text": ["a", "bc", None],
        "count": [1, None, 3],
        "share": [0.5, float("nan"), None],
        "yes": [True, None, False],
        "at": [datetime(2026, 1, 1, tzinfo=UTC), None, datetime(2026, 1, 2, tzinfo=UTC)],
        "many": [[1], [], None],
    }
)


def test_equal_tables_have_equal_digests_however_they_lie_in_memory() -> None:
    parts = pl.concat([TABLE[:1], TABLE[1:]], rechunk=False)
    assert table_digest(parts) == table_digest(TABLE)
    assert table_digest(TABLE) == "34bbc3e5902acc1d716aa34c84460f619d15ad3f48ba911ceea2e8b0bf26905d"


@pytest.mark.parametrize(
    "other",
    [
        TABLE.with_columns(text=pl.Series(["ab", "c", None])),
        TABLE.with_columns(text=pl.Series(["a", "bc", ""])),
        TABLE.with_columns(count=pl.Series([1, 0, 3])),
        TABLE.with_columns(count=pl.Series([1, None, 3], dtype=pl.Int32)),
        TABLE.with_columns(share=pl.Series([0.5, None, None])),
        TABLE.with_columns(share=pl.Series([0.5, float("nan"), 0.0])),
        TABLE.with_columns(yes=pl.Series([True, False, False])),
        TABLE.with_columns(many=pl.Series([[1], None, []])),
        TABLE.rename({"count": "counts"}),
        TABLE.select(reversed(TABLE.columns)),
        TABLE[:2],
    ],
)
def test_a_table_that_differs_in_anything_has_another_digest(other: pl.DataFrame) -> None:
    assert table_digest(other) != table_digest(TABLE)
