"""Bad input in every shape has a reason with a path; good input keeps every digit that was declared."""

import numpy as np
import pytest

from shared_features.definitions import Boolean, Decimal, EventSource, Field, Integer, Text, Timestamp
from streaming.kafka.decoders.registry import decoder_of

STRICT = EventSource(
    name="things",
    topic="things",
    fields=(
        Field("id", Integer(low=0)),
        Field("event_time", Timestamp()),
        Field("amount", Decimal(decimals=2, low=0, high=1_000_000)),
        Field("flag", Boolean(), optional=True),
        Field("class", Text(max_length=3), optional=True),  # a keyword of Python: names are not ours to forbid
        Field("at", Timestamp("rfc3339"), optional=True),
        Field("seen", Timestamp("s"), optional=True),
    ),
    event_id="id",
    unknown_fields="reject",
)
GOOD = b'{"id":1,"event_time":5,"amount":2.5}'


def with_(more: str) -> bytes:
    return b'{"id":1,"event_time":5,' + more.encode() + b"}"


BAD: list[tuple[bytes | None, str]] = [
    (None, "no value (a tombstone) - at $"),
    (b"", "empty value - at $"),
    (b"hello", "not JSON: invalid character (byte 0) - at $"),
    (b'{"id":1,"event_time":5', "not JSON: input data was truncated - at $"),
    (GOOD + b"x", "not JSON: trailing characters (byte 37) - at $"),
    (b"\xef\xbb\xbf" + GOOD, "not JSON: invalid character (byte 0) - at $"),
    (b"[]", "expected object, got array - at $"),
    (b"null", "expected object, got null - at $"),
    (b"[" * 100_000, "expected object, got array - at $"),
    (b'{"id":1,"amount":2}', "missing required field event_time - at $"),
    (with_('"amount":2,"more":1'), "contains unknown field more - at $"),
    (with_('"amount":"2"'), "expected number, got string - at $.amount"),
    (with_('"amount":null'), "expected number, got null - at $.amount"),
    (with_('"amount":true'), "expected number, got boolean - at $.amount"),
    (with_('"amount":NaN'), "expected number, got NaN - at $.amount"),
    (with_('"amount":-Infinity'), "expected number, got -Infinity - at $.amount"),
    (with_('"amount":1e999'), "number out of range - at $.amount"),
    (with_('"amount":2e9'), "out of bounds 0 to 1000000: 2000000000.0 - at $.amount"),
    (with_('"amount":-0.01'), "out of bounds 0 to 1000000: -0.01 - at $.amount"),
    (b'{"id":1.0,"event_time":5,"amount":2}', "expected integer, got number - at $.id"),
    (b'{"id":-1,"event_time":5,"amount":2}', "out of bounds 0 to 4503599627370496: -1 - at $.id"),
    (b'{"id":9223372036854775808,"event_time":5,"amount":2}', "out of bounds of 64 bits - at $.id"),
    (b'{"id":1,"event_time":"now","amount":2}', "expected integer, got string - at $.event_time"),
    (
        b'{"id":1,"event_time":5000000000000000000,"amount":2}',
        "time out of bounds 1827-04-16 to 2112-09-17: 5000000000000000000 read as us - at $.event_time",
    ),
    (
        with_('"amount":2,"seen":1700000000000'),
        "time out of bounds 1827-04-16 to 2112-09-17: 1700000000000 read as s; in milliseconds it is "
        "2023-11-14T22:13:20Z - at $.seen",
    ),
    (with_('"amount":2,"flag":1'), "expected boolean, got integer - at $.flag"),
    (with_('"amount":2,"class":"four"'), "longer than the declared length of 3 - at $.class"),
    (with_('"amount":2,"class":7'), "expected string, got integer - at $.class"),
    (with_('"amount":2,"class":"') [:-1] + b'\xff"}', "not UTF-8 (invalid start byte 0xff) - at $"),
    (with_('"amount":2,"at":"2020-01-01T00:00:00"'), "time without an offset from UTC - at $.at"),
    (with_('"amount":2,"at":"yesterday"'), "invalid RFC3339 encoded datetime - at $.at"),
    (with_('"amount":2,"at":5'), "expected RFC 3339 time, got integer - at $.at"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "reason"), BAD, ids=[reason[:50] for _, reason in BAD])
def test_what_is_no_event_has_a_reason_with_its_path(value, reason):
    decoded = decoder_of(STRICT).decode([GOOD, value, GOOD])
    assert [(fault.index, fault.reason) for fault in decoded.faults] == [(1, reason)]
    assert decoded.rows.tolist() == [0, 2]  # neighbours are untouched
    assert all(len(column) == 2 for column in decoded.columns.values())


@pytest.mark.parametrize("text", [r"\ud800", r"\udc00", r"\ud800\u0041", r"\ud800x"])
def test_half_a_character_is_no_text(text):
    assert decoder_of(STRICT).decode([with_(f'"amount":2,"class":"{text}"')]).faults


def test_columns_hold_whole_numbers_in_the_declared_steps():
    times = '"at":"2020-01-01T02:00:00.123456+02:00","seen":-1'
    decoded = decoder_of(STRICT).decode([with_(f'"amount":19.99,"flag":true,"class":"é€x",{times}'), GOOD])
    assert decoded.columns["amount"].tolist() == [1999, 250]
    assert decoded.columns["flag"].tolist() == [1, 0]
    assert decoded.columns["class"].tolist() == ["é€x", None]
    assert decoded.columns["at"].tolist() == [1_577_836_800_123_456, 0]
    assert decoded.columns["seen"].tolist() == [-1_000_000, 0]
    assert set(decoded.valid) == {"flag", "class", "at", "seen"}
    assert all(there.tolist() == [True, False] for there in decoded.valid.values())


def test_finer_input_is_rounded_half_to_even():
    values = [with_(f'"amount":{amount}') for amount in (0.125, 0.375, 0.5, 1e-9, 999999.994, 3)]
    assert decoder_of(STRICT).decode(values).columns["amount"].tolist() == [12, 38, 50, 0, 99999999, 300]


def test_a_null_counts_as_missing_where_a_field_is_optional():
    assert decoder_of(STRICT).decode([with_('"amount":2,"class":null')]).valid["class"].tolist() == [False]


def test_unknown_fields_are_ignored_unless_the_source_rejects_them():
    lenient = EventSource("things", "things", STRICT.fields[:3], event_id="id")
    decoded = decoder_of(lenient).decode([with_('"amount":2,"more":{"deep":[1]}')])
    assert decoded.rows.tolist() == [0]
    assert list(decoded.columns) == ["id", "event_time", "amount"]


def test_nothing_decodes_to_empty_columns_of_the_right_types():
    decoded = decoder_of(STRICT).decode([])
    assert {name: column.dtype for name, column in decoded.columns.items()} == {
        field.name: np.dtype(object) if field.is_text else np.dtype(np.int64) for field in STRICT.fields
    }
