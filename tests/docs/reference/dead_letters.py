"""The page of dead-letter reasons, from what the reader says of records that are not acceptable events."""

from __future__ import annotations

import json
import math

import numpy as np

from shared_features import Boolean, Decimal, EventSource, Field, Integer, Text, Timestamp
from streaming.kafka.records.record_reader import CREATE_TIME, LOG_APPEND_TIME, RecordReader, Records, StampRule
from tests.docs.reference.table import code, table

STAMP_MS = 1_767_616_200_000
SOURCE = EventSource(
    name="orders",
    topic="shop.orders",
    fields=(
        Field("order", Text(max_length=4)),
        Field("at", Timestamp("ms")),
        Field("price", Decimal(decimals=2, low=0, high=1_000)),
        Field("quantity", Integer(low=1, high=9)),
        Field("gift", Boolean(), optional=True),
    ),
    event_id="order",
    event_time="at",
    unknown_fields="reject",
)


def _order(at: object = STAMP_MS, order: str = "o1", **others: object) -> bytes:
    return json.dumps({"order": order, "at": at, **others}, separators=(",", ":")).encode()


CASES: tuple[tuple[bytes | None, str], ...] = (
    (None, "Send a value. Millrace has no deletions: an event is a fact."),
    (b"", "Send a value."),
    (b"{", "Send one JSON object per record."),
    (b'"o1"', "Send an object with the fields of the source."),
    (b"\xff", "Send UTF-8."),
    (_order(quantity=1), "Send the field, or declare it with `optional=True`."),
    (_order(price=None, quantity=1), "Send a value, or declare `optional=True`."),
    (_order(price="9.5", quantity=1), "Send a number without quotation marks."),
    (_order(price=math.nan, quantity=1), "Send null for an unknown value of an optional field."),
    (_order(price=2000, quantity=1), "Correct the value, or widen the bounds."),
    (_order(price=1, quantity=0), "Correct the value, or widen the bounds."),
    (_order(price=1, quantity=1.5), "Send a whole number, or declare a Decimal."),
    (_order(order="order1", price=1, quantity=1), "Raise `max_length`."),
    (_order(price=1, quantity=1, new=1), 'Declare the field, or leave out `unknown_fields="reject"`.'),
    (_order("yesterday", price=1, quantity=1), 'Send the declared unit, or declare `Timestamp("rfc3339")`.'),
    (_order(STAMP_MS + 3_600_000, price=1, quantity=1), "Correct the producer's clock, or raise `tolerated_future`."),
    (_order(STAMP_MS // 1000, price=1, quantity=1), "Declare the unit that is sent, or raise `tolerated_past`."),
)
GOOD = _order(price=1, quantity=1)
HEAD = """\
# Reasons of dead letters

A record that is not an acceptable event becomes a dead letter, with the reason and the path of the faulty field. These
are the reasons for records of this source, whose bounds are narrow so that they can be shown:

"""
FOOT = """
The reason ends with the topic, the partition and the offset. [Operations](../operations.md#dead-letters) tells how to
list, mend and replay dead letters.
"""


def page() -> str:
    fields = table(
        ("field", "type"), [(code(e.name), e.type.words + (", optional" if e.optional else "")) for e in SOURCE.fields]
    )
    rows = [(_shown(value), _reason(value, LOG_APPEND_TIME), advice) for value, advice in CASES]
    rows.append((
        "any, stamped by its producer", _reason(GOOD, CREATE_TIME),
        "Set `message.timestamp.type` of the topic, or load history in `MILLRACE_TOPIC_MODE=import`.",
    ))  # fmt: skip
    return f"{HEAD}{fields}\n## Reasons\n\n{table(('value of the record', 'reason', 'what to do'), rows)}{FOOT}"


def _shown(value: bytes | None) -> str:
    if not value:
        return "nothing (a tombstone)" if value is None else "no bytes"
    text = value.decode(errors="backslashreplace").replace(f',"at":{STAMP_MS}', "")
    return code(text)


def _reason(value: bytes | None, stamp_type: int) -> str:
    one = np.array([0])
    records = Records(SOURCE.topic, 0, one, np.array([STAMP_MS]), np.array([stamp_type]), [value], lambda row: None)
    (letter,) = RecordReader(SOURCE, StampRule("live")).read(records).dead
    return code(letter.reason.partition(" (topic ")[0])
