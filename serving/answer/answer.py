"""The answer to a prediction request: its structs, which the OpenAPI document derives from, and how it is written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType
from numpy.typing import NDArray

from serving.answer.explanation import Explanation
from serving.answer.feature_value import ShownValue, feature_value
from serving.features.feature_vector import FeatureRows
from serving.models.model import Model
from serving.request.accepted_values import EXAMPLE_US
from shared_features.formats.receipt import EncodedReceipt, encode_receipt

_encode = msgspec.json.Encoder().encode


class Prediction(msgspec.Struct, gc=False, frozen=True, kw_only=True):
    """The answer for one instance, and what the answer was made from. Groups are called by their names."""

    score: Annotated[
        float | UnsetType,
        Meta(
            description="The model's estimate of the probability that the label is 1, from 0 to 1. "
            "Only of a label with two outcomes.",
            examples=[0.12],
        ),
    ] = UNSET
    decision: Annotated[
        bool | UnsetType,
        Meta(
            description="Whether the score reaches the threshold of the model. Only of a model that has one.",
            examples=[True],
        ),
    ] = UNSET
    value: Annotated[
        float | UnsetType,
        Meta(
            description="The model's estimate of the label. Only of a label that is a number.",
            examples=[21.5],
        ),
    ] = UNSET
    class_: Annotated[
        str | int | UnsetType,
        Meta(
            description="The most probable class of the label; of equal ones the first. Only of a label with several "
            "outcomes.",
            examples=["late"],
        ),
    ] = msgspec.field(default=UNSET, name="class")
    probabilities: Annotated[
        Mapping[str, float] | UnsetType,
        Meta(
            description="The model's estimate of the probability of each class, from 0 to 1, under the labels' own "
            "names. Only of a label with several outcomes.",
            examples=[{"on_time": 0.2, "late": 0.7, "lost": 0.1}],
        ),
    ] = UNSET
    feature_age_seconds: Annotated[
        Mapping[str, float | None],
        Meta(
            description="Seconds from the newest event behind the stored features to the instant of the prediction. "
            "null: no such event. Where later events have arrived and the newest that counts is older than the head, "
            "the greatest age that it can have: at most one hop too much. Exact in any case in a group with "
            "Aggregate(None, TimeSinceLast(), ...)."
        ),
    ]
    missing_entities: Annotated[
        Sequence[str],
        Meta(
            description="The feature groups that have no events of this instance's entity. The score is valid: "
            "features of these groups are those of an entity without history."
        ),
    ]
    degraded: Annotated[
        bool,
        Meta(
            description="true: stored features of at least one group could not be used and were taken as missing. "
            "Happens only when the service runs with allow_degraded; otherwise the answer is a 503."
        ),
    ]
    features: Annotated[
        Mapping[str, ShownValue] | UnsetType,
        Meta(
            description="What the model saw, numbers as 32-bit floats. Only when the request sets include_features. "
            "null: missing, or a value of a category that the model was not trained on. "
            'Infinity has no number in JSON and is written as the text "Infinity" or "-Infinity".'
        ),
    ] = UNSET
    as_of_us: Annotated[
        int | UnsetType,
        Meta(
            description="The instant of this prediction, microseconds since 1970-01-01 UTC. Only when it is not that "
            "of the answer: the instance named the time of its event.",
            examples=[EXAMPLE_US],
        ),
    ] = UNSET
    explanation: Annotated[
        Explanation | UnsetType,
        Meta(description="Where each feature comes from. Only when the request sets explain."),
    ] = UNSET


class ModelName(msgspec.Struct, gc=False, frozen=True):
    """The model that answered."""

    name: Annotated[
        str,
        Meta(description="The model's name in the registry: the name of its view, unless its definition says another."),
    ]
    version: Annotated[int, Meta(description="The model's version in the registry.", examples=[12])]


class Answer(msgspec.Struct, gc=False, frozen=True):
    """The answer to one request."""

    view: Annotated[str, Meta(description="The view that answered, with its version.")]
    model: Annotated[ModelName, Meta(description="The model that answered.")]
    as_of_us: Annotated[
        int,
        Meta(
            description="The instant of the request, microseconds since 1970-01-01 UTC. Events strictly before this "
            "instant count, whatever has been streamed meanwhile.",
            examples=[EXAMPLE_US],
        ),
    ]
    predictions: Annotated[
        Sequence[Prediction], Meta(description="One prediction per instance, in the order of the instances.")
    ]
    degraded: Annotated[bool, Meta(description="true: at least one of the predictions is degraded.")]
    freshness_seconds: Annotated[
        Mapping[str, float | None],
        Meta(description="How far the stored features lag behind the request's instant."),
    ]
    receipt: Annotated[EncodedReceipt, Meta(description="Which stored state the answer was made from.")]


def write_answer(
    view: str,
    model: Model,
    as_of_us: int,
    scores: Sequence[Any],
    rows: FeatureRows,
    start: int,
    features: Sequence[Mapping[str, ShownValue]] | None,
    explanations: Sequence[Explanation] | None = None,
) -> bytes:
    """The JSON of the answer to one request, whose rows are those from `start`, one per score.

    features: `features_of`, where the request wants to see them. explanations: one per score, where it wants them.
    """
    predictions, degraded = [], False
    for at, score in enumerate(scores):
        prediction = _prediction(model, score, rows, start + at, None if features is None else features[at], as_of_us)
        degraded = degraded or prediction.degraded
        predictions.append(prediction)
    if explanations is not None:
        pairs = zip(predictions, explanations, strict=True)
        predictions = [msgspec.structs.replace(each, explanation=explanation) for each, explanation in pairs]
    freshness, receipt = _shards(rows, start, start + len(scores), as_of_us)
    name = ModelName(model.name, model.version)
    return _encode(Answer(view, name, as_of_us, predictions, degraded, freshness, receipt))


def _prediction(
    model: Model,
    predicted: Any,
    rows: FeatureRows,
    row: int,
    features: Mapping[str, ShownValue] | None,
    as_of_us: int,
) -> Prediction:
    ages: dict[str, float | None] = {}
    missing: list[str] = []
    degraded = False
    for group in rows.groups:
        ages[group.name] = group.ages_s[row]
        degraded = degraded or group.problems[row] is not None
        if group.missing[row]:
            missing.append(group.name)
    own_us = int(rows.as_of_us[row])
    return Prediction(
        score=predicted if model.task == "binary" else UNSET,
        decision=UNSET if model.threshold is None else predicted >= model.threshold,
        value=predicted if model.task == "regression" else UNSET,
        class_=most_probable(model.classes, predicted) if model.task == "multiclass" else UNSET,
        probabilities=(dict(zip(model.class_names, predicted, strict=True)) if model.task == "multiclass" else UNSET),
        feature_age_seconds=ages,
        missing_entities=missing,
        degraded=degraded,
        features=UNSET if features is None else features,
        as_of_us=UNSET if own_us == as_of_us else own_us,
    )


def most_probable(classes: Sequence[str | int], probabilities: list[float]) -> str | int:
    """The class of the largest probability, the first of equal ones."""
    return classes[probabilities.index(max(probabilities))]


def features_of(names: tuple[str, ...], model: Model, seen: NDArray[np.float32]) -> list[dict[str, ShownValue]]:
    """Of each row what the model saw, by name. NaN becomes null, and the place of a category's value the value."""
    found = []
    for values in seen.tolist():
        features: dict[str, ShownValue] = dict(zip(names, values, strict=True))
        for name, value in zip(names, values, strict=True):
            if math.isinf(value):
                features[name] = feature_value(value)
        for column, vocabulary in model.categories:
            features[names[column]] = vocabulary.named(values[column])
        found.append(features)
    return found


def _shards(rows: FeatureRows, start: int, stop: int, as_of_us: int) -> tuple[dict[str, float | None], EncodedReceipt]:
    """How far each group's shards lag behind the instant (0 where they consumed beyond it), and what was read."""
    freshness: dict[str, float | None] = {}
    receipts: dict[bytes, None] = {}  # an ordered set
    for group in rows.groups:
        until_us: int | None = as_of_us
        for facts in group.facts[start:stop]:
            if facts is not None and facts.problem is None:
                receipts[facts.receipt] = None
            known_us = None if facts is None else facts.consumed_until_us
            until_us = None if until_us is None or known_us is None else min(until_us, known_us)
        freshness[group.name] = None if until_us is None else (as_of_us - until_us) / 1e6
    return freshness, encode_receipt(receipts)
