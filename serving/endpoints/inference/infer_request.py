"""An inference request: named tensors, one per field of the request, become the body of a prediction request.

    {"id": "...", "inputs": [{"name": "<field>", "datatype": "INT64", "shape": [n], "data": [...]}, ...],
     "outputs": [{"name": "score", "parameters": {"binary_data": true}}], "parameters": {"as_of": <instant>}}

With the header `Inference-Header-Content-Length` the JSON ends there, and the tensors with `binary_data_size` follow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from serving.endpoints.inference.tensors import DATATYPES, decode_tensor, json_texts
from serving.errors import InvalidRequestError, TooManyInstancesError
from serving.request.body_faults import shortened

SIZE, _BINARY, _ALL_BINARY = "binary_data_size", "binary_data", "binary_data_output"
AS_OF = "as_of"

Datatype: Any = Literal[DATATYPES]
Size = Annotated[int, Meta(ge=0, le=1 << 40)]


class InferInput(msgspec.Struct):
    """One field of all instances."""

    name: Annotated[str, Meta(description="A field of an instance.")]
    datatype: Annotated[Datatype, Meta(description="The type of the values, by the protocol's names.")]
    shape: Annotated[
        list[Size], Meta(min_length=1, max_length=8, description="The number of instances; ones may follow.")
    ]
    data: Annotated[
        list[Any] | UnsetType,
        Meta(
            description="The values, one per instance; null where one is missing. Left out where they follow as bytes.",
            extra_json_schema={"items": {}},
        ),
    ] = UNSET
    parameters: Annotated[
        dict[str, Any], Meta(description="`binary_data_size`: the length of the values that follow as bytes.")
    ] = {}


class InferOutput(msgspec.Struct):
    """An output that is wanted."""

    name: Annotated[str, Meta(description="A member of a prediction.")]
    parameters: Annotated[
        dict[str, Any], Meta(description="`binary_data`: true for values as bytes, after the JSON.")
    ] = {}


class InferBody(msgspec.Struct):
    """The JSON part of a request."""

    inputs: Annotated[list[InferInput], Meta(min_length=1, description="The fields of all instances.")]
    id: Annotated[str, Meta(description="Comes with the answer.")] = ""
    outputs: Annotated[list[InferOutput], Meta(description="The outputs that are wanted. Left out or empty: all.")] = []
    parameters: Annotated[
        dict[str, Any],
        Meta(
            description="`as_of`: the instant of the request, as in a request for predictions. `binary_data_output`: "
            "true for all outputs as bytes."
        ),
    ] = {}


_decode = msgspec.json.Decoder(InferBody).decode


@dataclass(frozen=True, slots=True)
class InferRequest:
    """body: of the prediction request. outputs: name -> whether it is wanted as bytes; empty: all, as `binary` says."""

    id: str
    body: bytes
    outputs: Mapping[str, bool]
    binary: bool


def read_infer_request(raw: bytes, json_bytes: int | None, names: Collection[str], most_rows: int) -> InferRequest:
    """json_bytes: the header Inference-Header-Content-Length. names: of the fields of an instance.

    Raises InvalidRequestError with the path of the fault, TooManyInstancesError.
    """
    if json_bytes is not None and not 0 <= json_bytes <= len(raw):
        raise _fault(
            "$",
            f"Inference-Header-Content-Length is {json_bytes}, and the body has {len(raw)} bytes. Send the length of "
            "the JSON before the tensors.",
        )
    head, tail = (raw, b"") if json_bytes is None else (raw[:json_bytes], raw[json_bytes:])
    try:
        body = _decode(head)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error, _WRITE) from error
    return infer_request(body, tail, names, most_rows)


_WRITE = 'Write {"inputs": [{"name": ..., "datatype": ..., "shape": [n], "data": [...]}]}.'


def infer_request(body: InferBody, tail: bytes, names: Collection[str], most_rows: int) -> InferRequest:
    """tail: the values of the inputs that have `binary_data_size`, one after the other. Otherwise as above."""
    _check(body, names, most_rows)
    columns = _columns(body.inputs, tail)
    binary = body.parameters.get(_ALL_BINARY) is True
    outputs = {each.name: each.parameters.get(_BINARY, binary) is True for each in body.outputs}
    return InferRequest(body.id, _body(columns, body.parameters), outputs, binary)


def unreadable(error: Exception, advice: str) -> InvalidRequestError:
    """The refusal of what has not the form of a request. error: of msgspec."""
    path = str(error).rpartition(" - at `")[2].rstrip("`") if " - at `" in str(error) else "$"
    return _fault(path, f"The body is not an inference request: {shortened(str(error))}. {advice}")


def _check(body: InferBody, names: Collection[str], most_rows: int) -> None:
    """Before any value is read: what costs nothing to send must cost nothing to take."""
    rows = body.inputs[0].shape[0]
    if rows > most_rows:
        raise TooManyInstancesError(
            f"The request has {rows} instances. Send at most {most_rows} in one request.", limit=most_rows
        )
    seen = set[str]()
    for place, each in enumerate(body.inputs):
        path, name = f"$.inputs[{place}]", shortened(each.name)
        if each.name not in names:
            known = ", ".join(names)
            raise _fault(f"{path}.name", f"Input {name} is not a field of the view. Send {known}.", fields=list(names))
        if each.name in seen:
            raise _fault(f"{path}.name", f"Input {name} comes twice. Send each field once.")
        seen.add(each.name)
        if each.shape[0] != rows or any(size != 1 for size in each.shape[1:]):
            raise _fault(
                f"{path}.shape",
                f"Input {name} has the shape {each.shape}, and the first input has {rows} rows. Send one value per "
                f"instance: [{rows}], or [{rows}, 1].",
            )
    if not isinstance(body.parameters.get(AS_OF, 0), int | str):
        raise _fault(f"$.parameters.{AS_OF}", "The instant of the request is neither a number nor a text. Send one.")


def _columns(inputs: Sequence[InferInput], tail: bytes) -> dict[str, list[bytes]]:
    """Name -> the JSON of each value."""
    columns: dict[str, list[bytes]] = {}
    begin, rows = 0, inputs[0].shape[0]
    for place, each in enumerate(inputs):
        path, name = f"$.inputs[{place}]", shortened(each.name)
        size = each.parameters.get(SIZE)
        try:
            if size is None:
                values = _given(each, rows)
            elif isinstance(size, int) and 0 <= size <= len(tail) - begin:
                values = decode_tensor(each.datatype, tail[begin : begin + size], rows)
                begin += size
            else:
                raise ValueError(f"{SIZE} {shortened(str(size))}, and {len(tail) - begin} bytes are left")
            columns[each.name] = json_texts(each.datatype, values)
        except (ValueError, OverflowError) as error:  # of no UTF-8 too
            detail = f"Input {name} cannot be read: it has {error}. Send {rows} values of {each.datatype}."
            raise _fault(path, detail) from error
    if begin != len(tail):
        left = len(tail) - begin
        raise _fault("$", f"{left} bytes follow the last tensor. Say {SIZE} of each tensor that is sent as bytes.")
    return columns


def _given(each: InferInput, rows: int) -> list[Any]:
    values = [] if each.data is UNSET else each.data
    while values and isinstance(values[0], list):  # data may be nested as the shape is
        values = [value for row in values for value in (row if isinstance(row, list) else [row])]
    if len(values) != rows:
        raise ValueError(f"{len(values)} values in `data`")
    return values


def _body(columns: Mapping[str, Sequence[bytes]], parameters: Mapping[str, Any]) -> bytes:
    names = [msgspec.json.encode(name) + b":" for name in columns]
    instances = (
        b"{" + b",".join(name + value for name, value in zip(names, row, strict=True) if value != b"null") + b"}"
        for row in zip(*columns.values(), strict=True)
    )
    as_of = b',"as_of":' + msgspec.json.encode(parameters[AS_OF]) if AS_OF in parameters else b""
    return b'{"instances":[' + b",".join(instances) + b"]" + as_of + b"}"


def _fault(path: str, detail: str, **extra: Any) -> InvalidRequestError:
    return InvalidRequestError(detail, path=path, **extra)
