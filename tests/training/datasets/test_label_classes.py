"""Classes have a fixed order, whatever order the labels come in, and an outcome that is none is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from shared_features.definitions.sources.label_classes import MOST_CLASSES
from tests.domains.parcels import ARRIVED_LATE, OUTCOME, STARS
from training.datasets.label_classes import encode_outcomes, find_classes, tell_counts
from training.errors import DatasetError

WORDS = pl.Series(["on_time", None, "lost", "late", "on_time", "stolen"])
USED = np.array([True, True, True, True, True, False])


def test_classes_are_sorted_and_an_outcome_of_no_used_row_is_not_known() -> None:
    assert OUTCOME.predicted is not None
    classes = find_classes(replace(OUTCOME.predicted, classes=()), WORDS, USED)
    assert classes == ("late", "lost", "on_time")
    np.testing.assert_array_equal(encode_outcomes(WORDS, classes), [2, np.nan, 1, 0, 2, np.nan])


def test_given_classes_keep_their_order_and_another_outcome_is_refused() -> None:
    label = ARRIVED_LATE.predicted
    assert label is not None
    outcomes = pl.Series(["yes", "no", None])
    assert find_classes(label, outcomes, np.ones(3, np.bool_)) == ("no", "yes")
    with pytest.raises(
        DatasetError, match=r"2 labels 'late' of .* not among its classes \('no', 'yes'\): 'maybe'\. Add"
    ):
        find_classes(label, pl.Series(["maybe", "no", "maybe"]), np.zeros(3, np.bool_))


def test_whole_numbers_are_classes_of_their_own_and_numbers_stay_numbers() -> None:
    assert STARS.predicted is not None
    stars = pl.Series([5, 1, None, 5], dtype=pl.Int64)
    classes = find_classes(STARS.predicted, stars, np.ones(4, np.bool_))
    assert classes == (1, 5)
    np.testing.assert_array_equal(encode_outcomes(stars, classes), [1, 0, np.nan, 1])
    np.testing.assert_array_equal(encode_outcomes(pl.Series([0.5, None]), ()), [0.5, np.nan])
    np.testing.assert_array_equal(encode_outcomes(pl.Series([None, None], dtype=pl.String), ()), [np.nan, np.nan])


def test_a_text_that_is_another_in_every_row_is_no_class() -> None:
    assert OUTCOME.predicted is not None
    names = pl.Series([f"parcel {each}" for each in range(MOST_CLASSES + 1)])
    with pytest.raises(DatasetError, match=f"have {MOST_CLASSES + 1} different values"):
        find_classes(OUTCOME.predicted, names, np.ones(len(names), np.bool_))


def test_the_most_frequent_classes_are_told() -> None:
    assert tell_counts(("a", "b"), (3, 1_000)) == "b 1,000, a 3"
    assert tell_counts(tuple(range(8)), (1,) * 8).endswith("2 more classes")
