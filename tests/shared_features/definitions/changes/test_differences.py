"""What changed in a definition is named, in a line that a person can act on."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared_features import (
    Aggregate,
    ApproxDistinct,
    Condition,
    Count,
    Decimal,
    Entity,
    FeatureGroup,
    FeatureView,
    Field,
    GrownGroup,
    Integer,
    LabelSource,
    LaterEvents,
    Mean,
    Sum,
    Text,
    Window,
    days,
    hours,
    minutes,
)
from shared_features.definitions import definition_text, difference, events_difference
from shared_features.definitions.views.label_sources import Labels
from tests.shared_features.definitions.orders import FIELDS, SOURCE, WHO, group

HOURLY = Aggregate("price", Mean(), (Window(hours(1), minutes(5)),))
WEEKLY = Aggregate("price", Sum(), (days(7),))
BEFORE = group(aggregates=(HOURLY, WEEKLY), where=(Condition("price", ">", 1),))


def price_now(fields: Any = None, **changes: Any) -> FeatureGroup:
    """The group whose source has another `price`, or other attributes."""
    kept = tuple(Field("price", fields) if fields and each.name == "price" else each for each in FIELDS)
    return replace(BEFORE, sources=(replace(SOURCE, fields=kept, **changes),))


CHANGES: dict[str, FeatureGroup] = {
    "aggregates: sum of price over 7 d was removed": replace(BEFORE, aggregates=(HOURLY,)),
    "aggregates: hop of mean of price over 1 h: 5 min -> 1 min": replace(
        BEFORE, aggregates=(Aggregate("price", Mean(), (Window(hours(1), minutes(1)),)), WEEKLY)
    ),
    "aggregates: count over 1 d was added; put what was added into `added` of a GrownGroup to keep the others as they "
    "are, or raise the version": replace(BEFORE, aggregates=(HOURLY, WEEKLY, Aggregate(None, Count(), (days(1),)))),
    "aggregates: sum of price over 7 d was removed; "
    "aggregates: approx_distinct(k=64) of who over 7 d was added": replace(
        BEFORE, aggregates=(HOURLY, Aggregate("who", ApproxDistinct(64), (days(7),)))
    ),
    "aggregates: in another order": replace(BEFORE, aggregates=(WEEKLY, HOURLY)),
    "conditions: price > 1 was removed; conditions: price > 2 was added": replace(
        BEFORE, where=(Condition("price", ">", 2),)
    ),
    "shards: 4 -> 8": replace(BEFORE, shards=8),
    "entity: name: who -> whom": replace(BEFORE, entity=Entity("whom", ("who",))),
    "entity: keys: (who) -> (who, id)": replace(BEFORE, entity=Entity("who", ("who", "id"))),
    "source orders: field price: decimals 2 -> 3": price_now(Decimal(3, 0, 100)),
    "source orders: field price: type Decimal -> Integer": price_now(Integer()),
    "source orders: tolerated future: 5 min -> 1 min": price_now(tolerated_future=minutes(1)),
    "source orders: tolerated past: 10950 d -> 1 d": price_now(tolerated_past=days(1)),
    "head: 2 min -> 1 min": replace(BEFORE, head=minutes(1)),
    "source orders: topic: orders -> orders2": price_now(topic="orders2"),
    "source orders: fields: note was added": replace(
        BEFORE, sources=(replace(SOURCE, fields=(*FIELDS, Field("note", Text()))),)
    ),
    "sources: refunds was added": replace(BEFORE, sources=(SOURCE, replace(SOURCE, name="refunds"))),
    "shards: 4 -> 1; conditions: price > 1 was removed": replace(BEFORE, shards=1, where=()),
}


@pytest.mark.parametrize("says", CHANGES)
def test_a_change_of_a_group_is_named(says: str) -> None:
    found = difference(definition_text(BEFORE), CHANGES[says])
    assert sorted(found.split("; ")) == sorted(says.split("; "))
    assert "\n" not in found


def test_another_order_of_additions_is_named() -> None:
    grown = GrownGroup(BEFORE, (Aggregate(None, Count(), (days(1),)), Aggregate("price", Sum(), (days(1),))))
    turned = GrownGroup(BEFORE, grown.added[::-1])
    assert difference(definition_text(grown.parts[1]), turned.parts[1]) == (
        "aggregates: count over 1 d was removed; aggregates: sum of price over 1 d was added; this is number 1 of "
        "`added`, which grows at its end and keeps its order"
    )


def half(price: Any) -> Any:
    return price / 2


def half_otherwise() -> Any:
    def half(price: Any) -> Any:
        return price * 0.5

    return half


LABELS = LabelSource(SOURCE, value="price", join="id", delay=days(1))


def view_of(function: Any, labels: Labels = LABELS, own: FeatureGroup = BEFORE) -> FeatureView:
    return FeatureView("v", 1, SOURCE, ("price", own, function), labels)


def test_a_change_of_a_view_is_named() -> None:
    stored = definition_text(view_of(half))
    assert difference(stored, view_of(half_otherwise())) == "on-demand function half has changed"
    assert difference(stored, view_of(half, replace(LABELS, delay=days(2)))) == "labels: delay: 1 d -> 2 d"
    assert difference(stored, view_of(half, None)) == "labels were removed"
    dear = replace(LABELS, value=Condition(LABELS.column, ">", 5))
    assert difference(stored, view_of(half, dear)) == f"labels: value: {LABELS.column} -> {LABELS.column} > 5"
    assert difference(definition_text(view_of(half, dear)), view_of(half)).endswith(
        f"{LABELS.column} > 5 -> {LABELS.column}"
    )
    spent = replace(LABELS, value=LaterEvents("price", Sum(), days(1)))
    assert difference(stored, view_of(half, spent)).endswith("price -> sum of price in the next 1 d")
    paid = replace(LABELS, value=LaterEvents("price", Mean(), days(1), where=(Condition("who", ">", 1),)))
    assert difference(stored, view_of(half, paid)).endswith("-> mean of price with who > 1 in the next 1 d")
    silent = replace(LABELS, value=LaterEvents(None, Count(), days(1), "==", 0))
    assert difference(definition_text(view_of(half, spent)), view_of(half, silent)) == (
        "labels: value: sum of price in the next 1 d -> count of events in the next 1 d == 0"
    )
    soon = replace(LABELS, within=days(90))
    assert difference(stored, view_of(half, soon)) == "labels: within: none -> 90 d"
    other = difference(stored, view_of(half, own=replace(BEFORE, shards=1)))
    assert other == "group spend: shards: 4 -> 1"


def test_a_change_of_several_sources_of_labels_is_named() -> None:
    refunds = replace(LABELS, source=replace(SOURCE, name="refunds", topic="refunds"))
    one, two = definition_text(view_of(half)), view_of(half, (LABELS, refunds))
    assert difference(one, two) == "labels: refunds.price was added"
    assert difference(definition_text(two), view_of(half)) == "labels: refunds.price was removed"
    turned = view_of(half, (refunds, LABELS))
    assert difference(definition_text(two), turned) == "labels: in another order"
    later = view_of(half, (LABELS, replace(refunds, delay=days(9))))
    assert difference(definition_text(two), later) == "labels refunds.price: delay: 1 d -> 9 d"
    assert difference(definition_text(two), view_of(half, None)) == "labels were removed"


def test_what_else_decides_the_meaning_of_a_table_is_named() -> None:
    also: dict[str, Any] = {"spine": SOURCE, "lateness_us": 600_000_000, "lag_us": 0}
    stored = definition_text(BEFORE, **also)
    now = definition_text(BEFORE, **{**also, "lateness_us": 300_000_000})
    assert difference(stored, now) == "allowed lateness: 10 min -> 5 min"
    moved = definition_text(BEFORE, **{**also, "spine": replace(SOURCE, name="refunds")})
    assert difference(stored, moved) == "spine: orders -> refunds"
    quicker = definition_text(BEFORE, **{**also, "spine": replace(SOURCE, tolerated_future=minutes(1))})
    assert difference(stored, quicker) == "source orders: tolerated future: 5 min -> 1 min"


@pytest.mark.parametrize("stored", ["", "{", "[]", '{"aggregates": 7}', '{"sources": [1]}'])
def test_a_text_that_cannot_be_read_is_said_to_be_one(stored: str) -> None:
    assert "cannot be told" in difference(stored, BEFORE)


def test_equal_definitions_have_equal_texts() -> None:
    assert definition_text(BEFORE) == definition_text(replace(BEFORE, entity=replace(WHO)))
    assert difference(definition_text(BEFORE), BEFORE) == (
        "the meaning is the same, only the form in which definitions are stored has changed"
    )


def test_a_text_that_writes_every_default_down_is_compared_well() -> None:
    """As earlier releases stored it."""
    stored = json.loads(definition_text(BEFORE))
    source = stored["sources"][0][1]
    source |= {"event_time": "at", "tolerated_future": 300_000_000, "unknown_fields": "ignore"}
    for _, field in source["fields"]:
        field |= {"optional": field.get("optional", False)}
    stored |= {"shards": 4, "sources": [["EventSource", source]]}
    text = json.dumps(stored)
    assert difference(text, BEFORE) == (
        "the meaning is the same, only the form in which definitions are stored has changed"
    )
    assert difference(text, replace(BEFORE, shards=8)) == "shards: 4 -> 8"
    quicker = replace(SOURCE, tolerated_future=minutes(1))
    assert difference(text, replace(BEFORE, sources=(quicker,))) == "source orders: tolerated future: 5 min -> 1 min"
    assert events_difference(json.dumps({"source": ["EventSource", source]}), SOURCE) == ""
    assert events_difference(json.dumps({"source": ["EventSource", source]}), replace(SOURCE, event_id="who")) == (
        "source orders: event id: id -> who"
    )


def test_an_option_that_this_release_does_not_know_is_named() -> None:
    """As a later release stored it."""
    stored = json.loads(definition_text(BEFORE)) | {"shards": 8}
    stored["sources"][0][1]["compression"] = "zstd"
    assert difference(json.dumps(stored), BEFORE) == "shards: 8 -> 4; source orders: compression: zstd -> none"


def test_a_function_that_an_earlier_release_stored_as_text_is_said_to_be_one() -> None:
    stored = json.loads(definition_text(view_of(half))) | {
        "functions": {"half": "def half(price):\n    return price\n"}
    }
    assert difference(json.dumps(stored), view_of(half)) == (
        "on-demand function half: an earlier release stored its source, which cannot be compared"
    )
