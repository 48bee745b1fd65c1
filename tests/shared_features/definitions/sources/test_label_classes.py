"""The classes of a label: given where its type alone does not say them, and each a value of the field."""

from typing import Any

import pytest

from shared_features.definitions import Boolean, Decimal, Integer, Text
from shared_features.definitions.field_types import FieldType
from shared_features.definitions.sources.label_classes import MOST_CLASSES, classes_contradiction
from shared_features.definitions.sources.task import Task, is_clear, possible_tasks

WORDS, COUNTS, ORDERS = Text(max_length=4), Integer(low=0, high=9), Integer(low=0, high=999)


@pytest.mark.parametrize(
    ("classes", "kind", "task", "wrong"),
    [
        ((), WORDS, "multiclass", None),
        ((), COUNTS, "binary", "of two values; write classes=(OTHER, THE ONE OF THE SCORE)"),
        ((), Integer(low=0, high=1), "binary", None),
        ((), WORDS, "binary", "write classes=(OTHER, THE ONE OF THE SCORE)"),
        (("no", "yes"), WORDS, "binary", None),
        (("a", "b", "c"), WORDS, "multiclass", None),
        ((0, 9), COUNTS, "binary", None),
        (("a", "b"), Boolean(), "binary", "only of a Text or an Integer"),
        ((0, 1), Decimal(2, low=0, high=1), "regression", "only of a Text or an Integer"),
        ((0, 1), COUNTS, "regression", "which has none"),
        (("a", "b", "a"), WORDS, "multiclass", "'a' is given twice"),
        (("a",), WORDS, "multiclass", "give two or more"),
        (("a", "b", "c"), WORDS, "binary", "3 classes are given"),
        (("a", "five!"), WORDS, "binary", "class 'five!' is not"),
        ((0, 10), COUNTS, "binary", "class 10 is not"),
        ((0, "1"), COUNTS, "binary", "class '1' is not"),
        (("a", 1), WORDS, "binary", "class 1 is not"),
        (tuple(range(MOST_CLASSES)), ORDERS, "multiclass", None),
        (tuple(range(MOST_CLASSES + 1)), ORDERS, "multiclass", "201 classes are given, and a model tells 200 apart"),
    ],
)
def test_what_is_wrong_with_classes_is_said(
    classes: tuple[Any, ...], kind: FieldType, task: Task, wrong: str | None
) -> None:
    found = classes_contradiction(classes, kind, task)
    assert (found is None) == (wrong is None), found
    assert wrong is None or wrong in str(found)


@pytest.mark.parametrize(
    ("kind", "tasks", "clear"),
    [
        (Boolean(), ["binary"], True),
        (Decimal(2, low=0, high=1), ["regression"], True),
        (WORDS, ["multiclass", "binary"], True),
        (Integer(low=0, high=1), ["binary", "multiclass", "regression"], True),
        (COUNTS, ["binary", "multiclass", "regression"], False),
        (Integer(low=1, high=5), ["binary", "multiclass", "regression"], False),
    ],
)
def test_a_type_means_its_first_task_where_nobody_says_another(kind: FieldType, tasks: list[Task], clear: bool) -> None:
    assert list(possible_tasks(kind)) == tasks
    assert is_clear(kind) == clear
