"""The answer to an inference request: the numbers of the prediction's own answer, as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from serving.endpoints.inference.infer_request import InferRequest
from serving.endpoints.inference.tensors import BOOL, BYTES, encode_tensor
from serving.errors import InvalidRequestError
from serving.models.model import Model

_encode = msgspec.json.Encoder().encode
Headers = list[tuple[bytes, bytes]]


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


def write_infer_answer(name: str, asked: InferRequest, answer: bytes) -> tuple[Headers, bytes]:
    """Headers and body. name: as the request called the model. answer: to the prediction request.

    Raises InvalidRequestError where an output is wanted that the model does not have.
    """
    said = _decode(answer)
    found = _outputs(said.predictions)
    if lacking := [output for output in asked.outputs if output not in found]:
        raise InvalidRequestError(
            f"The model has no output {lacking[0]!r}. It has {', '.join(found)}. Ask for these, or for none, which "
            "gives all.",
            path="$.outputs",
            fields=list(found),
        )
    told, tensors = [], []
    for output in asked.outputs or found:
        datatype, values, shape = found[output]
        said_of: dict[str, Any] = {"name": output, "datatype": datatype, "shape": [len(said.predictions), *shape]}
        if asked.outputs.get(output, asked.binary):
            tensors.append(encode_tensor(datatype, values))
            said_of["parameters"] = {"binary_data_size": len(tensors[-1])}
        else:
            said_of["data"] = values
        told.append(said_of)
    about = {"model_name": name, "model_version": str(said.model.version), **({"id": asked.id} if asked.id else {})}
    head = _encode(about | {"parameters": _parameters(said), "outputs": told})
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
