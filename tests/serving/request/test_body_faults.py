"""What a client is told about its body, and that no body costs more than its length to refuse."""

import json
import time

import pytest

from serving.errors import InvalidRequestError
from serving.request.body_faults import shortened
from serving.request.request_body import RequestBody
from tests.domains import machines
from tests.serving.asking import ask, problem, without
from tests.serving.conftest import INSTANCE

BODY = RequestBody(machines.BREAKDOWN, 256)
LONG = 1_000_000  # characters: with a cost that grows with the square these would take hours
NAMES = {
    "backticks": "`" * LONG,
    "places": " - at `" * (LONG // 7) + "\n",  # 28 kB of these took 6 s
    "places of a field": " - at `$.instances[0]" * (LONG // 21),
    "letters": "a" * LONG,  # 4 MB of these took 4 s to compare with the names of fields
    "dots": "$" + ".a" * (LONG // 2) + "-",
}


def refusal(body):
    with pytest.raises(InvalidRequestError) as refused:
        BODY.decode(json.dumps(body).encode())
    return refused.value


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("inside", [True, False])
def test_a_long_name_costs_no_more_than_its_length_and_is_not_repeated(name, inside):
    began = time.thread_time()
    error = refusal({"instances": [INSTANCE | {name: 1}]} if inside else {"instances": [INSTANCE], name: 1})
    assert time.thread_time() - began < 1.0
    assert len(error.detail) < 500
    assert len(error.extra["path"]) < 100


@pytest.mark.parametrize("name", ["card-number", "`", "kärt", "a b", "", " - at `$", "$.x`"])
def test_an_unknown_field_is_named_whatever_its_characters_are(name):
    """Only names of letters and digits were: of others the answer said "Wrong value at $"."""
    error = refusal({"instances": [INSTANCE | {name: 1}]})
    assert error.detail.startswith(f"Unknown field {name} at $.instances[0].{name}.")


def test_a_text_is_repeated_up_to_60_characters():
    assert shortened("a" * 60) == "a" * 60
    assert shortened("a" * 61) == "a" * 57 + "..."


@pytest.mark.parametrize(
    ("instance", "path", "says"),
    [
        (
            without("celsius"),
            "$.instances[0].celsius",
            "Missing field celsius at $.instances[0].celsius. Write a number from -80 to 500",
        ),
        (INSTANCE | {"celsius": "71"}, "$.instances[0].celsius", 'Found "71", expected a number from -80 to 500'),
        (INSTANCE | {"celsius": None}, "$.instances[0].celsius", "Found null, expected a number"),
        (INSTANCE | {"celsius": 500.1}, "$.instances[0].celsius", "Found 500.1, expected a number from -80 to 500"),
        (INSTANCE | {"celsius": -80.1}, "$.instances[0].celsius", "Found -80.1, expected a number from -80 to 500"),
        (INSTANCE | {"plant": 7}, "$.instances[0].plant", "Found 7, expected a text of at most 20 characters"),
        (INSTANCE | {"plant": "x" * 21}, "$.instances[0].plant", "expected a text of at most 20 characters"),
        (
            INSTANCE | {"humidity": 1.5},
            "$.instances[0].humidity",
            "Found 1.5, expected a number from 0 to 1, rounded to 3 decimals (half to even), or null",
        ),
        (
            INSTANCE | {"celcius": 1.0},
            "$.instances[0].celcius",
            "Unknown field celcius at $.instances[0].celcius. Did you mean celsius?",
        ),
        (
            7,
            "$.instances[0]",
            "Found 7, expected an object with the fields plant, machine, celsius, humidity, firmware",
        ),
    ],
)
def test_a_wrong_field_is_422_with_its_path(serving, instance, path, says):
    members = problem(ask(serving, {"instances": [instance]}), "invalid-request")
    assert members["path"] == path
    assert says in members["detail"]


def test_the_fault_of_a_later_instance_is_found_there(serving):
    members = problem(ask(serving, {"instances": [INSTANCE, without("plant")]}), "invalid-request")
    assert members["path"] == "$.instances[1].plant"
    assert members["fields"] == ["plant", "machine", "celsius", "humidity", "firmware", "at"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "$.instances"),
        ({"instances": []}, "$.instances"),
        ({"instances": [INSTANCE], "as_of": "yesterday"}, "$.as_of"),
        ({"instances": [INSTANCE], "as_of": "2026-01-01T00:00:00"}, "$.as_of"),
        ({"instances": [INSTANCE], "as_of": 1.5}, "$.as_of"),
        ({"instances": [INSTANCE], "as_of": 2**60}, "$.as_of"),
        ({"instances": [INSTANCE], "include_features": 1}, "$.include_features"),
        ({"instances": [INSTANCE], "explain": "yes"}, "$.explain"),
        ({"instances": [INSTANCE], "asof": 1}, "$.asof"),
        ([], "$"),
    ],
)
def test_a_wrong_request_is_422_with_its_path(serving, body, path):
    assert problem(ask(serving, body), "invalid-request")["path"] == path


@pytest.mark.parametrize(
    ("as_of", "says"),
    [
        (1_750_000_000, "In seconds it is 2025-06-15T15:06:40Z."),
        (1_750_000_000_000, "In milliseconds it is 2025-06-15T15:06:40Z."),
        (1_750_000_000_000_000_000, "In nanoseconds it is 2025-06-15T15:06:40Z."),
    ],
)
def test_an_as_of_in_another_unit_is_422_and_the_answer_says_which(serving, as_of, says):
    """Taken as microseconds it was January 1970: 200, with the score of an entity without history."""
    members = problem(ask(serving, {"instances": [INSTANCE], "as_of": as_of}), "invalid-request")
    assert members["path"] == "$.as_of"
    assert f"Found {as_of}, expected a whole number of microseconds since 1970-01-01 UTC" in members["detail"]
    assert says in members["detail"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"instances":[{"celsius":NaN}]}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_422(serving, content):
    assert problem(ask(serving, content=content), "invalid-request")["path"].startswith("$")


def test_a_field_of_the_events_that_no_feature_reads_is_not_called_unknown():
    error = refusal({"instances": [INSTANCE | {"reading": "r-1"}]})
    assert error.detail.startswith(
        "Field reading at $.instances[0].reading is a field of the events, and no feature of this view reads it. "
    )
    assert "Did you mean" not in error.detail
    assert error.extra["path"] == "$.instances[0].reading"
