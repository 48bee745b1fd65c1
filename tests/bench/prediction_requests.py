"""The bodies of prediction requests as clients send them, about entities of the history, as of its end."""

from __future__ import annotations

import msgspec
import numpy as np

from deploy.demo.traffic.cards.transactions import Transactions

_AMONG = 200_000  # the latest transactions: their customers and terminals are alive


def prediction_requests(rows: Transactions, count: int, seed: int = 1, instances: int = 1) -> list[bytes]:
    """So many instances each, drawn from the latest transactions; `as_of` is just after the last one."""
    rng = np.random.default_rng(seed)
    latest = np.arange(max(0, len(rows) - _AMONG), len(rows))
    as_of_us = int(rows.event_time_us[-1]) + 1
    chosen = rng.choice(latest, (count, instances)).tolist()
    return [
        msgspec.json.encode({"instances": [_instance(rows, row) for row in some], "as_of": as_of_us + number})
        for number, some in enumerate(chosen)
    ]


def _instance(rows: Transactions, row: int) -> dict[str, int | float]:
    return {
        "customer_id": int(rows.customer_id[row]),
        "terminal_id": int(rows.terminal_id[row]),
        "amount": int(rows.amount_cents[row]) / 100,
    }
