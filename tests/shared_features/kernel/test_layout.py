"""A layout that contradicts itself is refused when it is built; aggregations share what they can."""

import pytest

from shared_features.errors import DefinitionError
from shared_features.kernel.aggregations import Count, Mean, Std, Sum
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US
from shared_features.kernel.feature_spec import Column, FeatureSpec
from shared_features.kernel.layout import Layout
from tests.strategies import layout

AMOUNT = (Column("amount", 2),)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Column("amount", 13), "13 decimals"),
        (lambda: FeatureSpec("f", Sum(), None, HOUR_US, 1), "needs a column"),
        (lambda: FeatureSpec("f", Count(), None, HOUR_US, 0), "must both be positive"),
        (lambda: Layout(AMOUNT, (), 0), "no features"),
        (lambda: Layout(AMOUNT, (FeatureSpec("f", Sum(), 1, HOUR_US, 1),), 0), "no such one"),
        (lambda: Layout(AMOUNT, (FeatureSpec("f", Sum(), 0, HOUR_US, 1),), -1), "cannot be negative"),
        (lambda: layout(((HOUR_US, 2 * MINUTE_US), (DAY_US, 5 * MINUTE_US))), "does not divide"),
    ],
)
def test_a_contradiction_is_named(build, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        build()


def test_aggregations_of_a_column_share_registers() -> None:
    """Count, sum, mean and std over any windows: one count, one sum, one sum of squares, and the events' number."""
    specs = tuple(
        FeatureSpec(f"{each.name}{days}", each, 0, days * DAY_US, HOUR_US)
        for each in (Count(), Sum(), Mean(), Std())
        for days in (1, 7)
    )
    assert len(Layout(AMOUNT, specs, 0).tables.empty_row) == 1 + 1 + 2 + 2


def test_a_layout_is_a_value() -> None:
    assert layout() == layout()
    assert hash(layout()) == hash(layout())
