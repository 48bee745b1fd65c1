"""Transactions as bytes on the wire: events, labels, and the ways in which an event can be wrong.

One bytes template per kind, filled by `%`: 730,000 records a second, all told.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from deploy.demo.traffic.cards.transactions import DAY_US, Transactions
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS

LABEL_DELAY_US = 7 * DAY_US
FUTURE_US = 3_600_000_000

_ROW = b'{"transaction_id":%d,"event_time":%d,"customer_id":%d,"terminal_id":%d,"amount":%.2f}'
_WITH_UNKNOWN = _ROW[:-1] + b',"channel":"online"}'
_LABEL = b'{"transaction_id":%d,"event_time":%d,"transaction_time":%d,"terminal_id":%d,"is_fraud":%s}'
_NO_AMOUNT = _ROW.partition(b',"amount"')[0] + b"}"
_TEXT_AMOUNT = _ROW.replace(b"%.2f", b'"%.2f"')
_ENDLESS = (_ROW.replace(b"%.2f", b"Infinity"), _ROW.replace(b"%.2f", b"1e999"), _ROW.replace(b"%.2f", b"NaN"))

Rows = list[tuple[int, int, int, int, float]]
"""transaction id, event time in microseconds, customer, terminal, amount in euro."""


def _endless(rows: Rows) -> list[bytes]:
    return [_ENDLESS[row[0] % 3] % row[:4] for row in rows]


def _out_of_bounds(rows: Rows) -> list[bytes]:
    return [_ROW % (*row[:4], -0.01 - row[4] if row[0] % 2 else 1_000_000.01 + row[4]) for row in rows]


def _future(rows: Rows) -> list[bytes]:
    return [_ROW % (row[0], row[1] + FUTURE_US, *row[2:]) for row in rows]


DEAD: dict[str, Callable[[Rows], list[bytes]]] = {
    "not_json": lambda rows: [(_ROW % row)[:-20] for row in rows],
    "missing_field": lambda rows: [_NO_AMOUNT % row[:4] for row in rows],
    "number_as_text": lambda rows: list(map(_TEXT_AMOUNT.__mod__, rows)),
    "not_finite": _endless,
    "out_of_bounds": _out_of_bounds,
    "future_event": _future,
}
"""Kinds of records that the stream does not accept as an event."""

UNKNOWN_FIELD = "unknown_field"
"""A record of this kind is an event: a source ignores fields that it does not declare."""

EVENT, LABEL, EVENT_WITH_UNKNOWN, FIRST_DEAD = 0, 1, 2, 3
KINDS = ("event", "label", UNKNOWN_FIELD, *DEAD)

Objects = NDArray[np.object_]


def encode(transactions: Transactions, kind: NDArray[np.uint8]) -> tuple[Objects, Objects, Objects]:
    """Topics, keys and values of rows, each as its kind: an index into KINDS. The keys are the entities' ids."""
    topics = np.where(kind == LABEL, CARD_LABELS.topic, CARD_TRANSACTIONS.topic).astype(object)
    keys, values = np.empty(len(kind), object), np.empty(len(kind), object)
    for each in np.unique(kind):
        at = np.flatnonzero(kind == each)
        some = transactions.take(at)
        ids = some.terminal_id if each == LABEL else some.customer_id
        keys[at] = list(map(b"%d".__mod__, ids.tolist()))
        values[at] = _labels(some) if each == LABEL else _values(KINDS[each], _rows(some))
    return topics, keys, values


def _values(kind: str, rows: Rows) -> list[bytes]:
    if kind in DEAD:
        return DEAD[kind](rows)
    return list(map((_WITH_UNKNOWN if kind == UNKNOWN_FIELD else _ROW).__mod__, rows))


def _rows(some: Transactions) -> Rows:
    return list(
        zip(
            some.transaction_id.tolist(),
            some.event_time_us.tolist(),
            some.customer_id.tolist(),
            some.terminal_id.tolist(),
            (some.amount_cents / 100).tolist(),
            strict=True,
        )
    )


def _labels(some: Transactions) -> list[bytes]:
    rows = zip(
        some.transaction_id.tolist(),
        (some.event_time_us + LABEL_DELAY_US).tolist(),
        some.event_time_us.tolist(),
        some.terminal_id.tolist(),
        np.where(some.is_fraud, b"true", b"false").tolist(),
        strict=True,
    )
    return list(map(_LABEL.__mod__, rows))
