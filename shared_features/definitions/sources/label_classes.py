"""The classes of a label: its outcomes under their own names, in the order in which a model gives them."""

from __future__ import annotations

from collections import Counter

from shared_features.definitions.field_types import Boolean, FieldType, Integer, Text
from shared_features.definitions.sources.task import Task, is_clear

Classes = tuple[str | int, ...]
MOST_CLASSES = 200
"""More are names or numbers rather than outcomes, and boosting grows a tree of each in every round."""


def classes_contradiction(classes: Classes, kind: FieldType, task: Task) -> str | None:
    """What is wrong with the classes that are given for a label of this type and task, and what to write."""
    if not classes:
        return _without(kind, task)
    if not isinstance(kind, Text | Integer):
        return "classes are given only of a Text or an Integer; leave classes out"
    if task == "regression":
        return "classes are given and task is 'regression', which has none; leave one of them out"
    if twice := [each for each, count in Counter(classes).items() if count > 1]:
        return f"class {twice[0]!r} is given twice; drop one"
    if len(classes) < 2:
        return f"classes are {classes!r}; give two or more"
    if len(classes) > MOST_CLASSES:
        return f"{len(classes):,} classes are given, and a model tells {MOST_CLASSES} apart at most; give fewer"
    if task == "binary" and len(classes) != 2:
        return f"task is 'binary' and {len(classes)} classes are given; give two, or write task='multiclass'"
    if wrong := [each for each in classes if not can_be_class(each, kind)]:
        return f"class {wrong[0]!r} is not {kind.accepts}, as the label is; correct it"
    return None


def can_be_class(value: object, kind: Text | Integer) -> bool:
    """Whether a label of this type can have the value."""
    if isinstance(kind, Text):
        return isinstance(value, str) and len(value) <= kind.max_length
    return isinstance(value, int) and kind.low <= value <= kind.high


def can_have(value: object, kind: FieldType) -> bool:
    """Whether a field of this type, of those whose values are names, can have the value."""
    if isinstance(kind, Text | Integer):
        return not isinstance(value, bool) and can_be_class(value, kind)
    return isinstance(value, bool) or value in (0, 1)


def otherwise_contradiction(otherwise: bool | int | float | str, classes: Classes, kind: FieldType) -> str | None:
    """What is wrong with the label that an event has without one, and what to write."""
    if classes and otherwise not in classes:
        return f"otherwise is {otherwise!r}, which is not among the classes {classes!r}; write one of them"
    if isinstance(kind, Boolean):
        fits = isinstance(otherwise, bool)
    elif isinstance(kind, Text):
        fits = isinstance(otherwise, str) and len(otherwise) <= kind.max_length
    else:
        number = isinstance(otherwise, int | float) and not isinstance(otherwise, bool)
        whole = not isinstance(kind, Integer) or isinstance(otherwise, int)
        fits = number and whole and kind.low <= otherwise <= kind.high  # type: ignore[attr-defined]
    return None if fits else f"otherwise is {otherwise!r}, which is not {kind.accepts}, as the label is; correct it"


def _without(kind: FieldType, task: Task) -> str | None:
    if isinstance(kind, Text) and task == "binary":
        return "task is 'binary', and the score is of one of two texts; write classes=(OTHER, THE ONE OF THE SCORE)"
    if isinstance(kind, Integer) and task == "binary" and not is_clear(kind):
        two = (0, 1) if kind.low <= 0 and kind.high >= 1 else (kind.low, kind.high)
        return (
            "task is 'binary', and the score is of one of two values; write classes=(OTHER, THE ONE OF THE SCORE), as "
            f"in classes={two!r}"
        )
    return None
