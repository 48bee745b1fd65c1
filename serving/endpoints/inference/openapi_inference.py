"""The operations of the OpenAPI document that are those of the Open Inference Protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from serving.endpoints.inference.infer_answer import ToldAnswer
from serving.endpoints.inference.infer_endpoint import InferProblem
from serving.endpoints.inference.infer_request import InferBody
from serving.endpoints.inference.inference_routes import ModelReady, ServerLive, ServerReady
from serving.endpoints.inference.inference_server import ModelMetadata, ServerMetadata
from serving.endpoints.inference.tensors import datatype_of
from serving.endpoints.openapi_parts import JSON, declared, possible, reference, refusals, secured
from serving.errors import CatchingUpError, NoModelError, UnknownGroupError, UnknownModelError
from serving.problems import PROBLEMS
from serving.request.accepted_values import example_request
from serving.request.request_type import instance_fields
from shared_features.access.api_keys import PREDICT
from shared_features.definitions import FeatureView

TAG = {
    "name": "open inference protocol",
    "description": "The Open Inference Protocol, version 2. A model is called like its view.",
}
STRUCTS = (InferBody, ToldAnswer, ServerMetadata, ModelMetadata, ServerLive, ServerReady, ModelReady, InferProblem)
"""What the operations refer to."""

_BYTES = {"application/octet-stream": {"schema": {"type": "string"}}}
_VERSION = {
    "name": "version",
    "in": "path",
    "required": True,
    "description": "The number of a version that is champion or challenger, or one of these words.",
    "schema": {"type": "string", "examples": ["champion"]},
}


def inference_operations(views: Sequence[FeatureView], *, keys: bool) -> dict[str, Any]:
    """Path -> operations: of the server, and of each model with and without its version."""
    paths = {
        "/v2": _get("server_metadata", "What the server is", {"200": _answer("The server.", ServerMetadata)}),
        "/v2/health/live": _get("server_live", "As /health/live", {"200": _answer("It answers.", ServerLive)}),
        "/v2/health/ready": _get("server_ready", "As /health/ready", _ready(ServerReady)),
    }
    for view in views:
        model = f"/v2/models/{view.name}"
        paths |= _of_a_model(view, model, f"of_{view.name}", keys=keys)
        versioned = _of_a_model(view, f"{model}/versions/{{version}}", f"of_version_of_{view.name}", keys=keys)
        for operation in (operation for verbs in versioned.values() for operation in verbs.values()):
            operation["parameters"] = [_VERSION]
            operation["responses"] |= _refused(UnknownModelError)
        paths |= versioned
    return paths


def _of_a_model(view: FeatureView, path: str, name: str, *, keys: bool) -> dict[str, Any]:
    metadata = {"200": _answer("The model.", ModelMetadata)} | _refused(NoModelError, CatchingUpError)
    return {
        path: _get(f"metadata_{name}", f"What the model of view {view.label} takes and answers", metadata),
        f"{path}/ready": _get(
            f"ready_{name}", f"Whether predictions of view {view.label} can be made", _ready(ModelReady)
        ),
        f"{path}/infer": {"post": _infer(view, f"infer_{name}", keys=keys)},
    }


def _infer(view: FeatureView, name: str, *, keys: bool) -> dict[str, Any]:
    answer = _answer("One value per instance and output, in the order of the instances.", ToldAnswer)
    answer["content"] |= _BYTES
    asked = {"schema": reference(InferBody.__name__), "example": _example(view)}
    return {
        **secured(PREDICT, keys=keys),
        "operationId": name,
        "tags": [TAG["name"]],
        "summary": f"Predict with view {view.label}, by tensors",
        "description": "As the path of predictions of the view, with the same numbers. Each field of an instance is an "
        "input, with one value per instance. Tensors may be sent and asked for as bytes, after the JSON: then the "
        "header `Inference-Header-Content-Length` says where the JSON ends.",
        "requestBody": {"required": True, "description": "The inputs.", "content": {JSON: asked} | _BYTES},
        "responses": {"200": answer} | refusals(possible(UnknownGroupError, keys=keys), struct=InferProblem),
    }


def _example(view: FeatureView) -> dict[str, Any]:
    (instance,) = example_request(view)["instances"]
    fields = [field for field in instance_fields(view) if field.name in instance]
    tensors = [(field.name, datatype_of(field), instance[field.name]) for field in fields]
    return {"inputs": [{"name": n, "datatype": kind, "shape": [1], "data": [value]} for n, kind, value in tensors]}


def _get(name: str, summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    told = {"operationId": name, "tags": [TAG["name"]], "summary": summary, "description": f"{summary}."}
    return {"get": {**told, "responses": responses}}


def _ready(struct: type) -> dict[str, Any]:
    return {"200": _answer("It is ready.", struct), "503": _answer("It is not ready.", struct)}


def _answer(description: str, struct: type) -> dict[str, Any]:
    return declared(description, struct.__name__)


def _refused(*kinds: Any) -> dict[str, Any]:
    return refusals([PROBLEMS[kind] for kind in kinds], unexpected=False, struct=InferProblem)
