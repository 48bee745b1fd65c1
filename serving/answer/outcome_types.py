"""The types of what a model of a view gives, which every prediction has: a score, a value, or a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, UnsetType

from serving.answer.json_object import json_object
from serving.request.accepted_values import sentence
from shared_features.definitions import FeatureView, LabelSource, describe_field

OUTCOMES = ("score", "decision", "value", "class_", "probabilities")
"""The members of a prediction that depend on its task."""


def outcome_types(view: FeatureView) -> dict[str, Any]:
    """Member of a prediction -> its type. Of a view without labels, which no model answers, as of two outcomes."""
    label = view.predicted
    if label is None or label.kind == "binary":
        decision = Meta(description=_decision(label), examples=[True])
        return {
            "score": Annotated[float, Meta(description=_score(view.name, label), examples=[0.12])],
            "decision": Annotated[bool | UnsetType, decision],
        }
    if label.kind == "regression":
        return {"value": Annotated[float, Meta(description=_value(view.name, label), examples=[21.5])]}
    return {"class_": _class(view.name, label), "probabilities": _probabilities(view.name, label)}


def _score(view: str, label: LabelSource | None) -> str:
    event = "the label is 1"
    if label is not None:
        what = repr(label.classes[1]) if label.classes else "true"
        event = f"{label.words} is {what} (label of view {view})"
    return f"The model's estimate of the probability that {event}, from 0 to 1."


def _decision(label: LabelSource | None) -> str:
    event = "the label is 1"
    if label is not None:
        event = f"{label.words} is {repr(label.classes[1]) if label.classes else 'true'}"
    return (
        f"Whether the model decides that {event}: whether the score is its threshold or more. Only of a model that has "
        "a threshold."
    )


def _value(view: str, label: LabelSource) -> str:
    return f"The model's estimate of {_said(view, label)}"


def _class(view: str, label: LabelSource) -> Any:
    kind: Any = Literal[label.classes] if label.classes else _plain(label)
    description = f"The most probable class, of equal ones the first: {_said(view, label)}"
    return Annotated[kind, Meta(description=description, examples=[_example(label)])]


def _probabilities(view: str, label: LabelSource) -> Any:
    doc = f"The model's estimate of the probability of each class, from 0 to 1: {_said(view, label)}"
    if label.classes:
        share = round(1 / len(label.classes), 3)
        named = {str(each): f"That {label.words} is {each!r}." for each in label.classes}
        kind: Any = json_object(f"{view}_probabilities", doc, named, float)
        return Annotated[kind, Meta(description=doc, examples=[dict.fromkeys(named, share)])]
    description = f"{doc} The members are the classes that the model was trained on."
    example = {str(_example(label)): 1.0}
    return Annotated[Mapping[str, float], Meta(description=description, examples=[example])]


def _said(view: str, label: LabelSource) -> str:
    if label.later is not None:
        return f"{label.words} (label of view {view})."
    field = label.source.field(label.column)
    return f"{field.name} (label of view {view}): {sentence(str(describe_field(field)))}"


def _plain(label: LabelSource) -> Any:
    return str if label.source.field(label.column).is_text else int


def _example(label: LabelSource) -> str | int:
    example: str | int = label.classes[0] if label.classes else label.source.field(label.column).type.example
    return example
