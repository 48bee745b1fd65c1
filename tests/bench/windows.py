"""The twelve classic window features of the Fraud Detection Handbook, kernel against DuckDB's RANGE windows.

Per transaction: the customer's count and mean amount, and the terminal's count and share of frauds known by then
(outcomes are known seven days later), each over 1, 7 and 30 days, strictly before the transaction.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from deploy.demo.traffic.cards.transactions import Transactions
from shared_features import Aggregate, Count, FeatureGroup, Mean, Window, days, seconds
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS, CUSTOMER, TERMINAL
from shared_features.kernel.hashing import hash_integers
from shared_features.kernel.replay import replay
from shared_features.kernel.tile_state import TileState
from tests.bench.figures import Figure, median_seconds
from tests.bench.transactions import measured_transactions

DELAY_US = 7 * 86_400_000_000
CORES = 2

SQL = """
    select {columns} from events
    window {windows}
"""


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    table = duckdb_table(rows)
    baseline = len(rows) / median_seconds(lambda: by_duckdb(table), runs=3)
    figures = []
    for name, hop in (("default hops of 1 h and 1 d", None), ("exact, hops of 1 s", seconds(1))):
        rate = len(rows) / median_seconds(lambda hop=hop: by_kernel(rows, hop), runs=3)  # type: ignore[misc]
        figures.append(Figure(f"12 window features, {name}", rate, "rows/s", baseline, f"DuckDB {duckdb.__version__}"))
    check_equal(rows, table)
    return figures


def group(name: str, hop: timedelta | None) -> FeatureGroup:
    windows: tuple[Any, ...] = tuple(Window(days(n), hop) if hop else days(n) for n in (1, 7, 30))
    if name == "customer":
        aggregates = (Aggregate("amount", Count(), windows), Aggregate("amount", Mean(), windows))
        return FeatureGroup("by_customer", 1, CUSTOMER, (CARD_TRANSACTIONS,), aggregates)
    aggregates = (Aggregate("is_fraud", Count(), windows), Aggregate("is_fraud", Mean(), windows))
    return FeatureGroup("by_terminal", 1, TERMINAL, (CARD_LABELS,), aggregates)


def by_kernel(rows: Transactions, hop: timedelta | None) -> list[NDArray[np.float64]]:
    """[rows, 6] of the customers and of the terminals, on both cores: the kernel releases the GIL."""
    digest = hash_integers(rows.transaction_id)
    with ThreadPoolExecutor(CORES) as pool:
        customers = pool.submit(
            _replay, group("customer", hop), rows.customer_id, rows.event_time_us, rows.amount_cents, digest, rows
        )
        terminals = pool.submit(
            _replay,
            group("terminal", hop),
            rows.terminal_id,
            rows.event_time_us + DELAY_US,
            rows.is_fraud.astype(np.int64),
            digest,
            rows,
        )
        return [customers.result(), terminals.result()]


def _replay(
    features: FeatureGroup,
    key: NDArray[np.int64],
    event_time_us: NDArray[np.int64],
    value: NDArray[np.int64],
    digest: NDArray[np.uint64],
    rows: Transactions,
) -> NDArray[np.float64]:
    entities = pa.array(key).dictionary_encode()
    state = TileState(features.layout)
    slots = state.add(len(entities.dictionary))[entities.indices.to_numpy()]
    valid = np.ones((len(rows), 1), np.bool_)
    return replay(
        state, slots, event_time_us + 1, event_time_us, digest, value[:, None], valid, slots, rows.event_time_us
    )


def duckdb_table(rows: Transactions) -> Any:
    """The transactions inside DuckDB, which is not timed."""
    connection = duckdb.connect(config={"threads": CORES})
    arrow = pa.table(  # noqa: F841  (DuckDB finds it by its name)
        {
            "customer": rows.customer_id,
            "terminal": rows.terminal_id,
            "t": rows.event_time_us // 1_000_000,
            "amount": rows.amount_cents / 100,
            "fraud": rows.is_fraud.astype(np.float64),
        }
    )
    connection.execute("create table events as select * from arrow")
    return connection


def by_duckdb(connection: Any) -> pa.Table:
    """The same twelve as a table of twelve columns, exact RANGE windows over whole seconds."""
    columns, windows = [], []
    for n in (1, 7, 30):
        length = n * 86_400
        columns += [f"count(amount) over c{n} as customer_count_{n}d", f"avg(amount) over c{n} as customer_mean_{n}d"]
        columns += [f"count(fraud) over t{n} as terminal_count_{n}d", f"avg(fraud) over t{n} as terminal_risk_{n}d"]
        near, delay = 1, DELAY_US // 1_000_000
        windows.append(
            f"c{n} as (partition by customer order by t range between {length} preceding and {near} preceding)"
        )
        windows.append(
            f"t{n} as (partition by terminal order by t range between {length + delay} preceding "
            f"and {near + delay} preceding)"
        )
    sql = SQL.format(columns="customer, terminal, t, " + ", ".join(columns), windows=", ".join(windows))
    return connection.sql(sql).to_arrow_table()


def check_equal(rows: Transactions, connection: Any) -> None:
    """The exact kernel's counts and DuckDB's are equal as multisets, and its means as sums, else the race is void."""
    customers, terminals = by_kernel(rows, seconds(1))
    table = by_duckdb(connection)
    for index, n in enumerate((1, 7, 30)):
        for mine, name in ((customers, "customer_count"), (terminals, "terminal_count")):
            theirs = table.column(f"{name}_{n}d").to_numpy()
            if not np.array_equal(np.sort(mine[:, index]), np.sort(theirs)):
                raise ValueError(f"{name}_{n}d differs between kernel and DuckDB")
        theirs = np.nan_to_num(table.column(f"customer_mean_{n}d").to_numpy().astype(float))
        if not np.isclose(np.nan_to_num(customers[:, 3 + index]).sum(), theirs.sum(), rtol=1e-9):
            raise ValueError(f"customer_mean_{n}d differs between kernel and DuckDB")
