"""Events as checks see them, made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from streaming.archive.expectations.arrived import Arrived
from tests.streaming.kafka_log import batch
from tests.streaming.small_domain import PAYMENTS


def payments(*times_us: int, partition: int = 0, first: int = 0, **fields: list[Any]) -> Arrived:
    """One payment per arrival time, with offsets from `first`. fields: the values of each of them."""
    given = [{name: values[row] for name, values in fields.items()} for row in range(len(times_us))]
    events = [
        (at, {"id": first + row, "event_time": at, "payer": 1, "shop": "a", "amount": 5, **given[row]})
        for row, at in enumerate(times_us)
    ]
    offsets = np.arange(first, first + len(times_us))
    return Arrived(partition, offsets, np.array(times_us, np.int64), batch(PAYMENTS, events))
