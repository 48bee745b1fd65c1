"""A request's fields become the very columns that streaming makes of an event: skew would begin here."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.errors import InvalidRequestError
from serving.request.request_body import RequestBody
from shared_features.definitions import (
    Aggregate,
    Boolean,
    Decimal,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    Integer,
    Text,
    Timestamp,
)
from shared_features.feature_matrix import request_floats
from shared_features.kernel.aggregations import Count
from shared_features.kernel.event_time import days
from streaming.kafka.decoders.registry import decoder_of
from tests.depth import searched

FIELDS = (
    Field("id", Integer(low=0)),
    Field("at", Timestamp()),
    Field("class", Integer(low=-5, high=5)),  # a Python keyword
    Field("whole", Decimal(decimals=0, low=-1e6, high=1e6)),
    Field("cents", Decimal(decimals=2, low=-1e6, high=1e6)),
    Field("fine", Decimal(decimals=6, low=0, high=1000), optional=True),
    Field("flag", Boolean()),
    Field("seconds", Timestamp("s")),
    Field("millis", Timestamp("ms"), optional=True),
    Field("written", Timestamp("rfc3339")),
    Field("maybe", Timestamp("rfc3339"), optional=True),
    Field("name", Text(max_length=5)),
    Field("note", Text(max_length=5), optional=True),
)
SOURCE = EventSource("all_types", "all.types", FIELDS, event_id="id", event_time="at")
GROUP = FeatureGroup("named", 1, Entity("named", ("name",)), (SOURCE,), (Aggregate(None, Count(), (days(1),)),))


def is_named(name: Any, note: Any) -> Any:
    return np.where(np.equal(name, note), 1.0, 0.0)


NUMBERS = tuple(field.name for field in FIELDS if not field.is_text)
VIEW = FeatureView("every", 1, SOURCE, (*NUMBERS, is_named, GROUP))

US = st.integers(-(2**52), 2**52)
TIMES = st.sampled_from(["2026-01-02T03:04:05.678901Z", "1969-12-31T23:59:59+01:00", "2000-02-29T00:00:00.1234567Z"])


def optional(values):
    return st.none() | values


EVENTS = st.fixed_dictionaries(
    {
        "id": st.integers(0, 2**52),
        "at": US,
        "class": st.integers(-5, 5),
        "whole": st.floats(-1e6, 1e6) | st.integers(-1000, 1000) | st.integers(-1000, 1000).map(lambda n: n + 0.5),
        "cents": st.floats(-1e6, 1e6) | st.integers(-10_000, 10_000).map(lambda n: n / 1000),
        "fine": optional(st.floats(0, 1000)),
        "flag": st.booleans(),
        "seconds": st.integers(-(2**30), 2**31),
        "millis": optional(st.integers(-(2**40), 2**41)),
        "written": TIMES,
        "maybe": optional(TIMES),
        "name": st.text(st.characters(codec="utf-8"), max_size=5),
        "note": optional(st.text(st.characters(codec="utf-8"), max_size=5)),
    }
)


@given(st.lists(EVENTS, min_size=1, max_size=5))
def test_a_request_and_an_event_of_the_same_fields_have_the_same_columns(events):
    body = RequestBody(VIEW, 5)
    request = body.columns(body.decode(json.dumps({"instances": events}).encode()).instances)
    decoded = decoder_of(SOURCE).decode([json.dumps(event).encode() for event in events])
    assert not decoded.faults
    assert set(request.columns) == set(decoded.columns)
    for name, column in decoded.columns.items():
        there = decoded.valid.get(name, np.ones(len(events), np.bool_))
        assert np.array_equal(request.valid.get(name, there), there), name
        assert request.columns[name].dtype == column.dtype
        assert request.columns[name][there].tolist() == column[there].tolist(), name


INSTANTS = st.builds(
    "{}-{}{}{}{}{}".format,
    st.sampled_from(["0001", "1827", "1969", "2016", "2112", "9999"]),
    st.sampled_from(["12-31", "01-01", "02-29", "09-17", "04-16", "13-01"]),
    st.sampled_from(["T", "t", " ", "_"]),
    st.sampled_from(["23:59:59", "23:59:60", "24:00:00", "00:00:00", "3:04:05", "23:53:47"]),
    st.sampled_from(["", ".5", ".370495", ".370496", ".1234567", ".999999999", "."]),
    st.sampled_from(["Z", "z", "", "+00:00", "-00:00", "+23:59", "-23:59", "+0200", "+24:00"]),
)
WHOLE = st.integers(-(2**70), 2**70) | st.integers(-6, 6) | US
TOKENS = st.one_of(
    WHOLE.map(str),
    WHOLE.map("{}.0".format),
    st.floats().map(json.dumps),  # NaN and Infinity among them, as many writers spell them
    st.integers(-(10**10), 10**10).map(lambda n: str(n / 2000)),  # half of a cent, half of a step
    st.integers(0, 10**4).map(lambda n: str(n / 2 * 1e-6)),
    st.sampled_from(["1000000", "1000000.001", "1000000.0000000001", "-1e6", "1e3", "1E+2", "1e400", "-1e-400"]),
    st.sampled_from(["-0", "-0.0", "-0e9", "01", "+1", "1.", ".5", "0x1", "1_0", "null", "true", "false", "nan", ""]),
    st.sampled_from(["[]", "{}", "[1]", '"1"', '"NaN"', '"Infinity"', '"true"', '"null"', '""', '"\\/"', '"\\x"']),
    st.sampled_from([r'"\u0000"', r'"\ud83d\ude00"', r'"\ud83d"', r'"\ude00"', r'"\uD83Dx"', r'"a\u006e"', '"\x01"']),
    st.text(max_size=6).map(json.dumps),
    st.text(st.characters(codec="utf-8"), max_size=6).map(lambda text: json.dumps(text, ensure_ascii=False)),
    INSTANTS.map(json.dumps),
)
"""A value as it stands in JSON, good or bad for whatever field."""


@given(st.sampled_from(FIELDS), st.none() | TOKENS)
@settings(max_examples=searched(quick=150, deep=500))
def test_a_value_gives_the_same_bits_in_an_event_and_in_a_request_or_neither_takes_it(field, token):
    """Where the two would differ, the stream is right: its data is stored."""
    tokens = {name: json.dumps(value) for name, value in REQUIRED.items() if name != field.name}
    tokens |= {} if token is None else {field.name: token}
    plain = "{" + ",".join(f'"{name}":{each}' for name, each in tokens.items()) + "}"
    decoded = decoder_of(SOURCE).decode([plain.encode()])
    body = RequestBody(VIEW, 1)
    raw = f'{{"instances":[{plain}]}}'.encode()
    if decoded.faults:
        with pytest.raises(InvalidRequestError):
            body.decode(raw)
        return
    request = body.columns(body.decode(raw).instances)
    floats = request_floats(SOURCE, request.columns, request.valid)
    for name, wanted in request_floats(SOURCE, decoded.columns, decoded.valid).items():
        assert floats[name].tobytes() == wanted.tobytes(), name
        assert request.columns[name].tolist() == decoded.columns[name].tolist(), name


REQUIRED = {
    "id": 1,
    "at": 1,
    "class": 1,
    "whole": 1,
    "cents": 1,
    "flag": True,
    "seconds": 1,
    "written": "2026-01-02T03:04:05Z",
    "name": "x",
}


def test_a_field_that_is_left_out_is_missing_like_null():
    body = RequestBody(VIEW, 1)
    nulls = {"fine": None, "millis": None, "maybe": None, "note": None}
    for each in (REQUIRED | nulls, REQUIRED):
        columns = body.columns(body.decode(json.dumps({"instances": [each]}).encode()).instances)
        assert [name for name, there in columns.valid.items() if not there[0]] == ["fine", "millis", "maybe", "note"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seconds", 2**33),
        ("millis", -(2**45)),
        ("at", 2**53),
        ("written", "2300-01-01T00:00:00Z"),
        ("maybe", "1800-01-01T00:00:00Z"),
    ],
)
def test_an_instant_beyond_what_events_may_have_is_refused(name, value):
    """Streaming makes a dead letter of it: a request must not see what no event can."""
    RequestBody(VIEW, 1).decode(json.dumps({"instances": [REQUIRED]}).encode())
    with pytest.raises(InvalidRequestError) as caught:
        RequestBody(VIEW, 1).decode(json.dumps({"instances": [REQUIRED | {name: value}]}).encode())
    assert caught.value.extra["path"] == f"$.instances[0].{name}"
