"""How an answer is written: from scores and rows of features to the bytes of its JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from serving.answer.answer import Answer, ModelName, Prediction
from serving.answer.explanation import Explanation
from serving.answer.feature_value import ShownValue, feature_value
from serving.models.model import Model
from shared_features.formats.receipt import EncodedReceipt, encode_receipt
from shared_features.stored_features.feature_vectors import FeatureRows

_encode = msgspec.json.Encoder().encode


def write_answer(
    view: str,
    model: Model,
    as_of_us: int,
    scores: Sequence[Any],
    rows: FeatureRows,
    start: int,
    features: Sequence[Mapping[str, ShownValue]] | None,
    explanations: Sequence[Explanation] | None = None,
    prediction_id: str | UnsetType = UNSET,
    *,
    named_us: Sequence[int | None] | None = None,
) -> bytes:
    """The JSON of the answer to one request, whose rows are those from `start`, one per score.

    features: `features_of`, where the request wants to see them. explanations: one per score, where it wants them.
    prediction_id: in the prediction log, where there is one. named_us: times of the events that the instances name.
    """
    predictions, degraded = [], False
    for at, score in enumerate(scores):
        is_named = named_us is not None and named_us[at] is not None
        prediction = _prediction(model, score, rows, start + at, None if features is None else features[at], is_named)
        degraded = degraded or prediction.degraded
        predictions.append(prediction)
    if explanations is not None:
        pairs = zip(predictions, explanations, strict=True)
        predictions = [msgspec.structs.replace(each, explanation=explanation) for each, explanation in pairs]
    freshness, receipt = shards_read(rows, start, start + len(scores), as_of_us)
    name = ModelName(model.name, model.version)
    return _encode(Answer(view, name, as_of_us, predictions, degraded, freshness, receipt, prediction_id))


def _prediction(
    model: Model,
    predicted: Any,
    rows: FeatureRows,
    row: int,
    features: Mapping[str, ShownValue] | None,
    is_named: bool,
) -> Prediction:
    ages: dict[str, float | None] = {}
    missing: list[str] = []
    degraded = False
    for group in rows.groups:
        ages[group.name] = group.ages_s[row]
        degraded = degraded or group.problems[row] is not None
        if group.missing[row]:
            missing.append(group.name)
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
        as_of_us=int(rows.as_of_us[row]) if is_named else UNSET,
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


def shards_read(
    rows: FeatureRows, start: int, stop: int, as_of_us: int
) -> tuple[dict[str, float | None], EncodedReceipt]:
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
