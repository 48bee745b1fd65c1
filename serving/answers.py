"""What a prediction request is answered with; `api_schemas` describes the same to clients."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import msgspec

from serving.feature_vector import FeatureRows
from serving.models import Model

_encode = msgspec.json.Encoder().encode


class Prediction(msgspec.Struct, gc=False, frozen=True):
    """The answer for one instance. Groups are called by their name, as in the names of their features."""

    score: float
    feature_age_seconds: Mapping[str, float | None]
    missing_entities: Sequence[str]
    ahead: bool
    degraded: bool
    features: Mapping[str, float | str | None] | msgspec.UnsetType = msgspec.UNSET


class ModelName(msgspec.Struct, gc=False, frozen=True):
    """Which model answered."""

    name: str
    version: int


class Receipt(msgspec.Struct, gc=False, frozen=True):
    """Which state was read. `digest` is the sha256 of the text of `shards`, as it stands in the answer."""

    digest: str
    shards: msgspec.Raw


class Answer(msgspec.Struct, gc=False, frozen=True):
    """The answer to one request."""

    view: str
    model: ModelName
    as_of_us: int
    predictions: Sequence[Prediction]
    degraded: bool
    freshness_seconds: Mapping[str, float | None]
    receipt: Receipt


def write_answer(
    view: str,
    model: Model,
    as_of_us: int,
    scores: Sequence[float],
    rows: FeatureRows,
    start: int,
    names: tuple[str, ...] | None,
) -> bytes:
    """The JSON of the answer to one request, whose rows are those from `start`, one per score.

    names: those of the features, where the request wants to see them.
    """
    predictions, degraded = [], False
    for row, score in enumerate(scores, start):
        prediction = _prediction(score, rows, row, names)
        degraded = degraded or prediction.degraded
        predictions.append(prediction)
    freshness, receipt = _shards(rows, start, start + len(scores), as_of_us)
    name = ModelName(model.name, model.version)
    return _encode(Answer(view, name, as_of_us, predictions, degraded, freshness, receipt))


def _prediction(score: float, rows: FeatureRows, row: int, names: tuple[str, ...] | None) -> Prediction:
    ages: dict[str, float | None] = {}
    missing: list[str] = []
    ahead = degraded = False
    for group in rows.groups:
        ages[group.name] = group.ages_s[row]
        ahead = ahead or group.ahead[row]
        degraded = degraded or group.problems[row] is not None
        if group.missing[row]:
            missing.append(group.name)
    features = msgspec.UNSET if names is None else _features(names, rows.matrix[row].tolist())
    return Prediction(score, ages, missing, ahead, degraded, features)


def _features(names: tuple[str, ...], values: list[float]) -> dict[str, float | str | None]:
    """By name; NaN is null. JSON has no infinity, and null would say "missing": it is written as a text."""
    features: dict[str, float | str | None] = dict(zip(names, values, strict=True))
    for name, value in zip(names, values, strict=True):
        if math.isinf(value):
            features[name] = "Infinity" if value > 0 else "-Infinity"
    return features


def _shards(rows: FeatureRows, start: int, stop: int, as_of_us: int) -> tuple[dict[str, float | None], Receipt]:
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
    text = b"[" + b",".join(receipts) + b"]"
    return freshness, Receipt(hashlib.sha256(text).hexdigest(), msgspec.Raw(text))
