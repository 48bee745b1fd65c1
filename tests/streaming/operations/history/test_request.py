"""Requests for history: read as the endpoint reads them, and refused with the place of the fault."""

import json

import numpy as np
import pytest

from shared_features.kernel.event_time import SECOND_US
from streaming.errors import RefusedError
from streaming.operations.history.request import read_request
from tests.domains.machines import BREAKDOWN
from tests.streaming.operations.stored_world import START_US

INSTANCE = {"plant": "north", "machine": "m1", "celsius": 55.5}


def test_one_instance_several_and_a_whole_request_mean_the_same() -> None:
    for text in (
        json.dumps(INSTANCE),
        json.dumps([INSTANCE]),
        json.dumps({"instances": [INSTANCE], "as_of": START_US, "include_features": True}),
        json.dumps({"instances": [INSTANCE], "as_of": "2026-01-01T00:00:00Z"}),
    ):
        found = read_request(BREAKDOWN, text, None if "as_of" in text else START_US)
        assert found.columns["machine"].tolist() == ["m1"]
        assert found.columns["celsius"].tolist() == [555]
        assert found.as_of_us.tolist() == [START_US]


def test_a_number_is_rounded_from_its_text_as_the_stream_does() -> None:
    text = '{"plant": "north", "machine": "m1", "celsius": 0.25000000000000000001}'
    assert read_request(BREAKDOWN, text, START_US).columns["celsius"].tolist() == [3]


def test_an_instance_that_names_its_event_is_read_as_of_that_event() -> None:
    at = BREAKDOWN.source.event_time
    both = json.dumps([INSTANCE | {at: "2026-01-01T00:00:00Z"}, INSTANCE | {at: "2026-01-01T00:00:09Z"}])
    assert read_request(BREAKDOWN, both, None).as_of_us.tolist() == [START_US, START_US + 9 * SECOND_US]
    later_us = START_US + 5 * SECOND_US
    assert read_request(BREAKDOWN, both, later_us).as_of_us.tolist() == [START_US, later_us]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The JSON is not a request"),
        ("[]", "The list of instances is empty"),
        ("[1]", "The JSON is not a request"),
        ("@/no/such/file", "The JSON cannot be read from @/no/such/file"),
        (json.dumps(INSTANCE | {"celsius": 5000}), "$.instances[0].celsius: out of bounds"),
        (json.dumps([INSTANCE, INSTANCE | {"celsius": "hot"}]), "Wrong value at $.instances[1].celsius: Expected"),
        (
            json.dumps(INSTANCE | {"celsius": "55.5"}),
            "Wrong value at $.instances[0].celsius: Expected `float`, got `str`",
        ),
        (json.dumps({"plant": "north", "celsius": 5}), "Missing field machine at $.instances[0].machine"),
        (json.dumps(INSTANCE | {"celsiuss": 5}), "Unknown field celsiuss at $.instances[0]. Did you mean 'celsius'?"),
        (
            json.dumps(INSTANCE | {"reading": "r-1"}),
            "It is a field of the events, and no feature of this view reads it.",
        ),
        (json.dumps({"instances": [INSTANCE], "as_of": START_US // 1000}), "in milliseconds it is 2026-01-01"),
        (json.dumps({"instances": [INSTANCE], "as_of": "yesterday"}), "'yesterday' is not an RFC 3339 time"),
        (json.dumps(INSTANCE), "Instance 0 has no instant. Give --as-of TIME"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read_request(BREAKDOWN, text, None)
    assert words in str(refused.value)


def test_an_optional_field_may_be_missing_or_null() -> None:
    for text in (INSTANCE, INSTANCE | {"celsius": 55.5}):
        found = read_request(BREAKDOWN, json.dumps(text), START_US)
        assert set(found.columns) == {field.name for field in BREAKDOWN.request_fields}
    optional = [field.name for field in BREAKDOWN.request_fields if field.optional]
    for name in optional:
        assert not read_request(BREAKDOWN, json.dumps(INSTANCE | {name: None}), START_US).valid[name][0]
    assert np.issubdtype(found.as_of_us.dtype, np.int64)
