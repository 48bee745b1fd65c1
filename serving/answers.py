"""What a prediction request is answered with; `api_schemas` describes the same to clients."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from serving.feature_vector import FeatureRows
from serving.models import Model
from shared_features.definitions import FeatureView

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
    view: FeatureView,
    model: Model,
    as_of_us: int,
    scores: Sequence[float],
    rows: FeatureRows,
    start: int,
    include_features: bool,
) -> bytes:
    """The JSON of the answer to one request, whose rows are those from `start`, one per score."""
    stop = start + len(scores)
    predictions = [
        _prediction(score, rows, row, _names(view) if include_features else None)
        for row, score in enumerate(scores, start)
    ]
    answer = Answer(
        view=view.label,
        model=ModelName(model.name, model.version),
        as_of_us=as_of_us,
        predictions=predictions,
        degraded=any(each.degraded for each in predictions),
        freshness_seconds={each.name: _lag_s(each.consumed_until_us(start, stop), as_of_us) for each in rows.groups},
        receipt=_receipt(rows, start, stop),
    )
    return _encode(answer)


def _prediction(score: float, rows: FeatureRows, row: int, names: tuple[str, ...] | None) -> Prediction:
    groups = rows.groups
    return Prediction(
        score,
        {each.name: each.ages_s[row] for each in groups},
        [each.name for each in groups if each.missing[row]],
        any(each.ahead[row] for each in groups),
        any(each.problems[row] is not None for each in groups),
        msgspec.UNSET if names is None else _features(names, rows.matrix[row].tolist()),
    )


def _features(names: tuple[str, ...], values: list[float]) -> dict[str, float | str | None]:
    """By name; NaN is null. JSON has no infinity, and null would say "missing": it is written as a text."""
    features: dict[str, float | str | None] = dict(zip(names, values, strict=True))
    for name, value in zip(names, values, strict=True):
        if math.isinf(value):
            features[name] = "Infinity" if value > 0 else "-Infinity"
    return features


@lru_cache(maxsize=256)
def _names(view: FeatureView) -> tuple[str, ...]:
    return tuple(column.name for column in view.columns)


def _lag_s(consumed_until_us: int | None, as_of_us: int) -> float | None:
    """How far shards lag behind the instant; 0 where they have consumed beyond it, None where that is unknown."""
    return None if consumed_until_us is None else max(0, as_of_us - consumed_until_us) / 1e6


def _receipt(rows: FeatureRows, start: int, stop: int) -> Receipt:
    shards: dict[bytes, None] = {}  # an ordered set
    for group in rows.groups:
        for facts in group.facts[start:stop]:
            if facts is not None and facts.problem is None:
                shards[facts.receipt] = None
    text = b"[" + b",".join(shards) + b"]"
    return Receipt(hashlib.sha256(text).hexdigest(), msgspec.Raw(text))
