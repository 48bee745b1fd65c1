"""A request's fields become the very columns that streaming makes of an event: skew would begin here."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import InvalidRequestError
from serving.request_body import RequestBody
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
from shared_features.kernel.aggregations import Count
from shared_features.kernel.event_time import days
from streaming.kafka.event_decoder import EventDecoder

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
VIEW = FeatureView("every", 1, SOURCE, (*(field.name for field in FIELDS), GROUP))

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
    decoded = EventDecoder(SOURCE).decode([json.dumps(event).encode() for event in events])
    assert not decoded.faults
    assert set(request.columns) == set(decoded.columns)
    for name, column in decoded.columns.items():
        there = decoded.valid.get(name, np.ones(len(events), np.bool_))
        assert np.array_equal(request.valid.get(name, there), there), name
        assert request.columns[name].dtype == column.dtype
        assert request.columns[name][there].tolist() == column[there].tolist(), name


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
