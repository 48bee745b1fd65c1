"""What is said of a row of a table that a user brought, so that the user can find it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from training.errors import DatasetError

_MOST_NAMES = 9
_LONGEST_VALUE = 40
_LONGEST_TEXT = 160


@dataclass(frozen=True)
class TableRows:
    """Rows of a table. names: the columns that say which row is meant; those that the table lacks are passed over.

    first: the number that the user's table has for the first of them; None: nobody knows.
    """

    table: pl.DataFrame
    names: Sequence[str]
    first: int | None = 0

    def fault(self, column: str, row: int, found: str, rest: str) -> DatasetError:
        """found: what is wrong, before the place is told. rest: what follows the place."""
        place = "a row" if self.first is None else f"row {self.first + row:,}"
        return DatasetError(f"Column {column!r} of the spine {found} in {place}{rest}{self._named(column, row)}")

    def _named(self, column: str, row: int) -> str:
        """The values of a row that name it, without that of the column which is wrong."""
        names = [name for name in self.names if name in self.table.columns and name != column]
        if not names:
            return ""
        told = ", ".join(f"{name}={_spelled(self.table[name][row])}" for name in names[:_MOST_NAMES])
        return f" The row has {told}{', and more' if len(names) > _MOST_NAMES else ''}."


def shortened(text: str, longest: int = _LONGEST_TEXT) -> str:
    """A text of a user as a message repeats it."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _spelled(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, date):
        return value.isoformat().replace("+00:00", "Z")
    return shortened(repr(value), _LONGEST_VALUE)
