"""A definition that contradicts itself says so when it is imported, and says what to do."""

import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from shared_features import (
    Aggregate,
    Condition,
    Count,
    Decimal,
    DefinitionError,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    Integer,
    LabelSource,
    Mean,
    Text,
    Timestamp,
    Window,
    days,
    hours,
    load_definitions,
    minutes,
    seconds,
)
from shared_features.definitions.event_source import RESERVED_FIELDS
from shared_features.formats.offline_tables import EVENT_COLUMNS

FIELDS = (
    Field("id", Text()),
    Field("at", Timestamp()),
    Field("who", Integer()),
    Field("maybe", Integer(), optional=True),
    Field("price", Decimal(2, 0, 100)),
)
SOURCE = EventSource("orders", "orders", FIELDS, event_id="id", event_time="at")
WHO = Entity("who", ("who",))


def group(**changes: Any) -> FeatureGroup:
    plain: dict[str, Any] = {
        "name": "spend",
        "version": 1,
        "entity": WHO,
        "sources": (SOURCE,),
        "aggregates": (Aggregate("price", Mean(), (days(1),)),),
    }
    return FeatureGroup(**{**plain, **changes})


def shouted(price: Any, nobody: Any) -> Any:
    return price


def view(**changes: Any) -> FeatureView:
    plain: dict[str, Any] = {"name": "v", "version": 1, "source": SOURCE, "features": ("price", group())}
    return FeatureView(**{**plain, **changes})


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


def labels(value: str, **changes: Any) -> LabelSource:
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
    ],
)
def test_a_label_says_what_a_model_of_it_predicts(label: LabelSource, task: str, is_named: bool) -> None:
    assert (view(labels=label).labels, label.kind, label.is_named) == (label, task, is_named)


CONTRADICTIONS: dict[str, tuple[Callable[[], object], str]] = {
    "bounds too wide": (lambda: Field("x", Decimal(9, 0, 1e9)), "narrow the bounds"),
    "bounds swapped": (lambda: Field("x", Integer(3, 2)), "swap them"),
    "no identifier": (lambda: Field("a-b", Integer()), "rename it"),
    "event id missing": (lambda: replace(SOURCE, event_id="nope"), "'nope' is not among its fields"),
    "event time optional": (lambda: replace(SOURCE, event_id="maybe"), "is optional"),
    "event time no timestamp": (lambda: replace(SOURCE, event_time="who"), "not a Timestamp"),
    "field twice": (lambda: replace(SOURCE, fields=(*FIELDS, FIELDS[0])), "declared twice"),
    "field twice but for its case": (
        lambda: replace(SOURCE, fields=(*FIELDS, Field("AT", Integer()))),
        "declared twice",
    ),
    "field of every table": (
        lambda: replace(SOURCE, fields=(*FIELDS, Field("Kafka_Offset", Integer()))),
        "columns of every events table",
    ),
    "unknown column": (lambda: group(aggregates=(Aggregate("prize", Mean(), (days(1),)),)), "no field 'prize'"),
    "unknown key": (lambda: group(entity=Entity("e", ("nope",))), "no field 'nope'"),
    "optional key": (lambda: group(entity=Entity("e", ("maybe",))), "make it required"),
    "same feature twice": (
        lambda: group(aggregates=(Aggregate("price", Mean(), (days(1), days(1))),)),
        "price_mean_1d",
    ),
    "hop does not divide": (lambda: Window(hours(1), minutes(7)), "must divide"),
    "hops not nested": (
        lambda: group(
            aggregates=(Aggregate("price", Mean(), (Window(hours(1), minutes(4)), Window(hours(2), minutes(6)))),)
        ),
        "nested hops",
    ),
    "no default hop": (lambda: Aggregate("price", Mean(), (seconds(5),)), "write Window"),
    "mean without column": (lambda: Aggregate(None, Mean(), (days(1),)), "needs a column"),
    "condition of another type": (lambda: group(where=(Condition("price", ">", "much"),)), "another type"),
    "key not on the spine": (
        lambda: view(source=EventSource("o", "o", FIELDS[:2], event_id="id", event_time="at"), features=(group(),)),
        "lacks",
    ),
    "unknown input": (lambda: view(features=(group(), shouted)), "'nobody' of 'shouted'"),
    "feature twice": (lambda: view(features=(group(), group()["price_mean_1d"])), "appear twice"),
    "two versions": (lambda: view(features=(group(), group(version=2))), "two versions"),
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
        "Write task='binary' where it is 0 or 1, task='multiclass' .*, and task='regression' where it counts",
    ),
    "task that the label cannot mean": (
        lambda: view(labels=LabelSource(SOURCE, value="price", join="id", delay=days(1), task="binary")),
        "which task 'binary' cannot mean; leave task out, or write 'regression'",
    ),
    "label that joins on nothing": (
        lambda: view(labels=LabelSource(SOURCE, value="price", join=(), delay=days(1))),
        "join on no field",
    ),
    "no module": (lambda: load_definitions("no.such.module"), "MILLRACE_DEFINITIONS"),
    "empty module": (lambda: load_definitions("string"), "no feature group"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused_with_what_to_do(name: str) -> None:
    build, says = CONTRADICTIONS[name]
    with pytest.raises(DefinitionError, match=says):
        build()


def module_of(monkeypatch: pytest.MonkeyPatch, **definitions: Any) -> str:
    """The name of a module with these definitions."""
    module = ModuleType("written_definitions")
    vars(module).update(definitions)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module.__name__


def test_two_sources_of_one_topic_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record belongs to one source; the other one would get nothing, and nobody would say so."""
    renamed = replace(SOURCE, name="orders_2")
    module = module_of(monkeypatch, spend=group(), spend_2=group(version=2, sources=(renamed,)), view=view())
    with pytest.raises(DefinitionError, match="'orders' and 'orders_2' both read topic 'orders'"):
        load_definitions(module)


OTHER = group(aggregates=(Aggregate("price", Mean(), (days(2),)),))
SHARED_NAMES: dict[str, tuple[dict[str, Any], str]] = {
    "groups": (
        {"SPEND": group(), "SPENT": OTHER, "VIEW": view(features=("price",))},
        "feature group 'spend' is defined twice in version 1, differently: as SPEND and as SPENT; rename one, or raise",
    ),
    "a group of a view and another": ({"SPENT": OTHER, "VIEW": view()}, "differently: as SPENT; rename one"),
    "views": (
        {"FIRST": view(), "SECOND": view(features=("maybe", group()))},
        "feature view 'v' is defined twice in version 1, differently: as FIRST and as SECOND",
    ),
    "sources": (
        {"ORDERS": SOURCE, "AGAIN": replace(SOURCE, topic="again"), "VIEW": view()},
        "event source 'orders' is defined twice, differently: as ORDERS and as AGAIN; rename one",
    ),
}


@pytest.mark.parametrize("kind", SHARED_NAMES)
def test_two_definitions_of_one_name_are_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    definitions, says = SHARED_NAMES[kind]
    with pytest.raises(DefinitionError, match=says):
        load_definitions(module_of(monkeypatch, **definitions))


def test_one_definition_under_two_names_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = load_definitions(module_of(monkeypatch, SPEND=group(), ALSO=group(), VIEW=view()))
    assert [each.label for each in catalogue.groups] == ["spend:v1"]


def test_a_module_without_a_view_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        DefinitionError, match=r"holds no feature view, and feature groups spend: .* Define a FeatureView"
    ):
        load_definitions(module_of(monkeypatch, SPEND=group()))


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda found: found.view("vv"), "no feature view 'vv'; .* Did you mean 'v:v1'"),
        (lambda found: found.group("spend:1"), "no feature group 'spend:1'; .* Did you mean 'spend:v1'"),
        (lambda found: found.source("order"), "no event source 'order'; .* Did you mean 'orders'"),
    ],
)
def test_a_name_that_is_not_there_is_looked_for_nearby(
    ask: Callable[[Any], Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DefinitionError, match=says):
        ask(load_definitions(module_of(monkeypatch, VIEW=view())))


COUNTED = replace(SOURCE, fields=(*FIELDS, Field("price_mean_1d", Integer())))


def of_both(price_mean_1d: Any) -> Any:
    return price_mean_1d


def of_the_field(orders__price_mean_1d: Any) -> Any:
    return orders__price_mean_1d


def of_the_feature(spend__price_mean_1d: Any) -> Any:
    return spend__price_mean_1d


def test_an_input_of_a_group_that_the_view_does_not_read_is_refused_with_what_to_write() -> None:
    """The message had only a near name: of another group, and not what was meant."""
    with pytest.raises(DefinitionError, match=r"nor a feature of spend, which the view reads.*add that group to also"):
        view(features=(group(), of_another_group))


def of_another_group(change_mean_1d: Any) -> Any:
    return change_mean_1d


@pytest.mark.parametrize("asked", [of_both, "price_mean_1d"])
def test_a_field_and_a_stored_feature_of_one_name_are_told_apart_by_their_full_names(asked: Any) -> None:
    """Nobody could say which of the two a parameter meant; the field was taken, silently."""
    with pytest.raises(
        DefinitionError, match=r"ambiguous: write one of \['orders__price_mean_1d', 'spend__price_mean_1d'\]"
    ):
        view(source=COUNTED, features=(asked,), also_reads=(group(),))
    both = view(source=COUNTED, features=(of_the_field, of_the_feature), also_reads=(group(),))
    assert both.columns[0].inputs[0].field == "price_mean_1d"
    assert both.columns[1].inputs[0].feature == group()["price_mean_1d"]


def test_a_field_that_is_called_like_the_instant_of_the_request_is_told_apart_too() -> None:
    dated = replace(SOURCE, fields=(*FIELDS, Field("as_of_us", Integer())))
    with pytest.raises(DefinitionError, match=r"ambiguous: write one of \['as_of_us', 'orders__as_of_us'\]"):
        view(source=dated, features=("as_of_us",))
    assert view(source=dated, features=("orders__as_of_us",)).columns[0].inputs[0].field == "as_of_us"


def test_reserved_fields_are_those_of_the_events_table() -> None:
    assert RESERVED_FIELDS == EVENT_COLUMNS


def test_names_are_derived_and_never_typed_twice() -> None:
    spend = group(aggregates=(Aggregate("price", Mean(), (hours(1), days(30))), Aggregate(None, Count(), (days(7),))))
    assert [each.full_name for each in spend.features] == [
        "spend__price_mean_1h",
        "spend__price_mean_30d",
        "spend__count_7d",
    ]


def test_a_fingerprint_follows_meaning() -> None:
    assert group().fingerprint == group().fingerprint
    assert group().fingerprint != group(where=(Condition("price", ">", 1),)).fingerprint
    assert group().fingerprint != group(aggregates=(Aggregate("price", Mean(), (days(2),)),)).fingerprint


def test_a_catalogue_holds_all_that_its_views_refer_to() -> None:
    catalogue = load_definitions("tests.domains.machines")
    assert [each.label for each in catalogue.groups] == ["hot_plant:v1", "machine_heat:v3"]
    assert [each.name for each in catalogue.sources] == ["breakdowns", "readings"]
    assert [column.name for column in catalogue.view("breakdown").columns][-2:] == ["above_mean_1h", "is_new_firmware"]
    assert {field.name for field in catalogue.view("breakdown").request_fields} == {
        "plant", "machine", "celsius", "humidity", "firmware",
    }  # fmt: skip
