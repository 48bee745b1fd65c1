"""Objects inside objects are fields, with the digits that were written, and what is no event says where it fails."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features.definitions import Decimal, EventSource, Field, Integer, Text, Timestamp
from streaming.kafka.decoders.json_format import JSON
from streaming.kafka.decoders.nested_json_format import NESTED_JSON, flat
from streaming.kafka.decoders.registry import decoder_of, event_format
from tests.domains.machines import READINGS

REQUESTS = EventSource(
    name="requests",
    topic="requests",
    fields=(
        Field("id", Text(max_length=8)),
        Field("event_time", Timestamp("ms")),
        Field("http_method", Text(max_length=8)),
        Field("http_seconds", Decimal(decimals=2, low=0, high=100)),
        Field("user_id", Integer(low=0), optional=True),
    ),
    event_id="id",
    unknown_fields="ignore",
    format="nested_json",
)
GOOD: dict[str, Any] = {
    "id": "a",
    "event_time": 1_767_614_400_000,
    "http": {"method": "GET", "seconds": 1.25, "headers": {"x": [{"y": 1}]}},
    "user": {"id": 7},
}


def decode(*values: Any) -> Any:
    written = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in values]
    return decoder_of(REQUESTS).decode(written)


def test_values_inside_objects_are_fields_and_a_flat_object_is_one_too():
    plain = {"id": "b", "event_time": 1_767_614_400_001, "http_method": "PUT", "http_seconds": 2}
    decoded = decode(GOOD, plain, {**GOOD, "user": None}, {**GOOD, "user": {}})
    assert decoded.faults == []
    assert decoded.columns["http_method"].tolist() == ["GET", "PUT", "GET", "GET"]
    assert decoded.columns["http_seconds"].tolist() == [125, 200, 125, 125]
    assert decoded.valid["user_id"].tolist() == [True, False, False, False]


def test_names_are_found_as_produce_finds_them():
    fields = (Field("id", Integer()), Field("at", Timestamp("ms")), Field("http_useragent", Text()))
    source = EventSource("x", "x", fields, "id", "at", format="nested_json")
    value = b'{"id": 1, "at": 1767614400000, "http": {"userAgent": "curl"}}'
    assert decoder_of(source).decode([value]).columns["http_useragent"].tolist() == ["curl"]


def test_each_digit_of_a_number_inside_counts():
    """A float64 would round it to the middle of two steps."""
    value = b'{"id": "a", "event_time": 1767614400000, "http": {"method": "GET", "seconds": 0.12499999999999999999}}'
    assert decode(value).columns["http_seconds"].tolist() == [12]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({**GOOD, "http": {"seconds": 1}}, "missing required field http_method - at $"),
        ({**GOOD, "http": 3}, "missing required field http_method - at $"),
        ({**GOOD, "http_method": "PUT"}, "two values for the field http_method, one of them at $.http_method"),
        ({**GOOD, "user": {"id": "x"}}, "expected integer, got string - at $.user_id"),
        ({**GOOD, "user": {"id": -1}}, "out of bounds"),
        (b"[1]", "expected object, got array - at $"),
        (b'{"id": {', "not JSON"),
        (b"", "empty value - at $"),
        (b'{"a":' * 100_000, ""),
    ],
)
def test_what_is_no_event_has_a_reason_and_its_neighbours_are_read(value, reason):
    decoded = decode(GOOD, value, GOOD)
    (fault,) = decoded.faults
    assert fault.index == 1
    assert reason in fault.reason
    assert decoded.rows.tolist() == [0, 2]


def test_plain_json_says_that_an_object_holds_what_is_missing():
    fault, other = JSON.decoder(REQUESTS).decode([json.dumps(GOOD).encode(), b'{"id": "a"}']).faults
    assert fault.reason == (
        'missing required field http_method - at $; http is an object: give the source format="nested_json" to read '
        "what is in it"
    )
    assert other.reason == "missing required field event_time - at $"


def test_an_erasure_finds_an_entity_inside_an_object():
    found = NESTED_JSON.fields(json.dumps(GOOD).encode())
    assert found is not None
    assert (found["user_id"], found["http_method"]) == (7, "GET")
    assert NESTED_JSON.fields(b"[1]") is NESTED_JSON.fields(b"{") is None


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
NAMES = st.text("abcXY", min_size=1, max_size=3)


@given(
    st.recursive(st.dictionaries(NAMES, LEAVES), lambda inner: st.dictionaries(NAMES, LEAVES | inner), max_leaves=12)
)
def test_it_holds_what_a_naive_walk_finds(nested):
    def walk(of, under=()):
        for name, value in of.items():
            if isinstance(value, dict):
                yield from walk(value, (*under, name))
            else:
                yield "_".join((*under, name)) if not under else "_".join((*under, name)).lower(), value

    pairs = list(walk(nested))
    if len({name for name, _ in pairs}) < len(pairs):
        with pytest.raises(ValueError, match="two values for the field"):
            flat(json.dumps(nested).encode())
    else:
        assert json.loads(flat(json.dumps(nested).encode())) == dict(pairs)


def test_the_format_is_one_of_those_that_millrace_brings():
    assert event_format("nested_json") is NESTED_JSON
    assert decoder_of(READINGS).decode([b"{}"]).faults[0].reason.startswith("missing required field")
