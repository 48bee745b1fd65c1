"""What MessagePack can say and JSON cannot is read, or refused with a reason."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from shared_features.definitions import Boolean, Decimal, EventSource, Field, Integer, Text, Timestamp
from streaming.kafka.decoders.messagepack_format import MESSAGEPACK
from streaming.kafka.decoders.registry import decoder_of

THINGS = EventSource(
    name="things",
    topic="things",
    fields=(
        Field("id", Integer(low=0)),
        Field("event_time", Timestamp("rfc3339")),
        Field("amount", Decimal(decimals=2, low=0, high=100)),
        Field("flag", Boolean(), optional=True),
        Field("word", Text(max_length=3), optional=True),
    ),
    event_id="id",
    unknown_fields="reject",
    format="messagepack",
)
NOON = datetime(2026, 1, 5, 12, 0, 0, 250, tzinfo=UTC)
GOOD = {"id": 1, "event_time": NOON, "amount": 2.5}


def packed(**changed: Any) -> bytes:
    return msgspec.msgpack.encode({**GOOD, **changed})


def test_a_time_is_a_timestamp_or_a_text() -> None:
    decoded = decoder_of(THINGS).decode([packed(), packed(event_time=NOON.isoformat())])
    assert decoded.columns["event_time"].tolist() == [1_767_614_400_000_250] * 2
    assert decoded.columns["amount"].tolist() == [250, 250]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (packed() + b"x", "not MessagePack: trailing characters"),
        (packed()[:-1], "not MessagePack: input data was truncated - at $"),
        (b"\xc1", "not MessagePack: invalid opcode"),
        (b'{"id": 1}', "expected object, got integer - at $"),
        (packed(amount=float("nan")), "out of bounds 0 to 100: nan - at $.amount"),
        (packed(id=1.0), "expected integer, got number - at $.id"),
        (packed(id=2**63), "out of bounds of 64 bits - at $.id"),
        (packed(word=b"abc"), "expected string, got bytes - at $.word"),
        (packed(word="four"), "longer than the declared length of 3 - at $.word"),
        (packed(flag=1), "expected boolean, got integer - at $.flag"),
        (packed(event_time="2026-01-05T12:00:00"), "time without an offset from UTC - at $.event_time"),
        (packed(more=1), "contains unknown field more - at $"),
        (packed(word="ab").replace(b"ab", b"\xff\xfe"), "not UTF-8 (invalid start byte 0xff) - at $"),
        (b"\x81" * 100_000, "expected string, got object"),
    ],
)
def test_what_is_no_event_has_a_reason_with_its_path(value: bytes, reason: str) -> None:
    decoded = decoder_of(THINGS).decode([packed(), value, packed()])
    (fault,) = decoded.faults
    assert fault.reason.startswith(reason)
    assert decoded.rows.tolist() == [0, 2]


def test_the_fields_of_what_is_no_event_are_read_all_the_same() -> None:
    assert MESSAGEPACK.fields(packed(amount="much")) == {**GOOD, "amount": "much"}
    assert MESSAGEPACK.fields(msgspec.msgpack.encode([1])) is None
    assert [MESSAGEPACK.fields(each) for each in (b"", b"\xc1", b"\x81\x80\x01", b"\x81" * 100_000)] == [None] * 4
