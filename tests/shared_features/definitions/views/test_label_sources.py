"""Labels of several sources fit each other, or the view is refused when it is imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared_features import Count, DefinitionError, Integer, LabelSource, LaterEvents, days, hours
from tests.shared_features.definitions.orders import view
from tests.shared_features.definitions.sources.test_label_source import OUTCOMES

REVIEWS = replace(OUTCOMES, name="reviews", topic="reviews")


def told(value: Any = "price", **changes: Any) -> LabelSource:
    plain: dict[str, Any] = {"source": OUTCOMES, "value": value, "join": "id", "delay": days(1)}
    return LabelSource(**{**plain, **changes})


def reviewed(value: Any = "price", **changes: Any) -> LabelSource:
    return told(value, source=REVIEWS, **changes)


CONTRADICTIONS: dict[str, tuple[Callable[[], Any], str]] = {
    "none": (lambda: (), "labels are of no source; give a LabelSource, or leave labels out"),
    "twice": (lambda: (told(), told(delay=days(2))), "labels outcomes.price are given twice; drop one"),
    "absence first": (lambda: (told(otherwise=0), reviewed()), "labels outcomes.price stand before others, and every"),
    "later events first": (
        lambda: (told(LaterEvents(None, Count(), hours(1))), reviewed()),
        "labels outcomes: count of events in the next 1 h stand before others",
    ),
    "two tasks": (
        lambda: (told(), reviewed("state")),
        "outcomes.price and reviews.state are not of the same outcomes: 'regression', and 'multiclass' of texts; give",
    ),
    "other classes": (
        lambda: (told("state", classes=("a", "b")), reviewed("state", classes=("b", "a"))),
        "'binary' of the classes ('a', 'b'), and 'binary' of the classes ('b', 'a'); give all one task",
    ),
    "texts and numbers": (
        lambda: (told("state"), reviewed("stars", task="multiclass")),
        "'multiclass' of texts, and 'multiclass'; give all one task",
    ),
    "the second alone is wrong": (lambda: (told(), reviewed("nothing")), "has no field 'nothing'"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_sources_that_do_not_fit_are_refused_with_what_to_do(name: str) -> None:
    labels, says = CONTRADICTIONS[name]
    with pytest.raises(DefinitionError) as refused:
        view(labels=labels())
    assert says in str(refused.value)


def test_a_view_says_what_is_predicted_and_when_each_label_is_known() -> None:
    several = view(labels=(told(delay=hours(1)), reviewed(delay=days(30), otherwise=0)))
    assert [each.source.name for each in several.label_sources] == ["outcomes", "reviews"]
    assert several.predicted == several.label_sources[0]
    assert several.label_delay == days(30)
    assert (view().label_sources, view().predicted, view().label_delay) == ((), None, days(0))
    assert view(labels=told()).label_sources == (told(),)


def test_numbers_of_other_bounds_are_one_task() -> None:
    fields = [replace(each, type=Integer()) if each.name == "stars" else each for each in REVIEWS.fields]
    wide = replace(REVIEWS, fields=tuple(fields))
    narrow = told("stars", task="regression")
    assert view(labels=(narrow, told("stars", source=wide, task="regression"))).predicted == narrow
