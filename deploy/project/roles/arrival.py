"""The column that says when a row became known: what `produce` takes as the arrival time of an event."""

from __future__ import annotations

from collections.abc import Iterable

from deploy.project.columns.column import Column
from deploy.project.columns.hints import ARRIVAL_WORDS
from shared_features.definitions import Timestamp
from shared_features.kernel.event_time import DAY_US

_NEARLY = 0.95


def guess_arrival(columns: Iterable[Column], time: Column, why: dict[str, str]) -> Column | None:
    """A column of times with the name of an arrival, at or after the event time in nearly all rows.

    None also where the middle row waits longer than a day: such a column says when a file was loaded.
    """
    for each in columns:
        if each is time or not isinstance(each.type, Timestamp) or not is_arrival(each):
            continue
        pairs = zip(each.instants, time.instants, strict=True)
        waits = sorted(a - b for a, b in pairs if a is not None and b is not None)
        after = sum(wait >= 0 for wait in waits)
        if after >= _NEARLY * len(each.values) and waits[len(waits) // 2] <= DAY_US:
            share = "every row" if after == len(each.values) else f"{after:,} of {len(each.values):,} rows"
            why["arrival"] = f"its name says so, and it is at or after {time.name} in {share}"
            return each
    return None


def is_arrival(column: Column) -> bool:
    """Whether its name says so."""
    return bool(ARRIVAL_WORDS & set(column.words))
