"""An aggregate or a window that contradicts itself says so when it is imported. Names are derived."""

from collections.abc import Callable

import pytest

from shared_features import Aggregate, Count, DefinitionError, Mean, Window, days, hours, minutes, seconds
from tests.shared_features.definitions.orders import group

CONTRADICTIONS: dict[str, tuple[Callable[[], object], str]] = {
    "unknown column": (lambda: group(aggregates=(Aggregate("prize", Mean(), (days(1),)),)), "no field 'prize'"),
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
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused_with_what_to_do(name: str) -> None:
    build, says = CONTRADICTIONS[name]
    with pytest.raises(DefinitionError, match=says):
        build()


def test_names_are_derived_and_never_typed_twice() -> None:
    spend = group(aggregates=(Aggregate("price", Mean(), (hours(1), days(30))), Aggregate(None, Count(), (days(7),))))
    assert [each.full_name for each in spend.features] == [
        "spend__price_mean_1h",
        "spend__price_mean_30d",
        "spend__count_7d",
    ]
