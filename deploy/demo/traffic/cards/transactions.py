"""Card transactions in columns, generated or read from a file."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

Int64 = NDArray[np.int64]

DAY_US = 86_400_000_000
FILE_COLUMNS = ("transaction_id", "event_time", "customer_id", "terminal_id", "amount", "is_fraud")


@dataclass(frozen=True)
class Transactions:
    """Rows in order of their event time. All columns int64[n], `is_fraud` bool[n]."""

    transaction_id: Int64
    event_time_us: Int64
    customer_id: Int64
    terminal_id: Int64
    amount_cents: Int64
    is_fraud: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.transaction_id)

    def take(self, rows: NDArray[np.int64] | slice) -> Transactions:
        return Transactions(*(getattr(self, each.name)[rows] for each in fields(self)))

    def moved_to_end_before(self, end_us: int) -> Transactions:
        """The same history, later or earlier by whole days, so that it ends less than a day before an instant."""
        days = (end_us - int(self.event_time_us[-1])) // DAY_US
        return replace(self, event_time_us=self.event_time_us + days * DAY_US)


def read_transactions(path: Path) -> Transactions:
    """A Parquet file with the columns FILE_COLUMNS, in any order of rows.

    Raises ValueError naming what the file lacks. Amounts are rounded to cents.
    """
    scan = pl.scan_parquet(path)
    schema = scan.collect_schema()
    missing = [name for name in FILE_COLUMNS if name not in schema]
    if missing:
        raise ValueError(f"{path} has no column {', '.join(missing)}; it needs {', '.join(FILE_COLUMNS)}")
    kind = schema["event_time"]
    if not isinstance(kind, pl.Datetime):
        raise ValueError(f"{path}: event_time is {kind}; it needs to be a timestamp")
    if kind.time_zone is None:
        raise ValueError(f"{path}: event_time has no time zone; write it as UTC")
    rows = scan.select(FILE_COLUMNS).sort("event_time", "transaction_id").collect()
    empty = [name for name in FILE_COLUMNS if rows[name].null_count()]
    if empty or not len(rows):
        raise ValueError(f"{path}: {'no rows' if not len(rows) else 'nulls in ' + ', '.join(empty)}")
    return Transactions(
        rows["transaction_id"].cast(pl.Int64).to_numpy(),
        rows["event_time"].dt.epoch("us").to_numpy(),
        rows["customer_id"].cast(pl.Int64).to_numpy(),
        rows["terminal_id"].cast(pl.Int64).to_numpy(),
        np.rint(rows["amount"].cast(pl.Float64).to_numpy() * 100).astype(np.int64),
        rows["is_fraud"].cast(pl.Boolean).to_numpy(),
    )
