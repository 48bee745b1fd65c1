"""The task of a model, which its label tells: one of two outcomes, one of several, or a number."""

from __future__ import annotations

from typing import Literal

from shared_features.definitions.field_types import Boolean, Decimal, FieldType, Integer, Text

Task = Literal["binary", "multiclass", "regression"]


def possible_tasks(kind: FieldType) -> tuple[Task, ...]:
    """The tasks that a label of this type can mean; the first is what it means where nobody says."""
    if isinstance(kind, Boolean):
        return ("binary",)
    if isinstance(kind, Decimal):
        return ("regression",)
    if isinstance(kind, Text):
        return ("multiclass", "binary")
    if isinstance(kind, Integer):
        return ("binary", "multiclass", "regression")
    return ()


def is_clear(kind: FieldType) -> bool:
    """Whether the type alone says the task: an integer beyond 0 and 1 may be a class or a count."""
    return not isinstance(kind, Integer) or (kind.low, kind.high) == (0, 1)
