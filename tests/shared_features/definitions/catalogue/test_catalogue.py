"""What a module of definitions holds as a whole; two definitions of one name are refused."""

import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from shared_features import Aggregate, DefinitionError, Mean, days, load_definitions
from tests.shared_features.definitions.orders import SOURCE, group, view

CONTRADICTIONS: dict[str, tuple[Callable[[], object], str]] = {
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
        (lambda found: found.view("vv"), "There is no feature view 'vv'. There are: v:v1. Did you mean 'v:v1'"),
        (lambda found: found.group("spend:1"), "no feature group 'spend:1'; .* Did you mean 'spend:v1'"),
        (lambda found: found.source("order"), "no event source 'order'; .* Did you mean 'orders'"),
    ],
)
def test_a_name_that_is_not_there_is_looked_for_nearby(
    ask: Callable[[Any], Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DefinitionError, match=says):
        ask(load_definitions(module_of(monkeypatch, VIEW=view())))


def test_a_catalogue_holds_all_that_its_views_refer_to() -> None:
    catalogue = load_definitions("tests.domains.machines")
    assert [each.label for each in catalogue.groups] == ["hot_plant:v1", "machine_heat:v3"]
    assert [each.name for each in catalogue.sources] == ["breakdowns", "readings"]
    assert [column.name for column in catalogue.view("breakdown").columns][-2:] == ["above_mean_1h", "is_new_firmware"]
    assert {field.name for field in catalogue.view("breakdown").request_fields} == {
        "plant", "machine", "celsius", "humidity", "firmware",
    }  # fmt: skip
