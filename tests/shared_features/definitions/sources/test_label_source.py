"""A label says what a model of it predicts; one that contradicts itself says so when it is imported."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from shared_features import (
    Condition,
    Count,
    Decimal,
    DefinitionError,
    EventSource,
    Field,
    Integer,
    LabelSource,
    Last,
    LaterEvents,
    Max,
    Mean,
    Sum,
    Text,
    Timestamp,
    days,
    hours,
)
from tests.shared_features.definitions.orders import SOURCE, view

OUTCOMES = EventSource(
    name="outcomes",
    topic="outcomes",
    fields=(
        Field("id", Text(36)),
        Field("at", Timestamp("ms")),
        Field("paid_at", Timestamp("ms")),
        Field("state", Text(8)),
        Field("stars", Integer(1, 5)),
        Field("price", Decimal(2, 0, 1_000)),
    ),
    event_id="id",
    event_time="at",
)


def labels(value: str | Condition | LaterEvents, **changes: Any) -> LabelSource:
    return LabelSource(OUTCOMES, value=value, join="id", delay=days(1), **changes)


@pytest.mark.parametrize(
    ("label", "task", "is_named"),
    [
        (labels("state"), "multiclass", True),
        (labels("state", classes=("paid", "open", "lost")), "multiclass", True),
        (labels("state", classes=("open", "paid")), "binary", True),
        (labels("state", classes=("open", "paid"), task="multiclass"), "multiclass", True),
        (labels("stars", task="multiclass"), "multiclass", True),
        (labels("stars", classes=(1, 5)), "binary", True),
        (labels("stars", task="regression"), "regression", False),
        (labels("price"), "regression", False),
        (labels(Condition("state", "==", "lost")), "binary", False),
        (labels(Condition("stars", ">=", 4), otherwise=False), "binary", False),
        (labels(LaterEvents("price", Sum(), days(1))), "regression", False),
        (labels(LaterEvents(None, Count(), days(1))), "regression", False),
        (labels(LaterEvents(None, Count(), days(1), "==", 0)), "binary", False),
    ],
)
def test_a_label_says_what_a_model_of_it_predicts(label: LabelSource, task: str, is_named: bool) -> None:
    assert (view(labels=label).labels, label.kind, label.is_named) == (label, task, is_named)


CONTRADICTIONS: dict[str, tuple[Callable[[], object], str]] = {
    "label join missing": (
        lambda: view(labels=LabelSource(SOURCE, value="price", join="nope", delay=days(1))),
        "join on 'nope'",
    ),
    "label is an instant": (
        lambda: view(labels=labels("paid_at")),
        "label 'paid_at' of .* is Timestamp .*, which no model predicts; write a Boolean .* a Text or an Integer",
    ),
    "label names an event": (
        lambda: view(labels=LabelSource(SOURCE, value="id", join="id", delay=days(1))),
        "label 'id' of .* is Text .*, which names an event, so no model predicts it; name the field of the outcome",
    ),
    "score of a text that nobody names": (
        lambda: view(labels=labels("state", task="binary")),
        "the score is of one of two texts; write classes=",
    ),
    "text that should be a number": (
        lambda: view(labels=labels("state", task="regression")),
        "which task 'regression' cannot mean; leave task out, or write 'multiclass' or 'binary'",
    ),
    "classes of a number": (
        lambda: view(labels=labels("price", classes=(1, 2))),
        "classes are given only of a Text or an Integer; leave classes out",
    ),
    "classes of a regression": (
        lambda: view(labels=labels("stars", task="regression", classes=(1, 2))),
        "which has none; leave one of them out",
    ),
    "one class": (lambda: view(labels=labels("state", classes=("paid",))), "give two or more"),
    "class twice": (lambda: view(labels=labels("state", classes=("paid", "paid"))), "class 'paid' is given twice"),
    "binary of three": (
        lambda: view(labels=labels("stars", task="binary", classes=(1, 2, 3))),
        "task is 'binary' and 3 classes are given; give two, or write task='multiclass'",
    ),
    "class of another type": (
        lambda: view(labels=labels("stars", classes=(1, "two"))),
        "class 'two' is not a whole number from 1 to 5, as the label is",
    ),
    "class out of bounds": (lambda: view(labels=labels("stars", classes=(5, 6))), "class 6 is not a whole number"),
    "class too long": (lambda: view(labels=labels("state", classes=("paid", "x" * 9))), "at most 8 characters"),
    "label of an unclear integer": (
        lambda: view(labels=LabelSource(SOURCE, value="who", join="id", delay=days(1))),
        "Write classes=.OTHER, THE ONE OF THE SCORE. where it has two values, such as 0 and 1, task='multiclass' .*, "
        "and task='regression' where it counts",
    ),
    "one of two, and the numbers are many": (
        lambda: view(labels=labels("stars", task="binary")),
        r"label 'stars' of 'outcomes' is Integer .*: task is 'binary', and the score is of one of two values; write "
        r"classes=\(OTHER, THE ONE OF THE SCORE\), as in classes=\(1, 5\)",
    ),
    "task that the label cannot mean": (
        lambda: view(labels=LabelSource(SOURCE, value="price", join="id", delay=days(1), task="binary")),
        "which task 'binary' cannot mean; leave task out, or write 'regression'",
    ),
    "condition on a field that is missing": (
        lambda: view(labels=labels(Condition("stat", "==", "lost"))),
        "feature view 'v': label: source 'outcomes' has no field 'stat'. Did you mean 'state'?",
    ),
    "condition of another type": (
        lambda: view(labels=labels(Condition("state", "==", 1))),
        "label: condition on 'state' compares it with another type: .*; write a text",
    ),
    "condition that nothing meets": (
        lambda: view(labels=labels(Condition("stars", ">", 5))),
        "label: no event meets the condition stars > 5",
    ),
    "condition on what names an event": (
        lambda: view(labels=labels(Condition("id", "==", "a"))),
        "label id == 'a' of 'outcomes' is Boolean .*, which names an event",
    ),
    "classes of a condition": (
        lambda: view(labels=labels(Condition("state", "==", "lost"), classes=("paid", "lost"))),
        "label state == 'lost' of 'outcomes' is Boolean .*: classes are given only of a Text",
    ),
    "task of a condition": (
        lambda: view(labels=labels(Condition("stars", ">", 3), task="regression")),
        "which task 'regression' cannot mean; leave task out",
    ),
    "condition that is a text": (
        lambda: view(labels=labels('state = "lost"')),
        r"""label 'state = "lost"' is a text; write value=Condition\('state', '==', "lost"\)""",
    ),
    "label that joins on nothing": (
        lambda: view(labels=LabelSource(SOURCE, value="price", join=(), delay=days(1))),
        "join on no field",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused_with_what_to_do(name: str) -> None:
    build, says = CONTRADICTIONS[name]
    with pytest.raises(DefinitionError, match=says):
        build()


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (lambda: labels("state", classes=("open", "paid"), otherwise="lost"), "not among the classes"),
        (lambda: labels("stars", task="regression", otherwise=0), "otherwise is 0, which is not"),
        (lambda: labels("stars", task="regression", otherwise=True), "otherwise is True, which is not"),
        (lambda: labels("price", otherwise="nothing"), "otherwise is 'nothing', which is not"),
        (lambda: labels("state", otherwise=1), "otherwise is 1, which is not"),
        (lambda: labels(Condition("stars", ">", 3), otherwise=1), "otherwise is 1, which is not true or false"),
    ],
)
def test_what_an_event_without_a_label_has_is_a_label_itself(label: Callable[[], LabelSource], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        label().check("view", SOURCE)
    for right in (
        labels("state", classes=("open", "paid"), otherwise="open"),
        labels("price", otherwise=0.0),
        labels("stars", task="regression", otherwise=3),
    ):
        right.check("view", SOURCE)


@pytest.mark.parametrize(
    ("label", "says"),
    [
        (
            lambda: labels(LaterEvents("price", Last(), days(1))),
            "last of later events is not a label; write Count(), Sum(), Mean(), Min() or Max()",
        ),
        (lambda: labels(LaterEvents("state", Sum(), days(1))), "'state' has no numbers for a sum; name a field"),
        (lambda: labels(LaterEvents(None, Mean(), days(1))), "None has no numbers for a mean; name a field that has"),
        (lambda: labels(LaterEvents("paid_at", Sum(), days(1))), "'paid_at' has no numbers for a sum"),
        (lambda: labels(LaterEvents("prise", Sum(), days(1))), "has no field 'prise'. Did you mean 'price'"),
        (lambda: labels(LaterEvents(None, Count(), days(0))), "within 0 s are always 0; give more"),
        (lambda: labels(LaterEvents(None, Count(), days(2))), "counted for 2 d, and the delay is 1 d, when they"),
        (
            lambda: labels(LaterEvents(None, Count(), days(1), None, 5)),
            "threshold is 5, and nothing is compared with it",
        ),
        (lambda: labels(LaterEvents(None, Count(), days(1), ">", math.inf)), "compared with inf; write a number"),
        (lambda: labels(LaterEvents(None, Count(), days(1), ">=", 0)), "so >= 0 tells nothing apart; write another"),
        (lambda: labels(LaterEvents(None, Count(), days(1), "==", 0.5)), "so == 0.5 tells nothing apart"),
        (lambda: labels(LaterEvents(None, Count(), days(1), where=(Condition("nope", ">", 1),))), "no field 'nope'"),
        (lambda: labels(LaterEvents(None, Count(), days(1)), otherwise=0), "then it is of 0. Leave otherwise out"),
        (lambda: labels(LaterEvents(None, Count(), days(1)), task="multiclass"), "task 'multiclass' cannot mean"),
        (lambda: labels(LaterEvents(None, Count(), days(1)), classes=(0, 1)), "leave classes out"),
    ],
)
def test_later_events_that_cannot_be_counted_are_refused(label: Callable[[], LabelSource], says: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        view(labels=label())
    assert says in str(refused.value)


def test_later_events_of_a_key_that_may_be_missing_are_refused() -> None:
    later = LabelSource(SOURCE, LaterEvents(None, Count(), days(1)), join="maybe", delay=days(1))
    with pytest.raises(DefinitionError, match="'maybe', which is optional, so it is not known whose later events"):
        view(labels=later)


def test_later_events_say_what_is_predicted() -> None:
    assert labels(LaterEvents("price", Sum(), days(1))).words == "sum of price in the next 1 d"
    dear = labels(LaterEvents("price", Max(), days(1), where=(Condition("state", "==", "paid"),)))
    assert dear.words == "max of price with state == 'paid' in the next 1 d"
    silent = labels(LaterEvents(None, Count(), days(1), "==", 0))
    assert silent.words == "count of events in the next 1 d == 0"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"within": days(0)}, "within 0 s of their event, so none does; give more, as in days(90)"),
        ({"within": days(-1)}, "of their event, so none does"),
        ({"within": days(2), "otherwise": 0}, "an event without one is 0 after 1 d, when one may still come; give a"),
        (
            {"value": LaterEvents(None, Count(), days(1)), "within": days(1)},
            "for how long they count; leave within out",
        ),
        ({"within": 90}, "within is 90"),
    ],
)
def test_a_window_in_which_no_label_can_count_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        view(labels=LabelSource(**{"source": OUTCOMES, "value": "price", "join": "id", "delay": days(1), **changes}))
    assert says in str(refused.value)


def test_a_window_of_labels_may_be_longer_or_shorter_than_their_delay() -> None:
    for changes in ({"within": days(90)}, {"within": days(1), "otherwise": 0}, {"within": hours(1)}):
        labels("price", **changes).check("view", SOURCE)
