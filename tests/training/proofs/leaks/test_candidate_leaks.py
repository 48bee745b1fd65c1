"""A candidate whose preprocessing looks at the rows that are scored beside it is caught; others are not accused."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tests.training.random_dataset import random_dataset
from training.models.columns import Columns
from training.models.encoders import Ordinal, TargetMean
from training.proofs.leaks.candidate_leaks import candidate_leaks


def _with(step: Any) -> Any:
    return make_pipeline(SimpleImputer(keep_empty_features=True), step, LogisticRegression(max_iter=300))


def scaled(columns: Columns, seed: int) -> Any:
    return _with(StandardScaler())


def of_the_batch(columns: Columns, seed: int) -> Any:
    """Scales by the rows that are scored, as a normalisation over the whole set does."""
    return _with(FunctionTransformer(lambda rows: (rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1)))


def of_the_next_row(columns: Columns, seed: int) -> Any:
    return _with(FunctionTransformer(lambda rows: np.log1p(np.abs(np.roll(rows, -1, axis=0)))))


def of_the_clock(columns: Columns, seed: int) -> Any:
    return _with(FunctionTransformer(lambda rows: np.log1p(np.abs(rows)) + time.time() / 1e9))


def test_a_fitted_scaler_is_not_accused() -> None:
    report = candidate_leaks({"scaled": scaled}, random_dataset(), 0)
    assert report.leaks == ()
    assert report.checked == {"candidates": 1}


@pytest.mark.parametrize(
    ("build", "cause"),
    [
        (of_the_batch, "rows that come later"),
        (of_the_next_row, "rows that come later"),
        (of_the_clock, "the clock"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_candidate_that_follows_other_rows_or_the_clock_is_caught_and_named(build: Any, cause: str) -> None:
    report = candidate_leaks({build.__name__: build}, random_dataset(), 0)
    assert {each.feature for each in report.leaks} == {f"the score of candidate {build.__name__}"}
    assert cause in {each.cause for each in report.leaks}


def encoded(columns: Columns, seed: int) -> Any:
    return make_pipeline(columns.encoded(), _with(StandardScaler()))


def test_a_category_is_altered_to_another_of_its_values_and_an_encoder_is_not_accused() -> None:
    dataset = random_dataset()
    given = replace(dataset, manifest=replace(dataset.manifest, categories={"constant": ("a", "b", "c", "d")}))
    for encoder in (Ordinal(), TargetMean()):
        report = candidate_leaks({"encoded": encoded}, given, 0, {"constant": encoder})
        assert (report.leaks, report.checked) == ((), {"candidates": 1})
