"""Tables of any kind in, and the answer as a table of the same kind: Polars, pandas or Arrow. A dataset is its rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pyarrow as pa

from shared_features.definitions import FeatureView
from shared_features.kernel.event_time import to_us
from training.datasets.exports.dataset_table import DatasetTable
from training.datasets.given_spine import AS_OF
from training.errors import TrainingError

_TIME = "Give a datetime, a date, or a text such as 2026-01-31T00:00:00Z."


def as_polars(table: Any) -> pl.DataFrame:
    """The table as Polars has it. Raises TrainingError for anything else."""
    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, DatasetTable):
        return table.data
    if isinstance(table, pl.LazyFrame):
        return table.collect()
    if isinstance(table, Mapping | list | tuple):
        return pl.DataFrame(table)
    try:
        found = pl.from_pandas(table) if _is_pandas(table) else pl.from_arrow(pa.table(table))
    except (TypeError, pa.ArrowException):
        found = None
    if isinstance(found, pl.DataFrame):
        return found
    raise TrainingError(
        f"A table is needed. Something of type {type(table).__name__} was given. Give a DataFrame of Polars or pandas, "
        "an Arrow table, or a dictionary of columns."
    )


def refuse_index(table: Any, view: FeatureView) -> None:
    """Raises TrainingError where columns that the view reads stand in the index of pandas: it is not a column."""
    if not _is_pandas(table):
        return
    read = {AS_OF, *(each.name for each in view.request_fields), *(each.name for each in view.columns)}
    read |= {key for group in view.groups for key in group.entity.keys}
    if lost := [name for name in table.index.names if name in read and name not in table.columns]:
        raise TrainingError(
            f"The table has {', '.join(lost)} in its index, where it is not a column. View {view.label} reads columns. "
            "Give table.reset_index()."
        )


def as_given(found: pl.DataFrame, table: Any) -> Any:
    """The answer as what was given: pandas for pandas, Arrow for Arrow, otherwise Polars."""
    if _is_pandas(table):
        return found.to_pandas()
    return found.to_arrow() if isinstance(table, pa.Table | pa.RecordBatch) else found


def as_instant(given: Any, name: str) -> int | None:
    """Microseconds since 1970; None stays None. A date is its midnight, and a time without a zone is UTC.

    Raises TrainingError for anything else.
    """
    if given is None:
        return None
    try:
        if isinstance(given, str):
            given = datetime.fromisoformat(given)
        if isinstance(given, date) and not isinstance(given, datetime):
            given = datetime(given.year, given.month, given.day)  # noqa: DTZ001  # the zone is added below
        if isinstance(given, datetime):
            return to_us(given if given.tzinfo else given.replace(tzinfo=UTC))
    except ValueError as error:
        raise TrainingError(f"{name} is {given!r}, which is not a time. {error}. {_TIME}") from error
    raise TrainingError(f"{name} is {given!r}, which is not a time. {_TIME}")


def _is_pandas(table: Any) -> bool:
    return type(table).__module__.partition(".")[0] == "pandas" and hasattr(table, "columns")
