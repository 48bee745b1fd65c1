"""The columns of a spine that a user brings, as steps of their fields. What cannot be meant is refused with its row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import InvalidOperationError, PolarsError

from shared_features.definitions import Boolean, Field, Integer, Timestamp
from training.datasets.given_rows.table_rows import TableRows, shortened
from training.errors import DatasetError

_INSTANT = Timestamp("us")
_TIMES = (pl.Datetime, pl.Date)
_YEAR_FIRST = r"^\s*\d{4}(-|/|\d{4})"
_TRUTHS = {0: False, 1: True}
_EXACT = 2**53
"""Below, a float has all digits of a whole number."""


def steps_of(field: Field, series: pl.Series, rows: TableRows) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """The steps of a field, and which are there."""
    if series.dtype.is_float():
        series = series.fill_nan(None)  # what pandas has for a missing number
    if series.dtype.is_decimal():
        series = series.cast(pl.Float64)
    if not field.optional and series.null_count():
        raise _wrong(field, rows, series.is_null().arg_true()[0], "there is no value")
    if field.type.is_instant and series.dtype in _TIMES:
        there = series.is_not_null().to_numpy() if field.optional else None
        return _microseconds(series).fill_null(0).to_numpy(), there
    values = _wire_values(field, series, rows)
    found = field.column(values, len(values), values.__getitem__)
    if found.bad is not None:
        row = int(np.flatnonzero(found.bad)[0])
        raise _wrong(field, rows, row, field.type.refusal(values[row]))
    return found.steps, found.there


def _wire_values(field: Field, series: pl.Series, rows: TableRows) -> list[Any]:
    values = series.to_list()
    if series.dtype.is_float() and isinstance(field.type, Integer | Boolean):
        values = [_whole(each) for each in values]  # pandas has no whole number beside a missing one
    if series.dtype.is_numeric() and isinstance(field.type, Boolean):
        values = [_TRUTHS.get(each, each) for each in values]
    wire: Any = field.type.wire
    try:
        return msgspec.convert(values, list[wire | None] if field.optional else list[wire])
    except msgspec.ValidationError:
        for row, value in enumerate(values):
            _refuse(field, wire, rows, row, value)
        raise


def _whole(value: float | None) -> float | int | None:
    return int(value) if value is not None and abs(value) < _EXACT and value == int(value) else value


def _refuse(field: Field, wire: Any, rows: TableRows, row: int, value: Any) -> None:
    if value is None:
        return
    try:
        msgspec.convert(value, wire)
    except msgspec.ValidationError:
        raise _wrong(field, rows, row, f"it is {value!r}") from None


def _wrong(field: Field, rows: TableRows, row: int, what: str) -> DatasetError:
    return rows.fault(field.name, row, "has a wrong value", f": {shortened(what)}. Write {field.type.accepts}.")


def _microseconds(times: pl.Series) -> pl.Series:
    return times.cast(pl.Datetime("us")).to_physical()


def instants_of(name: str, rows: TableRows) -> NDArray[np.int64]:
    """int64[n] microseconds. Raises DatasetError for an instant that is missing or cannot be meant."""
    series = rows.table[name]
    if series.dtype == pl.String:
        try:
            series = _read_times(series)
        except PolarsError as error:
            row = _first_unreadable(series)
            text = f": {shortened(repr(series[row]))}. Write RFC 3339 times such as 2026-01-31T00:00:00Z."
            raise rows.fault(name, row, "has a text that is not a time", text) from error
    counted_by_hand = series.dtype.is_integer()
    if series.dtype in _TIMES:
        series = _microseconds(series)
    if not series.dtype.is_integer():
        raise DatasetError(
            f"Column {name!r} of the spine holds {series.dtype}. Give times, RFC 3339 texts, or whole microseconds "
            "since 1970."
        )
    if series.null_count():
        raise rows.fault(name, series.is_null().arg_true()[0], "is empty", ". Every row needs it.")
    steps: NDArray[np.int64] = series.cast(pl.Int64).to_numpy()
    for row in _ends(steps) if counted_by_hand else ():
        if other := _INSTANT.in_another_unit(int(steps[row])):
            raise rows.fault(name, row, f"counts microseconds, and has {steps[row]}", f": {other}. Convert it.")
    return steps


def _read_times(series: pl.Series) -> pl.Series:
    """Raises PolarsError for a text that is not a time, and where the order of day and month would be a guess."""
    if not series.str.contains(_YEAR_FIRST).all():
        raise InvalidOperationError("a time begins with the year, the month and the day, as in 2026-01-31")
    return series.str.to_datetime(time_unit="us", time_zone="UTC")


def _first_unreadable(series: pl.Series) -> int:
    """The first row with which the texts up to it cannot be read; all of them cannot."""
    readable, unreadable = 0, len(series)
    while unreadable - readable > 1:
        middle = (readable + unreadable) // 2
        try:
            _read_times(series[:middle])
            readable = middle
        except PolarsError:
            unreadable = middle
    return readable


def _ends(steps: NDArray[np.int64]) -> Iterable[int]:
    """The rows of the earliest and of the latest."""
    return (int(steps.argmin()), int(steps.argmax())) if len(steps) else ()
