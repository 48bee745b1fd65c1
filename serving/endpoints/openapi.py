"""The OpenAPI document. Its schemas are derived from the structs that are decoded and encoded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from serving.answer.answer_type import answer_type
from serving.endpoints.health import Live, Readiness
from serving.problem_details import ProblemDetails
from serving.problems import MEDIA_TYPE, PROBLEMS, UNEXPECTED, Problem, problem_details
from serving.request.accepted_values import example_request
from serving.request.request_type import request_type
from shared_features.definitions import FeatureView

_JSON = "application/json"
_REFS = "#/components/schemas/{name}"


def openapi_document(views: Sequence[FeatureView], max_instances: int) -> dict[str, Any]:
    """OpenAPI 3.1, with one prediction path per view."""
    newest = {view.name: view for view in sorted(views, key=lambda view: view.version)}
    structs: list[Any] = [ProblemDetails, Live, Readiness]
    for view in newest.values():
        structs += [request_type(view, max_instances), answer_type(view)]
    _, schemas = msgspec.json.schema_components(structs, ref_template=_REFS)
    paths: dict[str, Any] = {f"/v1/views/{name}:predict": {"post": _predict(view)} for name, view in newest.items()}
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
            {"name": "operations", "description": "Whether the service works, for orchestrators and monitoring."},
        ],
        "paths": paths | _OPERATIONS,
        "components": {"schemas": schemas},
    }


def _predict(view: FeatureView) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "200": _answer("One prediction per instance, in the order of the instances.", f"{view.name}_answer")
    }
    for status, problems in _by_status([*PROBLEMS.values(), UNEXPECTED]).items():
        answers[str(status)] = _refusal(problems)
    return {
        "operationId": f"predict_{view.name}",
        "tags": ["predictions"],
        "summary": f"Predict with view {view.label}",
        "description": "Reads the stored features of the entities that each instance names, computes the on-demand "
        "features from the request, and scores each instance with the published model.\n\n"
        f"A request for `{view.name}` is answered by the version of the view that the published model was trained "
        f"on. Write `{view.label}` in the path to ask for this version of the view.",
        "requestBody": {
            "required": True,
            "description": "The instances to predict.",
            "content": {_JSON: {"schema": _ref(f"{view.name}_request"), "example": example_request(view)}},
        },
        "responses": answers,
    }


def _by_status(problems: Iterable[Problem]) -> dict[int, list[Problem]]:
    by_status: dict[int, list[Problem]] = {}
    for problem in sorted(problems, key=lambda each: each.status):
        by_status.setdefault(problem.status, []).append(problem)
    return by_status


def _refusal(problems: Sequence[Problem]) -> dict[str, Any]:
    lines = [f"{each.title} (type `{each.name}`). {each.advice}" for each in problems]
    answer = _answer("\n\n".join(lines), ProblemDetails.__name__, MEDIA_TYPE)
    answer["content"][MEDIA_TYPE]["examples"] = {
        each.name: {"summary": each.title, "value": msgspec.to_builtins(problem_details(each, each.advice))}
        for each in problems
    }
    if any(each.retry_after_s is not None for each in problems):
        seconds = {"type": "integer", "examples": [problems[0].retry_after_s]}
        answer["headers"] = {
            "Retry-After": {"description": "Seconds after which to send the request again.", "schema": seconds}
        }
    return answer


def _answer(description: str, schema: str, media_type: str = _JSON) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": _ref(schema)}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REFS.format(name=name)}


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
        {"200": _answer("The process answers.", "Live")},
    ),
    "/health/ready": _get(
        "ready",
        "Whether predictions can be made",
        "Ready: the online store answers, and at least one view has a model and stored features that are up to date. "
        "`views` says it of each view: one that waits for its first model holds no other back.",
        {
            "200": _answer("Predictions can be made.", "Readiness"),
            "503": _answer("Predictions cannot be made yet. `missing` says why.", "Readiness"),
        },
    ),
    "/metrics": _get(
        "metrics",
        "Metrics for Prometheus",
        "Counts and durations of requests, ages of features, and which model answers.",
        {"200": {"description": "The metrics of all workers of this service.", "content": _TEXT}},
    ),
}
