"""Fields of events as columns of a data frame, in the types that the events tables have."""

from __future__ import annotations

from typing import Any

import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import EventSource

_KINDS: dict[str, type[pl.DataType]] = {"boolean": pl.Boolean, "text": pl.String, "integer": pl.Int64}


def stored_kind(source: EventSource, name: str) -> type[pl.DataType]:
    """The type of a field in the events table of its source."""
    return _KINDS[source.field(name).type.storage]


def event_series(source: EventSource, name: str, values: NDArray[Any]) -> pl.Series:
    """Values of a field, as `formats.events` holds them."""
    return pl.Series(name, values.tolist() if values.dtype == object else values).cast(stored_kind(source, name))
