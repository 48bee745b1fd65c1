"""A request for inference as its message, and the answer to it: the same request and the same answer as over REST."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from serving.endpoints.inference.infer_answer import OUTPUTS, check_outputs, infer_answer
from serving.endpoints.inference.infer_request import (
    AS_OF,
    SIZE,
    InferBody,
    InferRequest,
    infer_request,
    unreadable,
)
from serving.endpoints.inference.over_grpc.messages import CHOICE, MESSAGES
from serving.endpoints.inference.tensors import BYTES, encode_tensor
from serving.errors import InvalidRequestError, TooManyInstancesError
from serving.request.body_faults import shortened

_CONTENTS: Mapping[str, str] = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}
"""Datatype -> the member that its values stand in. FP16 has none."""
_ADVICE = "Ask ModelMetadata for the inputs."


def read_infer_message(message: Any, names: Collection[str], most_rows: int) -> InferRequest:
    """message: ModelInferRequest. Outputs are wanted as bytes where the inputs came as bytes. Otherwise as over REST.

    Raises InvalidRequestError, TooManyInstancesError.
    """
    _check_numbers(message, names)
    raw = message.raw_input_contents
    given: dict[str, Any] = {
        "id": message.id,
        "inputs": [
            {
                "name": each.name,
                "datatype": each.datatype,
                "shape": list(each.shape),
                **({"data": _values(place, each, most_rows)} if not raw else {"parameters": {SIZE: len(raw[place])}}),
            }
            for place, each in enumerate(message.inputs)
        ],
        "outputs": [{"name": each.name} for each in message.outputs],
        "parameters": _parameters(message),
    }
    try:
        body = msgspec.convert(given, InferBody)
    except msgspec.ValidationError as error:
        raise unreadable(error, _ADVICE) from error
    asked = infer_request(body, b"".join(raw), names, most_rows)
    check_outputs(asked)
    return asked


def write_infer_message(name: str, asked: InferRequest, answer: bytes, *, raw: bool) -> Any:
    """ModelInferResponse. name: as the request called the model. raw: whether its inputs came as bytes."""
    said = infer_answer(asked, answer)
    told = MESSAGES["ModelInferResponse"](model_name=name, model_version=said.version, id=asked.id)
    for key, value in said.parameters.items():
        kind = "bool_param" if isinstance(value, bool) else "int64_param" if isinstance(value, int) else "string_param"
        setattr(told.parameters[key], kind, value)
    for output in said.outputs:
        tensor = told.outputs.add(name=output.name, datatype=output.datatype, shape=output.shape)
        if raw:
            told.raw_output_contents.append(encode_tensor(output.datatype, output.values))
        else:
            values = [each.encode() for each in output.values] if output.datatype == BYTES else output.values
            getattr(tensor.contents, _CONTENTS[output.datatype]).extend(values)
    return told


def _check_numbers(message: Any, names: Collection[str]) -> None:
    """Before any of them is looked at: a message holds an empty input in two bytes."""
    inputs, outputs, raw = len(message.inputs), len(message.outputs), len(message.raw_input_contents)
    if inputs > len(names):
        raise _fault("$.inputs", f"The request has {inputs} inputs, and the view {len(names)} fields. Send each once.")
    if outputs > len(OUTPUTS):
        raise _fault(
            "$.outputs", f"The request wants {outputs} outputs. Ask for each once, or for none, which gives all."
        )
    if raw and raw != inputs:
        raise _fault(
            "$.raw_input_contents",
            f"The request has {inputs} inputs, and {raw} raw_input_contents. Send all inputs as bytes there, in their "
            "order, or none.",
        )
    if raw and any(each.contents.ListFields() for each in message.inputs):
        raise _fault(
            "$.inputs", "An input has contents, and the request raw_input_contents. Send all inputs in one of the two."
        )


def _values(place: int, tensor: Any, most_rows: int) -> list[Any]:
    """Those of an input that did not come as bytes."""
    path, name, datatype = f"$.inputs[{place}].contents", shortened(tensor.name), shortened(tensor.datatype)
    found = tensor.contents.ListFields()
    if not found:
        return []
    wanted, (field, values) = _CONTENTS.get(tensor.datatype), found[0]
    if len(found) > 1 or field.name != wanted:
        where = f"in {wanted}" if wanted else "as bytes, in raw_input_contents"
        raise _fault(
            path,
            f"Input {name} of datatype {datatype} has its values in {', '.join(each.name for each, _ in found)}. Send "
            f"them {where}.",
        )
    if len(values) > most_rows:
        raise TooManyInstancesError(
            f"Input {name} has {len(values)} values. Send at most {most_rows} instances in one request.",
            limit=most_rows,
        )
    try:
        return [each.decode() for each in values] if datatype == BYTES else list(values)
    except UnicodeDecodeError as error:
        raise _fault(path, f"Input {name} has a text that is not UTF-8: {error}. Send UTF-8.") from error


def _parameters(message: Any) -> dict[str, Any]:
    if AS_OF not in message.parameters:
        return {}
    chosen = message.parameters[AS_OF].WhichOneof(CHOICE)
    return {AS_OF: chosen and getattr(message.parameters[AS_OF], chosen)}


def _fault(path: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError(detail, path=path)
