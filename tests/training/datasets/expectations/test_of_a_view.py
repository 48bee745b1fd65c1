"""A model refuses what is expected of its view and cannot be met."""

from __future__ import annotations

import pytest

from shared_features import Copies, DefinitionError, Expect, Rows, hours
from tests.domains import machines, visits
from training.datasets.expectations.of_a_view import expectation_faults
from training.definitions import Model


def test_a_model_refuses_what_its_view_cannot_meet() -> None:
    with pytest.raises(DefinitionError, match=r"expectations names 'celsus', which .* Did you mean 'celsius'"):
        Model("breaks", machines.BREAKDOWN, expectations=(Rows(at_least=5), Expect("celsus", low=0)))
    with pytest.raises(DefinitionError, match="celsius is a number, and its values are texts"):
        Model("breaks", machines.BREAKDOWN, expectations=(Expect("celsius", values=("warm",)),))
    with pytest.raises(DefinitionError, match="Rows has every, and a dataset is counted whole; leave every out"):
        Model("breaks", machines.BREAKDOWN, expectations=(Copies(), Rows(every=hours(1))))


def test_a_category_has_values_and_no_range() -> None:
    view = visits.COMES_AGAIN
    _, category = view.categories[0]
    (says,) = expectation_faults([Expect(category.name, low=0)], view)
    assert says.startswith(f"expectations: {category.name} is a category and has no range")
    assert not [*expectation_faults([Expect(category.name, values=("a",))], view)]
