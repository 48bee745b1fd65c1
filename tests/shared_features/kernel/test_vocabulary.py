"""The place of a value among those of a category, by its code alone."""

import numpy as np
import pytest

from shared_features.kernel.vocabulary import Vocabulary, value_codes


@pytest.mark.parametrize("values", [("b", "a", "", "é" * 300), (7, -3, 0), (False, True), ()])
def test_every_value_has_its_own_place_and_nothing_else_has_one(values):
    vocabulary = Vocabulary(values)
    places = vocabulary.places(value_codes(values))
    assert places.tolist() == list(range(len(values)))
    assert [vocabulary.named(place) for place in places.tolist()] == list(values)
    others = vocabulary.places(np.array([np.nan, -0.5, 2.0**51 + 1, np.inf]))
    assert np.isnan(others).all()
    assert vocabulary.named(np.nan) is None
