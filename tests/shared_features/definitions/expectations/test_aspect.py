"""What fails is what the definition says, exactly up to its bounds, in whole steps as events have them."""

from __future__ import annotations

import numpy as np
import pytest

from shared_features import Boolean, Decimal, Expect, Field, Integer, Text
from shared_features.definitions.expectations.aspect import aspects_of
from shared_features.definitions.expectations.field_scale import FieldScale

EURO = Field("euro", Decimal(decimals=2, low=-100, high=100), optional=True)
COUNT = Field("count", Integer(), optional=True)
PLAN = Field("plan", Text(), optional=True)
PAID = Field("paid", Boolean(), optional=True)


@pytest.mark.parametrize(
    ("field", "expectation", "given", "failing"),
    [
        (EURO, Expect("euro", low=0.07, high=0.29), [6, 7, 29, 30, None], [0, 3]),
        (EURO, Expect("euro", low=0.071), [7, 8], [0]),
        (EURO, Expect("euro", high=0.079), [7, 8], [1]),
        (EURO, Expect("euro", high=float("inf"), low=-1e300), [-10_000, 10_000], []),
        (EURO, Expect("euro", values=(0.07, 0.075)), [7, 8, None], [1]),
        (COUNT, Expect("count", low=2), [1, 2, None], [0]),
        (COUNT, Expect("count", values=(1, 3)), [1, 2, 3, None], [1]),
        (PLAN, Expect("plan", values=("gold", "silver")), ["gold", "", None, "lead"], [1, 3]),
        (PAID, Expect("paid", values=(True,)), [1, 0, None], [1]),
        (PLAN, Expect("plan", missing_share=0.5), ["gold", None], [1]),
    ],
)
def test_a_value_fails_exactly_beyond_the_bounds_and_a_missing_one_only_as_missing(
    field: Field, expectation: Expect, given: list[int | str | None], failing: list[int]
) -> None:
    (aspect,) = aspects_of(expectation, FieldScale(field))
    missing = np.array([each is None for each in given])
    stored = np.array(given, object) if field.is_text else np.array([each or 0 for each in given], np.int64)
    assert np.flatnonzero(aspect.fails(stored, missing)).tolist() == failing


def test_each_thing_that_is_expected_is_an_aspect_with_a_name_of_its_own() -> None:
    both = list(aspects_of(Expect("euro", low=1, missing_share=0.1, warn=True), FieldScale(EURO)))
    assert [(each.name, each.allowed, each.warn) for each in both] == [
        ("euro missing", 0.1, True), ("euro range", 0, True),
    ]  # fmt: skip
    assert both[0].is_met(10, 100)
    assert not both[0].is_met(11, 100)
    assert not both[1].is_met(1, 100)
    assert both[1].is_met(0, 0)
