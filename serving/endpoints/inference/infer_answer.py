"""The answer to an inference request: the numbers of the prediction's own answer, as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from serving.endpoints.inference.infer_request import InferRequest
from serving.endpoints.inference.tensors import BOOL, BYTES, encode_tensor
from serving.errors import InvalidRequestError
from serving.models.model import Model
from serving.request.body_faults import shortened

_encode = msgspec.json.Encoder().encode
Headers = list[tuple[bytes, bytes]]


class ToldOutput(msgspec.Struct):
    """One output of all instances, as a tensor."""

    name: Annotated[str, Meta(description="The member of a prediction that the values are.")]
    datatype: Annotated[str, Meta(description="The type of the values, by the protocol's names.")]
    shape: Annotated[list[int], Meta(description="The number of instances, and of probabilities that of the classes.")]
    data: Annotated[
        list[Any] | UnsetType,
        Meta(description="The values. Left out where they follow as bytes.", extra_json_schema={"items": {}}),
    ] = UNSET
    parameters: Annotated[
        dict[str, int] | UnsetType, Meta(description="`binary_data_size`, where the values follow as bytes.")
    ] = UNSET


class ToldAnswer(msgspec.Struct):
    """The answer to an inference request."""

    model_name: Annotated[str, Meta(description="The model, as the request called it.")]
    model_version: Annotated[str, Meta(description="The version of the model that answered.")]
    parameters: Annotated[
        Mapping[str, str | int | bool],
        Meta(
            description="`view`, `as_of_us`, `degraded` and `receipt` as in a prediction's answer, the receipt as a "
            "text of JSON; with a prediction log `prediction_id`; of several classes `classes`, a text of JSON."
        ),
    ]
    outputs: Annotated[list[ToldOutput], Meta(description="The outputs: those that were asked for, or all.")]
    id: Annotated[str | UnsetType, Meta(description="As the request has it.")] = UNSET


class _Prediction(msgspec.Struct):
    score: float | UnsetType = UNSET
    decision: bool | UnsetType = UNSET
    value: float | UnsetType = UNSET
    class_: str | int | UnsetType = msgspec.field(default=UNSET, name="class")
    probabilities: dict[str, float] | UnsetType = UNSET


class _Model(msgspec.Struct):
    version: int


class _Answer(msgspec.Struct):
    view: str
    model: _Model
    as_of_us: int
    predictions: list[_Prediction]
    degraded: bool
    receipt: msgspec.Raw
    prediction_id: str | UnsetType = UNSET


_decode = msgspec.json.Decoder(_Answer).decode
_MEMBERS = (
    ("score", "score", "FP64"),
    ("value", "value", "FP64"),
    ("class", "class_", BYTES),
    ("decision", "decision", BOOL),
)
OUTPUTS = frozenset(("probabilities", *(name for name, _, _ in _MEMBERS)))
"""All that a model may have."""


def outputs_of(model: Model) -> dict[str, tuple[str, list[int]]]:
    """Name -> datatype, and shape with -1 for the instances: the members of a prediction that the model has."""
    found: dict[str, tuple[str, list[int]]] = {
        "binary": {"score": ("FP64", [-1])},
        "regression": {"value": ("FP64", [-1])},
        "multiclass": {
            "class": ("INT64" if all(isinstance(each, int) for each in model.classes) else BYTES, [-1]),
            "probabilities": ("FP64", [-1, len(model.classes)]),
        },
    }[model.task]
    return found if model.threshold is None else found | {"decision": (BOOL, [-1])}


@dataclass(frozen=True, slots=True)
class Output:
    """values: of all instances, in the order of the shape."""

    name: str
    datatype: str
    shape: list[int]
    values: list[Any]


@dataclass(frozen=True, slots=True)
class InferAnswer:
    """What an answer in the protocol's words says. version: of the model."""

    version: str
    parameters: Mapping[str, Any]
    outputs: list[Output]


def check_outputs(asked: InferRequest) -> None:
    """Raises InvalidRequestError where an output is wanted that no model has."""
    if unknown := [name for name in asked.outputs if name not in OUTPUTS]:
        raise InvalidRequestError(
            f"Output {shortened(unknown[0])} is unknown. Outputs are {', '.join(sorted(OUTPUTS))}. Ask for those "
            "of the model, or for none, which gives all.",
            path="$.outputs",
        )


def infer_answer(asked: InferRequest, answer: bytes) -> InferAnswer:
    """answer: to the prediction request. Raises InvalidRequestError where the model lacks an output that is wanted."""
    said = _decode(answer)
    found = _outputs(said.predictions)
    if lacking := [output for output in asked.outputs if output not in found]:
        raise InvalidRequestError(
            f"The model has no output {lacking[0]!r}. It has {', '.join(found)}. Ask for these, or for none, which "
            "gives all.",
            path="$.outputs",
            fields=list(found),
        )
    rows = len(said.predictions)
    outputs = []
    for name in asked.outputs or found:
        datatype, values, shape = found[name]
        outputs.append(Output(name, datatype, [rows, *shape], values))
    return InferAnswer(str(said.model.version), _parameters(said), outputs)


def write_infer_answer(name: str, asked: InferRequest, answer: bytes) -> tuple[Headers, bytes]:
    """Headers and body. name: as the request called the model. Otherwise as above."""
    said = infer_answer(asked, answer)
    told, tensors = [], []
    for output in said.outputs:
        in_bytes = asked.outputs.get(output.name, asked.binary)
        if in_bytes:
            tensors.append(encode_tensor(output.datatype, output.values))
        told.append(
            ToldOutput(
                output.name,
                output.datatype,
                output.shape,
                UNSET if in_bytes else output.values,
                {"binary_data_size": len(tensors[-1])} if in_bytes else UNSET,
            )
        )
    head = _encode(ToldAnswer(name, said.version, said.parameters, told, asked.id or UNSET))
    if not tensors:
        return [(b"content-type", b"application/json")], head
    length = (b"inference-header-content-length", b"%d" % len(head))
    return [(b"content-type", b"application/octet-stream"), length], b"".join((head, *tensors))


def _outputs(predictions: Sequence[_Prediction]) -> dict[str, tuple[str, list[Any], list[int]]]:
    """Name -> datatype, values, and the shape of one instance: of the members that predictions have."""
    first, found = predictions[0], dict[str, tuple[str, list[Any], list[int]]]()
    for name, member, datatype in _MEMBERS:
        if getattr(first, member) is not UNSET:
            found[name] = datatype, [getattr(each, member) for each in predictions], []
    if isinstance(first.class_, int):
        found["class"] = "INT64", *found["class"][1:]
    if first.probabilities is not UNSET:
        numbers = [number for each in predictions if each.probabilities for number in each.probabilities.values()]
        found["probabilities"] = "FP64", numbers, [len(first.probabilities)]
    return found


def _parameters(said: _Answer) -> Mapping[str, Any]:
    """What the prediction's answer says besides. The protocol knows texts, numbers, true and false here."""
    found: dict[str, Any] = {"view": said.view, "as_of_us": said.as_of_us, "degraded": said.degraded}
    found["receipt"] = bytes(said.receipt).decode()
    if said.prediction_id is not UNSET:
        found["prediction_id"] = said.prediction_id
    if said.predictions[0].probabilities:
        found["classes"] = _encode(list(said.predictions[0].probabilities)).decode()
    return found
