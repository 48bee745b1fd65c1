"""The OpenAPI document. Its schemas are derived from the structs that are decoded and encoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from serving.answer.answer_type import answer_type
from serving.answer.feature_answer_type import feature_answer_type
from serving.endpoints.health import Live, Readiness
from serving.endpoints.inference.openapi_inference import STRUCTS as INFERENCE_STRUCTS
from serving.endpoints.inference.openapi_inference import TAG as INFERENCE_TAG
from serving.endpoints.inference.openapi_inference import inference_operations
from serving.endpoints.openapi_features import features_operations
from serving.endpoints.openapi_parts import (
    JSON,
    REFS,
    SECURITY_SCHEMES,
    declared,
    possible,
    reference,
    refusals,
    secured,
)
from serving.endpoints.served_view import bare_name
from serving.errors import ForbiddenError, UnknownGroupError, UnknownKeyError
from serving.models.model_choice import MODEL_HEADER
from serving.problem_details import ProblemDetails
from serving.problems import PROBLEMS
from serving.request.accepted_values import example_request
from serving.request.request_type import request_type
from shared_features.access.api_keys import PREDICT, READ
from shared_features.definitions import FeatureView


def openapi_document(
    views: Sequence[FeatureView], max_instances: int, groups: Sequence[FeatureView] = (), *, keys: bool = False
) -> dict[str, Any]:
    """OpenAPI 3.1, with a path of predictions and one of features per view. groups: those that are read, as views.

    keys: whether requests need an API key.
    """
    newest = {view.name: view for view in sorted(views, key=lambda view: view.version)}
    read = {view.name: view for view in sorted(groups, key=lambda view: view.version)}
    structs: list[Any] = [ProblemDetails, Live, Readiness, *INFERENCE_STRUCTS]
    for view in newest.values():
        structs += [request_type(view, max_instances), answer_type(view)]
    for view in (*newest.values(), *read.values()):
        structs += [request_type(view, max_instances, only_features=True), feature_answer_type(view)]
    _, schemas = msgspec.json.schema_components(structs, ref_template=REFS)
    paths: dict[str, Any] = {
        f"/v1/views/{name}:predict": {"post": _predict(view, keys=keys)} for name, view in newest.items()
    }
    paths |= {
        f"/v1/views/{name}:features": features_operations(view, schemas, keys=keys) for name, view in newest.items()
    }
    paths |= {
        f"/v1/groups/{bare_name(view)}:read": features_operations(view, schemas, keys=keys) for view in read.values()
    }
    paths |= inference_operations(list(newest.values()), keys=keys)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Millrace serving",
            "version": "1",
            "description": "Predictions from features that are kept up to date by a stream. Send the fields of an "
            "event; the service adds the stored features and the model's score.",
        },
        "servers": [{"url": ".", "description": "The address that this document came from."}],
        "tags": [
            {"name": "predictions", "description": "Predictions, one path per feature view."},
            {"name": "features", "description": "Features without a model, of views and of feature groups."},
            INFERENCE_TAG,
            {"name": "operations", "description": "Whether the service works, for orchestrators and monitoring."},
        ],
        "paths": paths | (_OPERATIONS | {"/metrics": _metrics(keys=keys)}),
        "components": {"schemas": schemas} | ({"securitySchemes": SECURITY_SCHEMES} if keys else {}),
    }


def _predict(view: FeatureView, *, keys: bool) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "200": declared("One prediction per instance, in the order of the instances.", f"{view.name}_answer")
    }
    answers |= refusals(possible(UnknownGroupError, keys=keys))
    return {
        **secured(PREDICT, keys=keys),
        "operationId": f"predict_{view.name}",
        "tags": ["predictions"],
        "summary": f"Predict with view {view.label}",
        "description": "Reads the stored features of the entities that each instance names, computes the on-demand "
        "features from the request, and scores each instance with the published model.\n\n"
        f"A request for `{view.name}` is answered by the version of the view that the published model was trained "
        f"on. Write `{view.label}` in the path to ask for this version of the view.",
        "parameters": [_MODEL],
        "requestBody": {
            "required": True,
            "description": "The instances to predict.",
            "content": {JSON: {"schema": reference(f"{view.name}_request"), "example": example_request(view)}},
        },
        "responses": answers,
    }


_MODEL = {
    "name": MODEL_HEADER,
    "in": "header",
    "required": False,
    "description": "Which model answers: champion, challenger, or the number of a version that is one of them. Without "
    "it the champion, or the challenger for its share of the entities.",
    "schema": {"type": "string", "examples": ["champion"]},
}


def _get(operation: str, summary: str, description: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {
        "get": {
            "operationId": operation,
            "tags": ["operations"],
            "summary": summary,
            "description": description,
            "responses": responses,
        }
    }


_TEXT = {"text/plain": {"schema": {"type": "string", "description": "Metrics in Prometheus' text format."}}}
_OPERATIONS = {
    "/health/live": _get(
        "live",
        "Whether the process answers",
        "Says nothing about the online store or the models. Restart the process when there is no answer.",
        {"200": declared("The process answers.", "Live")},
    ),
    "/health/ready": _get(
        "ready",
        "Whether predictions can be made",
        "Ready: the online store answers, and at least one view has a model and stored features that are up to date. "
        "`views` says it of each view: one that waits for its first model holds no other back.",
        {
            "200": declared("Predictions can be made.", "Readiness"),
            "503": declared("Predictions cannot be made yet. `missing` says why.", "Readiness"),
        },
    ),
}


def _metrics(*, keys: bool) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": {"description": "The metrics of all workers of this service.", "content": _TEXT}}
    if keys:
        answers |= refusals([PROBLEMS[UnknownKeyError], PROBLEMS[ForbiddenError]], unexpected=False)
    told = _get(
        "metrics",
        "Metrics for Prometheus",
        "Counts and durations of requests, ages of features, and which model answers.",
        answers,
    )
    told["get"] |= secured(READ, keys=keys)
    return told
