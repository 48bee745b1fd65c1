"""A message becomes the request that JSON would have been, and what cannot be meant is refused by name."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from serving.endpoints.inference.infer_request import InferRequest, read_infer_request
from serving.endpoints.inference.over_grpc.infer_messages import read_infer_message, write_infer_message
from serving.endpoints.inference.over_grpc.messages import MESSAGES
from serving.errors import InvalidRequestError, TooManyInstancesError
from tests.serving.endpoints.inference.test_infer_answer import OF_TASK

NAMES = ("machine", "celsius", "hot", "turns")
COLUMNS: tuple[tuple[str, str, str, list[Any]], ...] = (
    ("machine", "BYTES", "bytes_contents", ["a", "näver"]),
    ("celsius", "FP32", "fp32_contents", [71.35, -0.5]),
    ("hot", "BOOL", "bool_contents", [True, False]),
    ("turns", "INT32", "int_contents", [-1, 2]),
)


def message(*columns: tuple[str, str, str, list[Any]], shape: list[int] | None = None, **members: Any) -> Any:
    found = MESSAGES["ModelInferRequest"](model_name="v", **members)
    for name, datatype, member, values in columns:
        tensor = found.inputs.add(name=name, datatype=datatype, shape=shape or [len(values)])
        given = [each.encode() if isinstance(each, str) else each for each in values]
        getattr(tensor.contents, member).extend(given)
    return found


def read(found: Any, most_rows: int = 10) -> InferRequest:
    return read_infer_message(MESSAGES["ModelInferRequest"].FromString(found.SerializeToString()), NAMES, most_rows)


def refused(found: Any, kind: type[Exception] = InvalidRequestError) -> str:
    with pytest.raises(kind) as error:
        read(found)
    return str(error.value)


def test_values_and_bytes_become_the_body_that_json_becomes() -> None:
    inputs = [{"name": n, "datatype": d, "shape": [2], "data": values} for n, d, _, values in COLUMNS]
    plain = read_infer_request(json.dumps({"inputs": inputs, "parameters": {"as_of": 5}}).encode(), None, NAMES, 10)
    typed = message(*COLUMNS, id="x")
    typed.parameters["as_of"].int64_param = 5
    typed.parameters["priority"].uint64_param = 7
    assert read(typed).body == plain.body
    assert read(typed).id == "x"
    binary = message(*((name, datatype, "bytes_contents", []) for name, datatype, _, _ in COLUMNS), shape=[2, 1])
    binary.parameters["as_of"].int64_param = 5
    texts = b"".join(struct.pack("<I", len(each.encode())) + each.encode() for each in COLUMNS[0][3])
    binary.raw_input_contents.extend([texts, struct.pack("<2f", 71.35, -0.5), b"\1\0", struct.pack("<2i", -1, 2)])
    assert read(binary).body == plain.body


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("task", OF_TASK)
def test_an_answer_comes_as_the_request_came(task: str, raw: bool) -> None:
    """A client that sends values without raw_input_contents, such as grpcurl, reads no raw_output_contents."""
    predictions: Any = OF_TASK[task]
    said = {"view": "v:v1", "model": {"name": "m", "version": 3}, "as_of_us": 5, "predictions": predictions,
            "degraded": False, "receipt": {"digest": ""}}  # fmt: skip
    told = write_infer_message("v", InferRequest("x", b"", {}, False), json.dumps(said).encode(), raw=raw)
    assert (told.model_name, told.model_version, told.id) == ("v", "3", "x")
    assert told.parameters["as_of_us"].int64_param == 5
    assert told.parameters["degraded"].WhichOneof("parameter_choice") == "bool_param"
    assert told.parameters["receipt"].string_param == '{"digest": ""}'
    assert len(told.raw_output_contents) == (len(told.outputs) if raw else 0)
    for tensor in told.outputs:
        assert tensor.HasField("contents") is not raw
        assert tensor.shape[0] == len(predictions)
    first = told.outputs[0]
    if not raw:
        (values,) = (list(each) for _, each in first.contents.ListFields())
        wanted = [each[first.name] for each in predictions]
        assert values == [each.encode() if isinstance(each, str) else each for each in wanted]


def test_what_cannot_be_meant_is_refused_by_name() -> None:
    assert refused(message(("celsius", "FP64", "int_contents", [1]))) == (
        "Input celsius of datatype FP64 has its values in int_contents. Send them in fp64_contents."
    )
    assert "as bytes, in raw_input_contents" in refused(message(("celsius", "FP16", "fp32_contents", [1.0])))
    assert "not UTF-8" in refused(message(("machine", "BYTES", "bytes_contents", [b"\xff"])))
    assert "0 values in `data`" in refused(message(("celsius", "FP64", "fp64_contents", []), shape=[1]))
    assert "$.inputs[0].datatype" in refused(message(("celsius", "FP65", "fp64_contents", [])))
    assert "$.inputs" in refused(message())
    assert "neither a number nor a text" in refused(with_as_of("double_param", 1.5))
    assert "$.inputs[0].shape" in refused(message(("celsius", "FP64", "fp64_contents", [1.0]), shape=[1] * 9))
    assert "at most 10" in refused(message(("celsius", "FP64", "fp64_contents", [1.0] * 11)), TooManyInstancesError)
    assert "at most 10" in refused(message(("hot", "BOOL", "bool_contents", []), shape=[11]), TooManyInstancesError)
    unknown = message(COLUMNS[0])
    unknown.outputs.add(name="scores")
    assert "Output scores is unknown" in refused(unknown)


def with_as_of(kind: str, value: Any) -> Any:
    found = message(COLUMNS[0])
    setattr(found.parameters["as_of"], kind, value)
    return found


def test_bytes_that_do_not_belong_to_the_inputs_are_refused() -> None:
    def binary(*raw: bytes) -> Any:
        found = message(("celsius", "FP64", "fp64_contents", []), ("hot", "BOOL", "bool_contents", []), shape=[1])
        found.raw_input_contents.extend(raw)
        return found

    assert read(binary(b"\0" * 8, b"\1")).body == b'{"instances":[{"celsius":0.0,"hot":true}]}'
    assert "2 inputs, and 1 raw_input_contents" in refused(binary(b"\0" * 8))
    assert "7 bytes, and 1 values of FP64 take 8" in refused(binary(b"\0" * 7, b"\1\1"))
    assert "neither 0 nor 1" in refused(binary(b"\0" * 8, b"\7"))
    both = binary(b"\0" * 8, b"\1")
    both.inputs[1].contents.bool_contents.append(True)
    assert "in one of the two" in refused(both)


def test_nothing_is_made_of_more_inputs_or_outputs_than_there_are_names() -> None:
    """A message of 4 MB holds two million of them."""
    assert "5 inputs, and the view 4 fields" in refused(message(*[COLUMNS[0]] * 5))
    outputs = message(COLUMNS[0])
    for _ in range(6):
        outputs.outputs.add(name="score")
    assert "wants 6 outputs" in refused(outputs)
