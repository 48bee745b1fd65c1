from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from shared_features.kernel.event_time import to_us
from training.errors import TrainingError
from training.notebook.given_tables import as_given, as_instant, as_polars

TABLE = pl.DataFrame({"key": ["a", "b"], "n": [1, 2]})
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize("given", [TABLE, TABLE.to_pandas(), TABLE.to_arrow(), TABLE.to_arrow().to_batches()[0]])
def test_a_table_comes_back_as_the_kind_it_was(given: Any) -> None:
    found = as_polars(given)
    assert found.equals(TABLE)
    again = as_given(found, given)
    kind = pa.Table if isinstance(given, pa.RecordBatch) else type(given)
    assert isinstance(again, kind)


@pytest.mark.parametrize("given", [TABLE.lazy(), TABLE.to_dict(as_series=False), TABLE.to_dicts()])
def test_columns_and_rows_are_tables_too(given: Any) -> None:
    assert as_polars(given).equals(TABLE)
    assert isinstance(as_given(TABLE, given), pl.DataFrame)


@pytest.mark.parametrize("given", [7, "rows.parquet", None, pd.Series([1])])
def test_what_is_no_table_is_refused(given: Any) -> None:
    with pytest.raises(TrainingError, match=f"Something of type {type(given).__name__} was given"):
        as_polars(given)


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        (NOON, NOON),
        (NOON.astimezone(timezone(timedelta(hours=2))), NOON),
        (NOON.replace(tzinfo=None), NOON),
        (pd.Timestamp(NOON), NOON),
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31T14:00:00+02:00", NOON),
        ("2026-01-31", NOON.replace(hour=0)),
        (date(2026, 1, 31), NOON.replace(hour=0)),
    ],
)
def test_an_instant_is_read_as_people_write_it(given: Any, instant: datetime) -> None:
    assert as_instant(given, "start") == to_us(instant)


def test_what_is_no_time_is_refused() -> None:
    assert as_instant(None, "start") is None
    for given in (7, "soon", 1.5):
        with pytest.raises(TrainingError, match=f"start is {given!r}, which is not a time"):
            as_instant(given, "start")
