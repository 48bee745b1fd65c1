"""What a client is told about its body, and that no body costs more than its length to refuse."""

import json
import time

import pytest

from serving.body_faults import shortened
from serving.errors import InvalidRequestError
from serving.request_body import RequestBody
from tests.domains import machines
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
    began = time.process_time()
    error = refusal({"instances": [INSTANCE | {name: 1}]} if inside else {"instances": [INSTANCE], name: 1})
    assert time.process_time() - began < 1.0
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
