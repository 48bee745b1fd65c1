"""An expectation that cannot be is refused with what to write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared_features.errors import DefinitionError
from tests.domains import machines, visits
from training.datasets.expectations.expectation import expectation_faults
from training.definitions import Copies, Expect, Model, Newest, Rows


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Expect("celsius"), r"Expect\('celsius'\): nothing is expected; give low, high, values or"),
        (lambda: Expect("celsius", low=3, high=2), "low is 3, above high, which is 2; swap"),
        (lambda: Expect("celsius", low=float("nan"), high=2), "low is nan, above high"),
        (lambda: Expect("celsius", low=3, values=(4,)), "a range and values are given; give one"),
        (lambda: Expect("celsius", missing_share=20), "missing_share is 20; give 0 or more and less than 1"),
        (lambda: Expect("celsius", max=3), "no option 'max'"),  # type: ignore[call-arg]  # what is refused
        (lambda: Rows(at_least=0), "at_least=0.*give 1 or more"),
        (lambda: Rows(at_least=5, at_most=4), "at_most=4"),
        (lambda: Newest(within=timedelta(0)), r"give more than zero, such as days\(2\)"),
        (lambda: Copies(at_most=-1), "give 0 or more"),
    ],
)
def test_an_expectation_that_cannot_be_is_refused(build: Callable[[], object], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        build()


def test_a_model_refuses_what_its_view_cannot_meet() -> None:
    with pytest.raises(DefinitionError, match=r"expectations names 'celsus', which .* Did you mean 'celsius'"):
        Model("breaks", machines.BREAKDOWN, expectations=(Rows(at_least=5), Expect("celsus", low=0)))
    with pytest.raises(DefinitionError, match="celsius is a number, and its values are texts"):
        Model("breaks", machines.BREAKDOWN, expectations=(Expect("celsius", values=("warm",)),))


def test_a_category_has_values_and_no_range() -> None:
    view = visits.COMES_AGAIN
    _, category = view.categories[0]
    (says,) = expectation_faults([Expect(category.name, low=0)], view)
    assert says.startswith(f"expectations: {category.name} is a category and has no range")
    assert not [*expectation_faults([Expect(category.name, values=("a",))], view)]
