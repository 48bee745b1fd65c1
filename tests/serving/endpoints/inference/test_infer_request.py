"""An inference request becomes the body that a client of `:predict` would have written."""

import json
import struct

import pytest

from serving.endpoints.inference.infer_request import read_infer_request
from serving.errors import InvalidRequestError, TooManyInstancesError

NAMES = ("machine", "celsius", "hot")


def asked(inputs, tail=b"", most=10, **more):
    head = json.dumps({"inputs": inputs, **more}).encode()
    return read_infer_request(head + tail, len(head) if tail else None, NAMES, most)


def given(name, datatype, data, **more):
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data, **more}


def test_columns_become_instances_and_what_is_missing_is_left_out():
    found = asked(
        [given("machine", "BYTES", ["a", 'b"']), given("celsius", "FP64", [71.35, None]),
         given("hot", "BOOL", [True, False])],
        parameters={"as_of": 5, "sequence_id": 7},
        id="x",
    )  # fmt: skip
    assert (
        found.body
        == b'{"instances":[{"machine":"a","celsius":71.35,"hot":true},{"machine":"b\\"","hot":false}],"as_of":5}'
    )
    assert (found.id, found.outputs, found.binary) == ("x", {}, False)


def test_bytes_and_json_give_the_same_body():
    machine = {"name": "machine", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 5}}
    celsius = {"name": "celsius", "datatype": "FP32", "shape": [1, 1], "parameters": {"binary_data_size": 4}}
    tail = b"\1\0\0\0a" + struct.pack("<f", 71.35)
    plain = asked([given("machine", "BYTES", ["a"]), given("celsius", "FP32", [71.35])])
    assert asked([machine, celsius], tail).body == plain.body == b'{"instances":[{"machine":"a","celsius":71.35}]}'


def test_outputs_are_wanted_as_bytes_one_by_one_or_all():
    inputs = [given("machine", "BYTES", ["a"])]
    wanted = [{"name": "score", "parameters": {"binary_data": False}}, {"name": "decision"}]
    found = asked(inputs, outputs=wanted, parameters={"binary_data_output": True})
    assert (found.outputs, found.binary) == ({"score": False, "decision": True}, True)


def test_nothing_is_made_of_names_that_are_unknown_or_of_too_many_rows():
    """A name of a megabyte times a million rows would be a terabyte."""
    with pytest.raises(InvalidRequestError, match="is not a field of the view"):
        asked([given("x" * 100_000, "BYTES", ["a"])])
    with pytest.raises(TooManyInstancesError, match="The request has 11 instances"):
        asked([given("machine", "BYTES", ["a"] * 11)])
    with pytest.raises(InvalidRequestError, match="comes twice") as twice:
        asked([given("machine", "BYTES", ["a"]), given("machine", "BYTES", ["b"])])
    assert twice.value.extra["path"] == "$.inputs[1].name"
