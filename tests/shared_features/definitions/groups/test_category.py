"""A text becomes a feature of a model by a category or not at all, and a quantity is not a category."""

from __future__ import annotations

from typing import Any

import pytest

from shared_features import Category, FeatureView
from shared_features.definitions import list_definitions, load_definitions
from shared_features.errors import DefinitionError
from tests.domains.visits import COMES_AGAIN, PATIENT_VISITS, RETURNED, VISITS


def view(*features: Any, version: int = 1) -> FeatureView:
    return FeatureView("comes_again", version, VISITS, features, also_reads=(PATIENT_VISITS,))


@pytest.mark.parametrize(
    ("feature", "says"),
    [
        ("ward", r"'ward' is a text field of 'visits', and a model takes numbers. Write Category\('ward'\)"),
        (PATIENT_VISITS["ward_last_7d"], "is a text, kept as a code, .* write Category of it in its place"),
        (Category("hours"), "category 'hours' is Decimal .* which is a quantity; use it as a number"),
        (Category("at"), "category 'at' is Timestamp"),
        (Category(PATIENT_VISITS["count_1d"]), "count_1d' is a quantity; use it as a number, or take a category of"),
        (Category("wards"), "feature 'wards' is neither a field .* Did you mean 'ward'"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(feature: Any, says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        view(feature)


def test_the_number_of_values_has_bounds() -> None:
    with pytest.raises(DefinitionError, match="at_most is 0; give 1 to 1000"):
        Category("ward", at_most=0)


def test_a_category_is_part_of_the_meaning_of_a_view_and_of_nothing_else() -> None:
    assert view(Category("ward")).fingerprint != view(Category("ward", at_most=5)).fingerprint
    assert view(Category("floor")).fingerprint != view("floor").fingerprint
    assert "categories" not in view("floor").meaning
    listed = list_definitions(load_definitions("tests.domains.visits"))["views"][0]["features"]
    assert [each["type"] for each in listed] == ["float32", "category", "float32", *["category"] * 3]
    assert [at for at, _ in COMES_AGAIN.categories] == [1, 3, 4, 5]
    assert RETURNED.has("visit")
