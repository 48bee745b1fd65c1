"""A spine that a user brings: which entities, as of when, and the request fields of each row."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from shared_features.counted import counted
from shared_features.definitions import FeatureView, Field, Timestamp
from training.errors import DatasetError

AS_OF = "as_of"
_INSTANT = Timestamp("us")
_TIMES = (pl.Datetime, pl.Date)
_READERS: Mapping[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": pl.read_parquet,
    ".csv": pl.read_csv,
    ".jsonl": pl.read_ndjson,
    ".ndjson": pl.read_ndjson,
}


@dataclass(frozen=True)
class GivenSpine:
    """`n` rows for a view. given: the table as it was brought.

    as_of_us: int64[n]. columns, valid: the view's request fields, as `formats.events` holds them. happened_us:
    int64[n], when the event of each row happened, where that is known apart from the instant. group: the label of the
    group whose features alone are asked for, and of which `view` was made; empty: a view was asked for.
    """

    view: FeatureView
    given: pl.DataFrame
    as_of_us: NDArray[np.int64]
    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, NDArray[np.bool_]]
    happened_us: NDArray[np.int64] | None = None
    group: str = ""

    @property
    def features_of(self) -> str:
        """Whose features are asked for, in words."""
        return f"group {self.group}" if self.group else f"view {self.view.label}"

    @property
    def labelled_from_us(self) -> NDArray[np.int64]:
        """int64[n]: from when on windows and delays of labels count."""
        return self.as_of_us if self.happened_us is None else self.happened_us

    def __len__(self) -> int:
        return len(self.as_of_us)

    def take(self, rows: NDArray[np.int64]) -> GivenSpine:
        """Some of the rows, by their indices."""
        return GivenSpine(
            self.view,
            self.given[rows],
            self.as_of_us[rows],
            {name: column[rows] for name, column in self.columns.items()},
            {name: there[rows] for name, there in self.valid.items()},
            None if self.happened_us is None else self.happened_us[rows],
            self.group,
        )


def read_spine_file(file: Path) -> pl.DataFrame:
    """The table in a Parquet, CSV or JSON lines file. Raises DatasetError."""
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise DatasetError(
            f"The spine {file} cannot be read: its kind is unknown. Its name ends in {file.suffix!r}. Bring a "
            f"file whose name ends in {', '.join(_READERS)}."
        )
    try:
        return reader(file)
    except (OSError, PolarsError) as error:
        raise DatasetError(f"The spine {file} cannot be read. {error}. Correct the path or the file.") from error


def check_spine(view: FeatureView, given: pl.DataFrame, group: str = "") -> GivenSpine:
    """The rows of a table with a column `as_of` and the request fields of the view. Raises DatasetError.

    group: as of `GivenSpine`.

    as_of: times with a time zone, times without one (UTC), RFC 3339 texts, or whole microseconds. A request field has
    what a request carries. Optional fields may be left out. Other columns stay as they are.
    """
    lacking = [name for name in _needed(view) if name not in given.columns]
    if lacking:
        raise DatasetError(_tell_lacking(view, lacking, given.columns, group))
    as_of_us = _instants(AS_OF, given[AS_OF])
    columns: dict[str, NDArray[Any]] = {}
    valid: dict[str, NDArray[np.bool_]] = {}
    for field in view.request_fields:
        series = given[field.name] if field.name in given.columns else pl.Series(field.name, [None] * len(given))
        columns[field.name], there = _column(field, series)
        if there is not None:
            valid[field.name] = there
    return GivenSpine(view, given, as_of_us, columns, valid, group=group)


def _needed(view: FeatureView) -> list[str]:
    return [AS_OF, *(field.name for field in view.request_fields if not field.optional)]


def _tell_lacking(view: FeatureView, lacking: list[str], there: list[str], group: str) -> str:
    near = {name: difflib.get_close_matches(name, there, 1) for name in lacking}
    meant = [f"{found[0]!r} as {name!r}" for name, found in near.items() if found]
    rename = f" Rename {' and '.join(meant)}, if that is meant." if meant else ""
    who = f"Features of group {group} need" if group else f"View {view.label} needs"
    return (
        f"The spine lacks {counted(len(lacking), 'column')}: {', '.join(lacking)}. {who} "
        f"{', '.join(_needed(view))}. The spine has {', '.join(there) or 'no column'}.{rename}"
    )


def _column(field: Field, series: pl.Series) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """The steps of a field, and which are there."""
    if series.dtype.is_float():
        series = series.fill_nan(None)  # what pandas has for a missing number
    if series.dtype.is_decimal():
        series = series.cast(pl.Float64)
    if not field.optional and series.null_count():
        raise DatasetError(_tell_row(field.name, series.is_null().arg_true()[0], "there is no value", field))
    if field.type.is_instant and series.dtype in _TIMES:
        there = series.is_not_null().to_numpy() if field.optional else None
        return _microseconds(series).fill_null(0).to_numpy(), there
    values = _wire_values(field, series)
    found = field.column(values, len(values), values.__getitem__)
    if found.bad is not None:
        row = int(np.flatnonzero(found.bad)[0])
        raise DatasetError(_tell_row(field.name, row, field.type.refusal(values[row]), field))
    return found.steps, found.there


def _wire_values(field: Field, series: pl.Series) -> list[Any]:
    values = series.to_list()
    wire: Any = field.type.wire
    try:
        return msgspec.convert(values, list[wire | None] if field.optional else list[wire])
    except msgspec.ValidationError:
        for row, value in enumerate(values):
            _refuse(field, wire, row, value)
        raise


def _refuse(field: Field, wire: Any, row: int, value: Any) -> None:
    if value is None:
        return
    try:
        msgspec.convert(value, wire)
    except msgspec.ValidationError:
        raise DatasetError(_tell_row(field.name, row, f"it is {value!r}", field)) from None


def _tell_row(name: str, row: int, what: str, field: Field) -> str:
    return f"Column {name!r} of the spine has a wrong value in row {row:,}: {what}. Write {field.type.accepts}."


def _microseconds(times: pl.Series) -> pl.Series:
    return times.cast(pl.Datetime("us")).to_physical()


def _instants(name: str, series: pl.Series) -> NDArray[np.int64]:
    """int64[n] microseconds. Raises DatasetError for an instant that is missing or cannot be meant."""
    if series.dtype == pl.String:
        try:
            series = series.str.to_datetime(time_unit="us", time_zone="UTC")
        except PolarsError as error:
            raise DatasetError(
                f"Column {name!r} of the spine has a text that is not a time. Write RFC 3339 times such as "
                "2026-01-31T00:00:00Z."
            ) from error
    counted_by_hand = series.dtype.is_integer()
    if series.dtype in _TIMES:
        series = _microseconds(series)
    if not series.dtype.is_integer():
        raise DatasetError(
            f"Column {name!r} of the spine holds {series.dtype}. Give times, RFC 3339 texts, or whole microseconds "
            "since 1970."
        )
    if series.null_count():
        raise DatasetError(
            f"Column {name!r} of the spine is empty in row {series.is_null().arg_true()[0]:,}. Every row needs it."
        )
    steps: NDArray[np.int64] = series.cast(pl.Int64).to_numpy()
    for step in _ends(steps) if counted_by_hand else ():
        if other := _INSTANT.in_another_unit(step):
            raise DatasetError(
                f"Column {name!r} of the spine counts microseconds, and has {step}: {other}. Convert it."
            )
    return steps


def _ends(steps: NDArray[np.int64]) -> Iterable[int]:
    return (int(steps.min()), int(steps.max())) if len(steps) else ()
