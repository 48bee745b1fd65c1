"""A spine that a user brings: which entities, as of when, and the request fields of each row."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from shared_features.counted import counted
from shared_features.definitions import FeatureView
from training.datasets.given_rows.spine_columns import instants_of, steps_of
from training.datasets.given_rows.table_rows import TableRows
from training.errors import DatasetError

AS_OF = "as_of"
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


def check_spine(view: FeatureView, given: pl.DataFrame, group: str = "", first_row: int | None = 0) -> GivenSpine:
    """The rows of a table with a column `as_of` and the request fields of the view. Raises DatasetError.

    group: as of `GivenSpine`. first_row: the number that the first row has for the user; None: of some rows of a table
    nobody knows their numbers in it.

    as_of: times with a time zone, times without one (UTC), RFC 3339 texts, or whole microseconds. A request field has
    what a request carries. Optional fields may be left out. Other columns stay as they are.
    """
    lacking = [name for name in _needed(view) if name not in given.columns]
    if lacking:
        raise DatasetError(_tell_lacking(view, lacking, given.columns, group))
    rows = TableRows(given, _naming(view), first_row)
    as_of_us = instants_of(AS_OF, rows)
    columns: dict[str, NDArray[Any]] = {}
    valid: dict[str, NDArray[np.bool_]] = {}
    for field in view.request_fields:
        series = given[field.name] if field.name in given.columns else pl.Series(field.name, [None] * len(given))
        columns[field.name], there = steps_of(field, series, rows)
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


def _naming(view: FeatureView) -> list[str]:
    """The columns that say which row it is, the most telling ones first."""
    keys = [key for group in view.groups for key in group.entity.keys]
    return list(dict.fromkeys((*keys, AS_OF, view.source.event_id, *(each.name for each in view.request_fields))))
