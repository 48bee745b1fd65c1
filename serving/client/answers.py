"""The answer to a prediction request as a client reads it. `serving.answer` says what each member means.

A member that a newer endpoint adds is left out, so an older client still reads the answer.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one instance. None: the model's task or the request does not ask for this member."""

    score: float | None = None
    decision: bool | None = None
    value: float | None = None
    class_: str | int | None = msgspec.field(default=None, name="class")
    probabilities: dict[str, float] | None = None
    feature_age_seconds: dict[str, float | None]
    missing_entities: tuple[str, ...]
    degraded: bool
    features: dict[str, float | str | bool | None] | None = None
    as_of_us: int | None = None
    explanation: dict[str, Any] | None = None


class ModelName(msgspec.Struct, frozen=True):
    """The model that answered."""

    name: str
    version: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one request: one prediction for each instance, in their order."""

    view: str
    model: ModelName
    as_of_us: int
    predictions: tuple[Prediction, ...]
    degraded: bool
    freshness_seconds: dict[str, float | None]
    receipt: dict[str, Any]
    prediction_id: str | None = None
