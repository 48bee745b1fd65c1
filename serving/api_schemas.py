"""The OpenAPI document: schemas and examples of each view, made from the definitions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from serving.errors import MEDIA_TYPE, PROBLEMS
from shared_features.definitions import Boolean, Decimal, FeatureView, Field, Integer, Timestamp
from shared_features.definitions.fields import MAX_MAGNITUDE
from shared_features.kernel.event_time import SECOND_US, to_us

_EXAMPLE_TIME = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
_EXAMPLE_US = to_us(_EXAMPLE_TIME)
_UNITS = {"us": "microseconds", "ms": "milliseconds", "s": "seconds"}


def example_value(field: Field) -> Any:
    """A value that the field accepts."""
    kind = field.type
    if isinstance(kind, Integer):
        return max(kind.low, min(kind.high, 42))
    if isinstance(kind, Decimal):
        return round(max(kind.low, min(kind.high, 25.5)), kind.decimals)
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, Timestamp):
        divisors = {"us": 1, "ms": 1000, "s": SECOND_US}
        return _EXAMPLE_TIME.isoformat() if kind.unit == "rfc3339" else _EXAMPLE_US // divisors[kind.unit]
    return "example"[: kind.max_length]


def example_instance(view: FeatureView) -> dict[str, Any]:
    """An instance that the view accepts."""
    return {field.name: example_value(field) for field in view.request_fields}


def field_schema(field: Field) -> dict[str, Any]:
    """The JSON schema of one field."""
    kind = field.type
    if isinstance(kind, Integer):
        schema: dict[str, Any] = {"type": "integer", "minimum": kind.low, "maximum": kind.high}
    elif isinstance(kind, Decimal):
        rounding = f"Rounded to {kind.decimals} decimals, half to even, before it is used."
        schema = {"type": "number", "minimum": kind.low, "maximum": kind.high, "description": rounding}
    elif isinstance(kind, Boolean):
        schema = {"type": "boolean"}
    elif isinstance(kind, Timestamp) and kind.unit == "rfc3339":
        schema = {"type": "string", "format": "date-time"}
    elif isinstance(kind, Timestamp):
        schema = {"type": "integer", "description": f"Epoch {_UNITS[kind.unit]}."}
    else:
        schema = {"type": "string", "maxLength": kind.max_length}
    if field.optional:
        schema["type"] = [schema["type"], "null"]
    return {**schema, "examples": [example_value(field)]}


def openapi_document(views: Sequence[FeatureView], max_instances: int) -> dict[str, Any]:
    """OpenAPI 3.1, one prediction path per view."""
    newest = {view.name: view for view in sorted(views, key=lambda view: view.version)}
    paths: dict[str, Any] = {f"/v1/views/{name}:predict": {"post": _operation(view)} for name, view in newest.items()}
    paths |= {
        "/health/live": _get("Whether the process answers.", {"200": {"description": "It does."}}),
        "/health/ready": _get(
            "Whether predictions can be made: the online store answers, its shards have caught up, models are loaded.",
            {"200": {"description": "They can."}, "503": {"description": "Not yet; `missing` says what is missing."}},
        ),
        "/metrics": _get("Prometheus metrics.", {"200": {"description": "In Prometheus' text format."}}),
    }
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    for view in newest.values():
        schemas |= {f"{view.name}_request": _request(view, max_instances), f"{view.name}_answer": _answer(view)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Millrace serving", "version": "1", "description": "Predictions from streaming features."},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def example_request(view: FeatureView) -> dict[str, Any]:
    """A whole request."""
    return {"instances": [example_instance(view)], "include_features": True}


def _get(summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {"get": {"summary": summary, "responses": responses}}


def _operation(view: FeatureView) -> dict[str, Any]:
    def content(schema: str, kind: str = "application/json", **extra: Any) -> dict[str, Any]:
        return {"content": {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}, **extra}}}

    answers = {"200": {"description": "Predictions, in the order of the instances."} | content(f"{view.name}_answer")}
    for problem in PROBLEMS.values():
        said = answers.get(str(problem.status), {}).get("description")
        title = f"{said}; {problem.title}" if said else problem.title
        answers[str(problem.status)] = {"description": title} | content("Problem", MEDIA_TYPE)
    return {
        "operationId": f"predict_{view.name}",
        "summary": f"Predict with the model of {view.label}.",
        "requestBody": {"required": True} | content(f"{view.name}_request", example=example_request(view)),
        "responses": answers,
    }


def _request(view: FeatureView, max_instances: int) -> dict[str, Any]:
    instance = {
        "type": "object",
        "properties": {field.name: field_schema(field) for field in view.request_fields},
        "required": [field.name for field in view.request_fields if not field.optional],
        "additionalProperties": False,
    }
    as_of = {
        "description": "The instant of the request: microseconds since the epoch, or RFC 3339 with an offset. "
        "Events strictly before it count. Default: the server's clock.",
        "anyOf": [
            {"type": "integer", "minimum": -MAX_MAGNITUDE, "maximum": MAX_MAGNITUDE},
            {"type": "string", "format": "date-time"},
            {"type": "null"},
        ],
        "examples": [_EXAMPLE_US, _EXAMPLE_TIME.isoformat()],
    }
    return {
        "type": "object",
        "properties": {
            "instances": {"type": "array", "minItems": 1, "maxItems": max_instances, "items": instance},
            "as_of": as_of,
            "include_features": {"type": "boolean", "default": False},
        },
        "required": ["instances"],
        "additionalProperties": False,
    }


def _answer(view: FeatureView) -> dict[str, Any]:
    groups = [group.part_name for group in view.groups]
    seconds = {"type": "object", "properties": {name: {"type": ["number", "null"]} for name in groups}}
    prediction = {
        "score": {"type": ["number", "null"]},
        "feature_age_seconds": {
            **seconds,
            "description": "as_of minus the entity's newest event, per group; null without an event before as_of.",
        },
        "missing_entities": {
            "type": "array",
            "items": {"enum": groups},
            "description": "Groups that know nothing of the entity: their features are those of empty windows.",
        },
        "ahead": {
            "type": "boolean",
            "description": "An entity has events at or after as_of: features of that past instant may not be exact.",
        },
        "degraded": {
            "type": "boolean",
            "description": "Stored features of some group could not be had: they are null.",
        },
        "features": {
            "type": "object",
            "properties": {column.name: _FEATURE for column in view.columns},
            "description": "With include_features: what the model saw, float32. null: missing.",
        },
    }
    answer = {
        "view": {"type": "string", "examples": [view.label]},
        "model": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "version": {"type": "integer"}},
        },
        "as_of_us": {"type": "integer", "examples": [_EXAMPLE_US]},
        "predictions": {"type": "array", "items": {"type": "object", "properties": prediction}},
        "degraded": {"type": "boolean"},
        "freshness_seconds": {
            **seconds,
            "description": "How far the shards read lag behind as_of; 0 when they have consumed beyond it.",
        },
        "receipt": _RECEIPT,
    }
    return {"type": "object", "properties": answer, "required": list(answer)}


_TEXT, _WHOLE = {"type": "string"}, {"type": "integer"}
_FEATURE = {"anyOf": [{"type": "number"}, {"type": "null"}, {"enum": ["Infinity", "-Infinity"]}]}
_POSITION = {"topic": _TEXT, "topic_id": _TEXT, "partition": _WHOLE, "offset": _WHOLE, "consumed_until_us": _WHOLE}
_SHARD = {
    "group": _TEXT,
    "shard": _WHOLE,
    "commit_id": _TEXT,
    "gaps_digest": _TEXT,
    "vector": {"type": "array", "items": {"type": "object", "properties": _POSITION}},
}
_RECEIPT = {
    "type": "object",
    "description": "The state the answer was made from, shard by shard. digest: sha256 of the text of `shards`.",
    "properties": {
        "digest": _TEXT,
        "shards": {"type": "array", "items": {"type": "object", "properties": _SHARD}},
    },
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details. `path`: where in the request, as in $.instances[0].<field>.",
    "properties": {"type": _TEXT, "title": _TEXT, "status": _WHOLE, "detail": _TEXT, "path": _TEXT},
    "required": ["type", "title", "status", "detail"],
}
