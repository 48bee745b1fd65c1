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
    "label is text": (lambda: view(labels=LabelSource(SOURCE, value="id", join="id", delay=days(1))), "not a number"),
    "no module": (lambda: load_definitions("no.such.module"), "MILLRACE_DEFINITIONS"),
    "empty module": (lambda: load_definitions("string"), "no feature group"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused_with_what_to_do(name: str) -> None:
    build, says = CONTRADICTIONS[name]
    with pytest.raises(DefinitionError, match=says):
        build()


def test_two_sources_of_one_topic_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record belongs to one source; the other one would get nothing, and nobody would say so."""
    renamed = replace(SOURCE, name="orders_2")
    module = ModuleType("both_sources")
    module.spend, module.spend_2 = group(), group(version=2, sources=(renamed,))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with pytest.raises(DefinitionError, match="'orders' and 'orders_2' both read topic 'orders'"):
        load_definitions(module.__name__)


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
