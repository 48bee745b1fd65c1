"""Each expectation finds what it is about, and shows the rows that fail, by their events."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from shared_features import days
from shared_features.definitions.expectations.expectation import Copies, Expect, Expectation, Newest, Rows
from shared_features.formats.json_document import encode_document
from shared_features.kernel.event_time import DAY_US
from tests.training.random_dataset import random_dataset
from training.datasets.expectations.outcome import FailingRow, check_expectations
from training.datasets.expectations.verdict import failing_rows
from training.datasets.training_dataset import TrainingDataset


@pytest.fixture(scope="module")
def dataset() -> TrainingDataset:
    """`cents` is 1 but for 12 rows that are 120; `constant` is the place of a category; copies are 20."""
    made = random_dataset(rows=300)
    made.matrix[:, 0], made.matrix[:12, 0] = 1, 120
    made.matrix[:, 2] = 0.1
    made.matrix[:, 4], made.matrix[7, 4] = 0, 1
    made.matrix[:, 3], made.matrix[:30, 3] = 5, np.nan
    manifest = replace(
        made.manifest, categories={"constant": ("a", "b")}, cut_us=int(made.event_time_us.max()) + DAY_US
    )
    return replace(made, manifest=manifest)


@pytest.mark.parametrize(
    ("expectation", "met", "found"),
    [
        (Expect("cents", low=1, high=120), True, "cents from 1 to 120: 0 of 300 rows are outside"),
        (Expect("cents", high=119.9), False, "cents to 119.9: 12 of 300 rows are outside"),
        (Expect("cents", low=1.1), False, "cents from 1.1: 288 of 300 rows are outside"),
        (Expect("cents", high=1e300), True, "cents to 1e+300: 0 of 300"),
        (Expect("ratio", low=0.1, high=0.1), True, "ratio from 0.1 to 0.1: 0 of 300"),
        (Expect("ratio", values=(0.1, 7)), True, "ratio one of 0.1, 7: 0 of 300"),
        (Expect("sparse", low=5, high=5), True, "0 of 300 rows are outside"),
        (Expect("sparse", values=(5,)), True, "0 of 300 rows have another value"),
        (
            Expect("sparse", missing_share=0.1),
            True,
            "sparse missing in at most 0.1 of the rows: 30 of 300 rows lack it",
        ),
        (Expect("sparse", missing_share=0.09), False, "30 of 300 rows lack it"),
        (Expect("constant", values=("a",)), False, "constant one of a: 1 of 300 rows have another value"),
        (Expect("constant", values=("b", "a", "c")), True, "0 of 300"),
        (Rows(at_least=300, at_most=300), True, "at least 300 rows and at most 300: 300 rows"),
        (Rows(at_least=301), False, "at least 301 rows: 300 rows"),
        (Rows(at_most=299), False, "300 rows"),
        (Newest(within=days(1)), True, "newest row within 1 d of the cut: it happened 24.0 h before"),
        (Newest(within=days(1) - timedelta(microseconds=1)), False, "24.0 h before"),
        (Copies(at_most=20), True, "at most 20 copies of events: 20 copies"),
        (Copies(), False, "20 copies"),
    ],
)
def test_an_expectation_is_met_exactly_up_to_its_bounds(
    dataset: TrainingDataset, expectation: Expectation, met: bool, found: str
) -> None:
    (outcome,) = check_expectations([expectation], dataset)
    assert found in str(outcome)
    assert (outcome.met, outcome.warn) == (met, False)
    assert bool(outcome.rows) == (not met and isinstance(expectation, Expect))


def test_at_most_ten_failing_rows_are_shown_by_event_and_value(dataset: TrainingDataset) -> None:
    (outcome,) = check_expectations([Expect("cents", high=100, warn=True)], dataset)
    assert [(row.partition, row.offset, row.value) for row in outcome.rows] == [(0, at, 120.0) for at in range(10)]
    assert outcome.warn
    assert "12 of 300 rows are outside, such as 120 (partition 0, offset 0), 120" in outcome.with_rows


def test_a_failing_row_tells_a_category_by_its_name_and_a_missing_value_as_missing(dataset: TrainingDataset) -> None:
    named, missing = check_expectations([Expect("constant", values=("a",)), Expect("sparse", missing_share=0)], dataset)
    (row,) = named.rows
    assert (row.offset, row.value) == (7, "b")
    assert row.event_time.endswith("Z")
    assert str(missing.rows[0]) == "missing (partition 0, offset 0)"
    assert missing.rows[0] == FailingRow(0, 0, missing.rows[0].event_time, None)


def test_an_infinite_value_is_out_of_a_range_and_can_be_written_down(dataset: TrainingDataset) -> None:
    matrix = dataset.matrix.copy()
    matrix[5, 2] = -np.inf
    outcomes = check_expectations([Expect("ratio", low=-1e300)], replace(dataset, matrix=matrix))
    assert not outcomes[0].met
    assert b'"value": "-inf"' in encode_document(failing_rows(outcomes))


def test_an_expectation_of_two_things_has_two_outcomes(dataset: TrainingDataset) -> None:
    outcomes = check_expectations([Expect("sparse", missing_share=0.5, low=6)], dataset)
    assert [each.met for each in outcomes] == [True, False]
