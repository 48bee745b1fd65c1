"""A view that contradicts itself, or an input that may mean two things, says so when it is imported."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared_features import DefinitionError, EventSource, Field, Integer
from tests.shared_features.definitions.orders import FIELDS, SOURCE, group, view


def shouted(price: Any, nobody: Any) -> Any:
    return price


CONTRADICTIONS: dict[str, tuple[Callable[[], object], str]] = {
    "key not on the spine": (
        lambda: view(source=EventSource("o", "o", FIELDS[:2], event_id="id", event_time="at"), features=(group(),)),
        "lacks",
    ),
    "unknown input": (lambda: view(features=(group(), shouted)), "'nobody' of 'shouted'"),
    "feature twice": (lambda: view(features=(group(), group()["price_mean_1d"])), "appear twice"),
    "two versions": (lambda: view(features=(group(), group(version=2))), "two versions"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused_with_what_to_do(name: str) -> None:
    build, says = CONTRADICTIONS[name]
    with pytest.raises(DefinitionError, match=says):
        build()


COUNTED = replace(SOURCE, fields=(*FIELDS, Field("price_mean_1d", Integer())))


def of_both(price_mean_1d: Any) -> Any:
    return price_mean_1d


def of_the_field(orders__price_mean_1d: Any) -> Any:
    return orders__price_mean_1d


def of_the_feature(spend__price_mean_1d: Any) -> Any:
    return spend__price_mean_1d


def of_another_group(change_mean_1d: Any) -> Any:
    return change_mean_1d


def test_an_input_of_a_group_that_the_view_does_not_read_is_refused_with_what_to_write() -> None:
    """The message had only a near name: of another group, and not what was meant."""
    with pytest.raises(DefinitionError, match=r"nor a feature of spend, which the view reads.*add that group to also"):
        view(features=(group(), of_another_group))


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
