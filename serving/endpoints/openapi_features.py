"""The operations of the OpenAPI document that give features without a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.endpoints.openapi_parts import JSON, declared, possible, reference, refusals, secured
from serving.endpoints.served_view import bare_name
from serving.errors import (
    BrokenViewError,
    FailedModelError,
    NoModelError,
    SlowModelError,
    UnknownGroupError,
    UnknownModelError,
    UnknownViewError,
)
from serving.features.group_view import GroupView
from serving.request.accepted_values import example_request
from shared_features.access.api_keys import READ
from shared_features.definitions import FeatureView

_OF_A_MODEL = FailedModelError, NoModelError, SlowModelError, UnknownModelError


def features_operations(view: FeatureView, schemas: Mapping[str, Any], *, keys: bool) -> dict[str, Any]:
    """`get` and `post` of a view, or of a group that is read as a view. schemas: all of the document."""
    is_group = isinstance(view, GroupView)
    never = (*_OF_A_MODEL, UnknownViewError, BrokenViewError) if is_group else (*_OF_A_MODEL, UnknownGroupError)
    answers = {"200": declared("The features of each instance, in order.", f"{view.name}_features_answer")}
    answers |= refusals(possible(*never, keys=keys))
    kind = "group" if is_group else "view"
    said = _OF_A_GROUP if is_group else _OF_A_VIEW
    one: dict[str, Any] = {"tags": ["features"], "description": said.format(label=view.label), "responses": answers}
    one |= secured(READ, keys=keys)
    body = {"schema": reference(f"{view.name}_features_request"), "example": example_request(view, only_features=True)}
    return {
        "get": {
            "operationId": f"get_features_of_{kind}_{bare_name(view)}",
            "summary": f"Features of {kind} {view.label}, of one instance",
            "parameters": _parameters(view, schemas),
            **one,
        },
        "post": {
            "operationId": f"features_of_{kind}_{bare_name(view)}",
            "summary": f"Features of {kind} {view.label}",
            "requestBody": {
                "required": True,
                "description": "The instances that features are wanted of.",
                "content": {JSON: body},
            },
            **one,
        },
    }


_OF_A_VIEW = (
    "The features that a model of the view would see, without a model: stored features of the entities that each "
    "instance names, and the on-demand features of the request. Write `{label}` in the path to ask for this version."
)
_OF_A_GROUP = (
    "The stored features of the group, of the entities that the instances name by their keys. Write `{label}` in the "
    "path to ask for this version of the group; its name alone means the newest."
)


def _parameters(view: FeatureView, schemas: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of one instance, and the instant, as the query of a path has them."""
    instance = schemas[f"{view.name}_features_instance"]
    fields = {**instance["properties"]}
    fields.setdefault("as_of", schemas[f"{view.name}_features_request"]["properties"]["as_of"])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in instance.get("required", ()),
            "description": schema.get("description", ""),
            "schema": {key: value for key, value in schema.items() if key != "description"},
        }
        for name, schema in fields.items()
    ]
