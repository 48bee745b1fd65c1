"""A category's lines, against the definition of each encoder written out row by row."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.models.encoders import Ordinal, TargetMean
from training.models.encoding.value_tables import mean_table, ordinal_table, out_of_fold_means, targets_of

SIZE = 3
rows_of = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 2.0, np.nan]), st.integers(-5, 5)), min_size=1, max_size=30
)  # fmt: skip


def mean_of(rows: list[tuple[float, int]], value: float, smoothing: Fraction) -> Fraction:
    """The definition: the mean of the value's labels and of `smoothing` further rows that are as all rows are."""
    overall = Fraction(sum(label for _, label in rows), len(rows)) if rows else Fraction(0)
    theirs = [label for each, label in rows if each == value]
    if len(theirs) + smoothing == 0:
        return overall
    return (sum(theirs) + smoothing * overall) / (len(theirs) + smoothing)


def near(found: Any, wanted: list[Fraction]) -> None:
    """Float64 sums, rounded to a float32 once."""
    np.testing.assert_allclose(found, np.array([float(each) for each in wanted], np.float32), rtol=2e-7, atol=1e-7)


@given(rows_of, st.sampled_from([0, 1, 10]), st.integers(2, 4))
def test_target_means_equal_their_definition_and_a_row_is_encoded_without_its_fold(
    rows: list[tuple[float, int]], smoothing: int, folds: int
) -> None:
    encoder, more = TargetMean(smoothing, folds), Fraction(smoothing)
    values = np.array([value for value, _ in rows], np.float32)
    targets = np.array([[label] for _, label in rows], np.float64)
    table = mean_table(encoder, values, SIZE, targets)
    asked = np.array([0, 1, 2, np.nan], np.float32)
    near(
        table.encode(asked)[:, 0],
        [mean_of(rows, float(value), more) for value in asked[:3]] + [mean_of(rows, 9, Fraction(1))],
    )
    others = [[row for at, row in enumerate(rows) if at % folds != number % folds] for number in range(len(rows))]
    wanted = [
        mean_of(rest, 9 if np.isnan(value) else value, more or Fraction(1) if np.isnan(value) else more)
        for (value, _), rest in zip(rows, others, strict=True)
    ]
    near(out_of_fold_means(encoder, values, SIZE, targets)[:, 0], wanted)


@given(rows_of, st.data())
def test_no_label_of_a_row_changes_what_the_row_is_encoded_as(rows: list[tuple[float, int]], data: Any) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    values = np.array([value for value, _ in rows], np.float32)
    before = np.array([[label] for _, label in rows], np.float64)
    after = before.copy()
    after[at] += 1_000
    found, other = (out_of_fold_means(TargetMean(), values, SIZE, each)[at] for each in (before, after))
    assert found.tobytes() == other.tobytes()


def test_each_of_several_classes_has_the_share_of_its_rows() -> None:
    label = np.array([4, 2, 2, 7, 2], np.int16)
    values = np.array([0, 0, 0, 1, np.nan], np.float32)
    table = mean_table(TargetMean(smoothing=0), values, SIZE, targets_of(label))
    shares = np.array([[2 / 3, 1 / 3, 0], [0, 0, 1], [0.6, 0.2, 0.2], [0.6, 0.2, 0.2]], np.float32)
    np.testing.assert_array_equal(table.encode(np.array([0, 1, 2, np.nan], np.float32)), shares)
    assert targets_of(np.array([0, 1, 1], np.int8)).tolist() == [[0], [1], [1]]
    assert targets_of(np.array([0, 0], np.int16)).tolist() == [[0], [0]], "rows of one class have one column"
    assert targets_of(np.array([2.5, -1])).tolist() == [[2.5], [-1]]


@pytest.mark.parametrize(
    ("order", "names", "lines"),
    [
        ((), (), [0, 1, 2, -1]),
        (("c", "a", "b"), ("a", "b", "c"), [1, 2, 0, -1]),
        (("c", "new", "a"), ("a", "b", "c"), [2, -1, 0, -1]),
        (("c", "a"), (), [0, 1, 2, -1]),
    ],
)
def test_an_order_gives_places_and_what_it_leaves_out_counts_as_missing(order: Any, names: Any, lines: Any) -> None:
    table = ordinal_table(Ordinal(order), SIZE, names)
    assert table.encode(np.array([0, 1, 2, np.nan], np.float32))[:, 0].tolist() == lines
