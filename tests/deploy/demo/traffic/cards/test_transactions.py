"""A file of transactions is read as it is, or its fault is named."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from deploy.demo.traffic.cards.handbook import World
from deploy.demo.traffic.cards.transactions import DAY_US, read_transactions


def test_a_file_is_read_as_it_is(tmp_path, world):
    rows = world.transactions
    pl.DataFrame(
        {
            "transaction_id": rows.transaction_id,
            "event_time": pl.Series(rows.event_time_us).cast(pl.Datetime("us", "UTC")),
            "customer_id": rows.customer_id.astype(np.int32),
            "terminal_id": rows.terminal_id,
            "amount": rows.amount_cents / 100,
            "is_fraud": rows.is_fraud.astype(np.int8),
        }
    ).reverse().write_parquet(tmp_path / "file.parquet")
    found = read_transactions(tmp_path / "file.parquet")
    assert np.array_equal(found.amount_cents, rows.amount_cents)
    assert np.array_equal(found.event_time_us, rows.event_time_us)
    assert found.is_fraud.sum() == rows.is_fraud.sum()
    assert len(World.of(found).compromised_terminals) == 0
    moved = found.moved_to_end_before(int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000)
    left_us = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 - moved.event_time_us[-1]
    assert 0 <= left_us < DAY_US


def test_a_file_that_lacks_a_column_is_told_so(tmp_path):
    pl.DataFrame({"transaction_id": [1]}).write_parquet(tmp_path / "file.parquet")
    with pytest.raises(ValueError, match="no column event_time, customer_id"):
        read_transactions(tmp_path / "file.parquet")
