"""The struct of a view's answers as clients see them: `Answer`, with the view's groups and features by their names.

The OpenAPI document is derived from it. An answer is written from the structs of `answer`, which name no group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta, UnsetType
from msgspec.structs import fields as struct_fields

from serving.answer.answer import Answer, Prediction
from serving.answer.feature_value import FeatureValue, ShownValue
from serving.answer.json_object import json_object
from serving.answer.outcome_types import OUTCOMES, outcome_types
from serving.request.accepted_values import sentence
from shared_features.definitions import FeatureView, describe_column
from shared_features.formats.receipt import Receipt


def answer_type(view: FeatureView) -> type[msgspec.Struct]:
    """The struct `Answer` with the groups and features of this view by their names."""
    groups: Any = Literal[tuple(group.part_name for group in view.groups)] if view.groups else str
    ages = "Seconds from the newest event of the entity in {} to the request's instant. null: no event before it."
    freshness = "Seconds that the shards of {} lag behind the request's instant. 0: they are beyond it. null: unknown."
    outcome = outcome_types(view)
    prediction = narrowed(
        Prediction,
        f"{view.name}_prediction",
        without=tuple(each for each in OUTCOMES if each not in outcome),
        feature_age_seconds=by_group(view, "feature_ages", ages),
        missing_entities=Sequence[groups],
        features=_features(view) | UnsetType,
        **outcome,
    )
    return narrowed(
        Answer,
        f"{view.name}_answer",
        view=Annotated[str, Meta(description="The view that answered, with its version.", examples=[view.label])],
        predictions=Sequence[prediction],  # type: ignore[valid-type]  # built above
        freshness_seconds=by_group(view, "freshness", freshness),
        receipt=Receipt,
    )


def by_group(view: FeatureView, what: str, description: str, kind: Any = float | None, unit: str = "seconds") -> Any:
    """A struct of one number, or null, for each group that the view reads."""
    named = {group.part_name: description.format(f"group {group.part_name}") for group in view.groups}
    return json_object(f"{view.name}_{what}", f"Per feature group, in {unit}.", named, kind)


def _features(view: FeatureView) -> Any:
    kind: Any = ShownValue if view.categories else FeatureValue
    return json_object(f"{view.name}_features", f"The features of view {view.label}, in order.", described(view), kind)


def described(view: FeatureView) -> dict[str, str]:
    """What each feature of the view is, by its name."""
    return {column.name: sentence(str(describe_column(view, column))) for column in view.columns}


def narrowed(
    struct: type[msgspec.Struct], name: str, without: tuple[str, ...] = (), **types: Any
) -> type[msgspec.Struct]:
    """The same struct with narrower types for some of its fields. Their descriptions stay, unless a type brings one.

    A field that may be absent is always there where its type does not say so. without: fields that are left out.
    """
    known = {each.name: each for each in struct_fields(struct)}
    if unknown := set(types) - set(known):
        raise TypeError(f"struct {struct.__name__} has no fields {sorted(unknown)}; it has {sorted(known)}")
    fields: list[Any] = []
    for each in known.values():
        if each.name in without:
            continue
        kind = types.get(each.name, each.type)
        if get_origin(kind) is not Annotated:
            kind = Annotated[(kind, *get_args(each.type)[1:])]
        always = each.default is NODEFAULT or UnsetType not in get_args(get_args(kind)[0])
        fields.append((each.name, kind) if always else (each.name, kind, each.default))
    outside = {each.name: each.encode_name for each in known.values()}
    return msgspec.defstruct(name, fields, rename=outside, namespace={"__doc__": struct.__doc__}, kw_only=True)
