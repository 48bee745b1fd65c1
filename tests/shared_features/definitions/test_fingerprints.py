"""A fingerprint follows the meaning of a definition and nothing else."""

from dataclasses import field, fields, is_dataclass, make_dataclass, replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from shared_features import (
    Aggregate,
    ApproxDistinct,
    Boolean,
    Category,
    Condition,
    Decimal,
    DefinitionError,
    FeatureGroup,
    FeatureView,
    Field,
    Integer,
    LabelSource,
    Mean,
    Rows,
    Sum,
    Text,
    Timestamp,
    Window,
    days,
    hours,
    load_definitions,
    minutes,
)
from shared_features.definitions import field_types, fingerprint
from shared_features.definitions import fields as field_module
from shared_features.definitions.fingerprints import canonical, plain_defaults
from shared_features.definitions.groups import aggregate, feature_group
from shared_features.definitions.sources import event_source
from shared_features.definitions.views import feature_view
from shared_features.kernel import aggregations
from tests.shared_features.definitions.orders import FIELDS, SOURCE, WHO, group, view

GOLDEN = {
    "shared_features.feature_views": {
        "card_fraud:v1": "15e65ac52f8eeff7",
        "customer_places:v1": "dee8c6465ffea03e",
        "customer_spend:v1": "b0369007d6f3b8a3",
        "terminal_risk:v1": "15eafbc57ac81594",
    },
    "tests.domains.machines": {
        "breakdown:v1": "c7914f99aa054595",
        "hot_plant:v1": "9d6cc601ad69d89d",
        "machine_heat:v3": "78da6d2ee881b333",
    },
    "tests.domains.probes": {
        "probe_alarm:v1": "affb33e161783bb5",
        "probe_level:v1": "075bde1bd623c5ac",
    },
    "tests.domains.web_shop": {
        "category_gifts:v1": "981755cdce57244a",
        "order_return:v1": "425618d5d3791a76",
        "product_orders:v1": "e10a8022f0b08241",
        "product_returns:v1": "0a8ce8733afaf0d1",
        "visitor_clicks:v1": "458695054f25b374",
        "visitor_orders:v1": "602e21db863b85a8",
    },
}


@pytest.mark.parametrize("module", GOLDEN)
def test_what_is_stored_keeps_its_fingerprint(module: str) -> None:
    """If this fails, every shard, table and model that is stored would be refused as one of another definition.

    Was a definition of that module changed on purpose? Then write the new fingerprint here.
    Was a class or a function of `shared_features` changed? Then give the new option a default, restore the old default,
    or restore the old name. docs/compatibility.md says what may change and how.
    """
    catalogue = load_definitions(module)
    found = {each.label: each.fingerprint for each in catalogue.groups}
    found |= {each.label: each.fingerprint for each in catalogue.views}
    assert found == GOLDEN[module]


LABELS = LabelSource(SOURCE, value="price", join="id", delay=days(1))
REFUNDS = replace(SOURCE, name="refunds", topic="refunds")
SPEND = group(where=(Condition("price", ">", 1),))

IN_AGGREGATIONS: list[Any] = list(vars(aggregations).values())
AGGREGATIONS = [each for each in IN_AGGREGATIONS if hasattr(each, "wording") and hasattr(each, "__dataclass_fields__")]

CHANGED: dict[Any, dict[str, Any]] = {
    # a definition: each of its options with another value
    SOURCE: {
        "name": "orders2",
        "topic": "orders2",
        "fields": FIELDS[:-1],
        "event_id": "who",
        "event_time": "then",
        "tolerated_future": minutes(1),
        "unknown_fields": "reject",
        "format": "messagepack",
        "tolerated_past": minutes(9),
    },
    FIELDS[-1]: {"name": "prize", "type": Integer(), "optional": True},
    Integer(): {"low": 0, "high": 9},
    Decimal(2, 0, 9): {"decimals": 1, "low": 1, "high": 8},
    Boolean(): {},
    Timestamp(): {"unit": "ms"},
    Text(): {"max_length": 9},
    WHO: {"name": "whom", "keys": ("who", "id")},
    Condition("price", ">", 1): {"column": "who", "operator": "<", "value": 2},
    Window(hours(2), hours(1)): {"length": hours(3), "hop": minutes(30)},
    Aggregate("price", Mean(), (days(1),)): {"column": "who", "aggregation": Sum(), "windows": (days(2),)},
    SPEND: {
        "name": "spend2",
        "version": 2,
        "entity": replace(WHO, name="whom"),
        "sources": (SOURCE, REFUNDS),
        "aggregates": (Aggregate("price", Sum(), (days(1),)),),
        "where": (),
        "shards": 8,
        "head": minutes(1),
        "part": 1,
    },
    LABELS: {
        "source": REFUNDS,
        "value": "who",
        "join": "who",
        "delay": days(2),
        "task": "regression",
        "classes": (1, 2),
        "otherwise": 0,
        "within": days(90),
    },
    view(): {
        "name": "v2",
        "version": 2,
        "source": REFUNDS,
        "features": (group(),),
        "labels": LABELS,
        "also_reads": (group(name="other"),),
    },
    Category("kind"): {"feature": "other", "at_most": 7},
    **{each(): {} for each in AGGREGATIONS},
    ApproxDistinct(): {"k": 64},
}
MODULES: tuple[ModuleType, ...] = (aggregate, event_source, feature_group, feature_view, field_types, field_module)
DERIVED = {"Feature", "GrownGroup", "Input", "StoredRun", "ViewFeature"}
"""Dataclasses without a fingerprint: they follow from definitions, or hold several that have one each."""


def id_of(definition: Any) -> str:
    return type(definition).__name__


def meaning(definition: Any) -> str:
    return definition.fingerprint if isinstance(definition, FeatureGroup | FeatureView) else canonical(definition)


def options_of(definition: Any) -> dict[str, Any]:
    return {each.name: getattr(definition, each.name) for each in fields(definition)}


def test_every_class_of_definitions_is_changed_here() -> None:
    classes = {each for module in MODULES for each in vars(module).values() if isinstance(each, type)}
    names = {
        each.__name__
        for each in classes
        if is_dataclass(each) and each.__module__.startswith("shared_features.definitions")
    } - DERIVED
    assert {id_of(each) for each in CHANGED} == names | {each.__name__ for each in AGGREGATIONS}


@pytest.mark.parametrize("definition", CHANGED, ids=id_of)
def test_every_option_that_means_something_changes_the_fingerprint(definition: Any) -> None:
    meant = {each.name for each in fields(definition) if each.compare}
    assert meant == CHANGED[definition].keys(), "write another value of the new option into CHANGED"
    for name, other in CHANGED[definition].items():
        before = definition
        if name == "event_time":
            before = replace(definition, fields=(*FIELDS, Field("then", Timestamp())))
        assert meaning(replace(before, **{name: other})) != meaning(before), name


@pytest.mark.parametrize("definition", CHANGED, ids=id_of)
def test_what_only_documents_changes_nothing(definition: Any) -> None:
    for name in (each.name for each in fields(definition) if not each.compare):
        said = (Rows(1, every=timedelta(hours=1)),) if name == "expectations" else "Said of it."
        documented = replace(definition, **{name: said})
        assert documented == definition
        assert meaning(documented) == meaning(definition)


@pytest.mark.parametrize("definition", CHANGED, ids=id_of)
def test_an_option_with_a_default_can_be_added(definition: Any) -> None:
    """Nothing that is stored is invalidated by it; a value that is not the default is another meaning."""
    of = type(definition)
    grown = make_dataclass(of.__name__, [("brand_new", int, field(default=7, kw_only=True))], bases=(of,), frozen=True)
    assert meaning(grown(**options_of(definition))) == meaning(definition)
    assert meaning(grown(**options_of(definition), brand_new=8)) != meaning(definition)


def test_an_option_can_be_added_to_what_a_group_is_made_of() -> None:
    def grown(definition: Any) -> Any:
        of = type(definition)
        made = make_dataclass(
            of.__name__, [("brand_new", int, field(default=7, kw_only=True))], bases=(of,), frozen=True
        )
        return made(**options_of(definition))

    fields_now = tuple(replace(grown(each), type=grown(each.type)) for each in FIELDS)
    source = grown(replace(SOURCE, fields=fields_now))
    aggregates = tuple(grown(replace(each, aggregation=grown(each.aggregation))) for each in SPEND.aggregates)
    where = tuple(map(grown, SPEND.where))
    now = replace(SPEND, sources=(source,), entity=grown(WHO), aggregates=aggregates, where=where)
    assert grown(now).fingerprint == SPEND.fingerprint


def test_a_default_is_never_changed() -> None:
    """It is part of every stored fingerprint that leaves it out: the fingerprint stays and the meaning would not.

    Do you want another default? Add an option with another name, and let the old one go on meaning what it means.
    """
    defaults = {id_of(each): plain_defaults(type(each)) for each in CHANGED}
    assert {name: each for name, each in defaults.items() if each} == {
        "ApproxDistinct": {"k": 256},
        "Category": {"at_most": 100},
        "EventSource": {
            "event_time": "event_time",
            "tolerated_future": 300_000_000,
            "unknown_fields": "ignore",
            "format": "json",
            "tolerated_past": 946_080_000_000_000,
        },
        "FeatureGroup": {"where": [], "shards": 4, "head": 120_000_000, "part": 0},
        "FeatureView": {"labels": None, "also_reads": []},
        "Field": {"optional": False},
        "Integer": {"low": -(2**52), "high": 2**52},
        "LabelSource": {"task": None, "classes": [], "otherwise": None, "within": None},
        "Text": {"max_length": 256},
        "Timestamp": {"unit": "us"},
    }


def test_labels_of_one_source_mean_the_same_however_they_are_written() -> None:
    one, listed = view(labels=LABELS), view(labels=(LABELS,))
    assert listed == one
    assert listed.fingerprint == one.fingerprint
    several = view(labels=(LABELS, replace(LABELS, source=REFUNDS)))
    assert (
        len({one.fingerprint, several.fingerprint, replace(several, labels=several.label_sources[::-1]).fingerprint})
        == 3
    )


def test_numbers_that_are_equal_have_equal_texts() -> None:
    assert canonical(Decimal(2, 0, 100)) == canonical(Decimal(2, 0.0, 100.0))
    assert canonical(Condition("price", ">", 1.5)) != canonical(Condition("price", ">", 1))


def test_a_value_that_has_no_text_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"holds \{1\}, a set, which has no place in a fingerprint"):
        fingerprint({1})
    assert fingerprint(timedelta(days=1)) == fingerprint(86_400_000_000)
