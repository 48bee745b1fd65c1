"""The task of a model, which its label tells: one of two outcomes, one of several, or a number."""

from __future__ import annotations

from typing import Literal, get_args

from shared_features.definitions.field_types import Boolean, Decimal, FieldType, Integer

Task = Literal["binary", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)


def possible_tasks(kind: FieldType) -> tuple[Task, ...]:
    """The tasks that a label of this type can mean; the first is what it means where nobody says."""
    if isinstance(kind, Boolean):
        return ("binary",)
    if isinstance(kind, Decimal):
        return ("regression",)
    if isinstance(kind, Integer):
        two = kind.low <= 0 and kind.high >= 1
        return ("binary", "regression") if two else ("regression",)
    return ()


def is_clear(kind: FieldType) -> bool:
    """Whether the type alone says the task: an integer beyond 0 and 1 may be a class or a count."""
    return len(possible_tasks(kind)) == 1 or (isinstance(kind, Integer) and (kind.low, kind.high) == (0, 1))
