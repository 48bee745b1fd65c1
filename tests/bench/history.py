"""Features of a spine over a long history: is memory bounded by the setting, however many events there are?

The events are the transactions several times over, with other entities. `BENCH_EVENTS` says how many there are at
least; a CI may ask for fewer. Each run is a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from deploy.demo.traffic.cards.transactions import Transactions
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from tests.bench.figures import Figure
from tests.bench.filled_lake import fill_lake
from tests.bench.stream_job import ROOT
from tests.bench.transactions import measured_transactions

_EVENTS = int(os.environ.get("BENCH_EVENTS", "20000000"))
_SPINE_ROWS = 100_000
_FEWER, _MORE = 500_000, 4_000_000


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    copies = -(-_EVENTS // len(rows))
    with TemporaryDirectory(prefix="millrace-bench-") as place:
        lake, spine = Path(place) / "lake", Path(place) / "spine.parquet"
        events = sum(fill_lake(lake, source, rows, copies) for source in (CARD_TRANSACTIONS, CARD_LABELS))
        _spine(rows, copies).write_parquet(spine)
        found = {at_once: _run(lake, spine, at_once) for at_once in (_FEWER, _MORE)}
    few, many = found[_FEWER], found[_MORE]
    if few["digest"] != many["digest"]:
        raise ValueError("the features depend on how many events are in memory")
    said = f"spine over {events:,} events"
    return [
        Figure(f"{said}, peak memory, {_FEWER:,} at once", few["peak_mb"], "MB", many["peak_mb"], f"{_MORE:,} at once"),
        Figure(f"{said}, processor time", few["seconds"], "s", many["seconds"], f"{_MORE:,} at once"),
    ]


def _spine(rows: Transactions, copies: int) -> pl.DataFrame:
    """Some of the transactions of all copies, whose labels were known by the end, as of their own times."""
    random = np.random.default_rng(5)
    at = random.integers(len(rows) // 4, len(rows) // 2, _SPINE_ROWS)
    moved = random.integers(0, copies, _SPINE_ROWS) * 10_000_000
    return pl.DataFrame(
        {
            "as_of": pl.Series(rows.event_time_us[at]).cast(pl.Datetime("us", "UTC")),
            "customer_id": rows.customer_id[at] + moved,
            "terminal_id": rows.terminal_id[at] + moved,
            "amount": rows.amount_cents[at] / 100,
        }
    )


def _run(lake: Path, spine: Path, at_once: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.history_process", str(lake), str(spine), str(at_once)]
    said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, Any] = json.loads(said)
    return found
