"""The transactions that the benchmarks run on: a file where there is one, the generator's otherwise."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deploy.demo.traffic.cards.handbook import simulate

Int64 = NDArray[np.int64]

START_US = 1_522_540_800_000_000
"""2018-04-01, the first day of the Handbook's file."""


@dataclass(frozen=True)
class Transactions:
    """int64[n] columns in order of event time: ids, microseconds, cents, 0 or 1."""

    transaction_id: Int64
    event_time_us: Int64
    customer_id: Int64
    terminal_id: Int64
    amount_cents: Int64
    is_fraud: Int64

    def __len__(self) -> int:
        return len(self.event_time_us)

    def latest(self, count: int) -> Transactions:
        """The last so many rows, or all there are."""
        return Transactions(*(getattr(self, each.name)[-count:] for each in fields(self)))


def default_file() -> Path | None:
    """The Fraud Detection Handbook's transactions, where they lie beside the checkout."""
    beside = Path(__file__).parents[3] / "shared" / "data" / "handbook" / "transactions.parquet"
    return beside if beside.exists() else None


def read_transactions(file: Path | None) -> Transactions:
    """All transactions of a file (columns as the demo's `--data` takes them), or of 1,000 generated customers."""
    if file is None:
        return _generated()
    frame = pl.read_parquet(file).sort("event_time", maintain_order=True)
    times = frame["event_time"].cast(pl.Datetime("us")).cast(pl.Int64).to_numpy()
    cents = (frame["amount"] * 100).round().cast(pl.Int64).to_numpy()
    ids = [frame[name].cast(pl.Int64).to_numpy() for name in ("transaction_id", "customer_id", "terminal_id")]
    return Transactions(ids[0], times, ids[1], ids[2], cents, frame["is_fraud"].cast(pl.Int64).to_numpy())


def _generated() -> Transactions:
    """The demo's generator over as many days as the Handbook's file has, with a fifth of its customers."""
    made = simulate(customers=1_000, terminals=2_000, days=183, start_us=START_US, seed=1).transactions
    ids = (made.customer_id, made.terminal_id, made.amount_cents)
    return Transactions(made.transaction_id, made.event_time_us, *ids, made.is_fraud.astype(np.int64))
