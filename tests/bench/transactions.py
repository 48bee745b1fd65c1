"""The transactions that the benchmarks run on: a file where there is one, the demo's generator otherwise."""

from __future__ import annotations

from pathlib import Path

from deploy.demo.traffic.cards.handbook import simulate
from deploy.demo.traffic.cards.transactions import Transactions, read_transactions

START_US = 1_522_540_800_000_000
"""2018-04-01, the first day of the Handbook's file."""


def default_file() -> Path | None:
    """The Fraud Detection Handbook's transactions, where they lie beside the checkout."""
    beside = Path(__file__).parents[3] / "shared" / "data" / "handbook" / "transactions.parquet"
    return beside if beside.exists() else None


def measured_transactions(file: Path | None) -> Transactions:
    """Those of a file (as the demo's `--data` takes it), or of as many days as the Handbook's file has, with a fifth of
    its customers.
    """
    if file is not None:
        return read_transactions(file)
    return simulate(customers=1_000, terminals=2_000, days=183, start_us=START_US, seed=1).transactions
