"""The candidate models of each task: scikit-learn pipelines that take the view's float32 matrix as it is, with NaN.

Whatever is fitted besides the estimator (ranges, medians, scales) is a step of the pipeline, so it ends up inside the
ONNX graph. Classes are not reweighted unless a model asks for it, and then corrected: a score stays an estimate of the
probability, the rare class included. Candidates are compared by average precision, which looks at the rare class alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import has_fit_parameter

from training.errors import TrainingError
from training.models.columns import Columns
from training.models.early_stopping import LatestRows, choose_rounds
from training.models.predictions import one_thread
from training.models.split_thresholds import round_thresholds
from training.models.task_rules import RULES
from training.models.training_range import TrainingRange

Matrix = NDArray[np.float32]
ESTIMATOR = "estimator"
LABELS = {"binary": np.int8, "multiclass": np.int16, "regression": np.float64}
_FOREST_SAMPLE = 50_000
"""Rows a tree of a forest is grown on at most, so that its cost does not grow with history."""


def _boosting(rows: int, seed: int, task: str) -> list[tuple[str, Any]]:
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    return [(ESTIMATOR, kind(learning_rate=0.05, max_iter=200, random_state=seed))]


def _forest(rows: int, seed: int, task: str) -> list[tuple[str, Any]]:
    kind = RandomForestRegressor if task == "regression" else RandomForestClassifier
    forest = kind(
        n_estimators=60,
        max_depth=12,
        min_samples_leaf=5,
        max_samples=_FOREST_SAMPLE if rows > _FOREST_SAMPLE else None,
        random_state=seed,
        n_jobs=-1,
    )
    return [("range", TrainingRange()), ("impute", _imputer()), (ESTIMATOR, forest)]


def _logistic(rows: int, seed: int, task: str) -> list[tuple[str, Any]]:
    return [*_scaled(), (ESTIMATOR, LogisticRegression(max_iter=300, random_state=seed))]


def _linear(rows: int, seed: int, task: str) -> list[tuple[str, Any]]:
    # A little regularised: means of overlapping windows are nearly one column, and their coefficients would be huge.
    return [*_scaled(), (ESTIMATOR, Ridge(alpha=1.0, random_state=seed))]


def _scaled() -> list[tuple[str, Any]]:
    return [("range", TrainingRange()), ("impute", _imputer()), ("scale", StandardScaler())]


def _imputer() -> Any:
    return SimpleImputer(strategy="median", keep_empty_features=True)


CANDIDATES: dict[str, Callable[[int, int, str], list[tuple[str, Any]]]] = {
    "hist_gradient_boosting": _boosting,
    "random_forest": _forest,
    "logistic_regression": _logistic,
    "linear_regression": _linear,
}


def fit_model(
    name: str,
    matrix: Matrix,
    label: NDArray[np.float64],
    seed: int,
    task: str = "binary",
    steps: list[tuple[str, Any]] | None = None,
    columns: Columns | None = None,
    latest: LatestRows | None = None,
    weights: NDArray[np.float64] | None = None,
) -> tuple[Pipeline, list[str]]:
    """Fit a candidate of a task. Returns it with notes, such as that it did not converge.

    steps: of a candidate that is not built in. columns: of the matrix; a built-in candidate encodes them as they say.
    latest: the rows that tell boosting how many rounds to take. weights: float64[n], how much each row counts. Raises
    TrainingError for a name that CANDIDATES does not have.
    """
    pipeline = Pipeline(built_in_steps(name, len(label), seed, task, columns) if steps is None else steps)
    known, rows = label.astype(LABELS[task]), _learnable(matrix)
    of_rows = {} if weights is None else _weighted(name, pipeline, weights)
    with warnings.catch_warnings(record=True) as caught, one_thread():
        note = "" if latest is None else choose_rounds(pipeline, rows, known, latest, task)
        notes = [note] if note else []
        notes += _without_early_stopping(pipeline, known, task)
        warnings.simplefilter("always", ConvergenceWarning)
        pipeline.fit(rows, known, **of_rows)
    round_thresholds(pipeline)
    notes += [str(each.message).split("\n")[0] for each in caught if issubclass(each.category, ConvergenceWarning)]
    return pipeline, notes


def built_in_steps(name: str, rows: int, seed: int, task: str, columns: Columns | None = None) -> list[tuple[str, Any]]:
    """Of a built-in candidate, not fitted. Raises TrainingError for a name that CANDIDATES does not have."""
    if name not in CANDIDATES:
        raise TrainingError(f"There is no model {name!r}. Give one or several of {', '.join(CANDIDATES)}.")
    RULES[task].check_models((name,))
    encoded = [("encoders", columns.encoded())] if columns and (columns.categories or columns.encoders) else []
    return [*encoded, *CANDIDATES[name](rows, seed, task)]


def _weighted(name: str, pipeline: Pipeline, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The weights of rows as its estimator takes them. Raises TrainingError where it takes none."""
    place, estimator = pipeline.steps[-1]
    if isinstance(estimator, Pipeline) or not has_fit_parameter(estimator, "sample_weight"):
        raise TrainingError(
            f"Candidate {name!r} cannot weigh classes. {type(estimator).__name__} takes no sample_weight. End its "
            "pipeline with an estimator that does, or take class_weights out of the model."
        )
    return {f"{place}__sample_weight": weights}


def _without_early_stopping(pipeline: Pipeline, label: NDArray[Any], task: str) -> list[str]:
    """Boosting sets rows of each class aside, to see when to stop, and raises where a class has a single row.

    Then all rows are learned from, and no step is left out. Returns a note of it.
    """
    boosting = pipeline[-1]
    if task == "regression" or not isinstance(boosting, HistGradientBoostingClassifier) or not boosting.early_stopping:
        return []
    if np.unique(label, return_counts=True)[1].min() > 1:
        return []
    boosting.set_params(early_stopping=False)
    return ["it was not stopped early: a class has one row, and none can be set aside"]


def _learnable(matrix: Matrix) -> Matrix:
    """The matrix without what binning refuses: infinities as the finite end of their column, columns of NaN as zeros.

    Neither changes what is learned: an infinity lies beyond every split, and nothing can be learned from no value.
    """
    clipped = TrainingRange().fit_transform(matrix)
    empty = np.array([bool(np.isnan(clipped[:, index]).all()) for index in range(clipped.shape[1])])
    clipped[:, empty] = 0
    return np.asarray(clipped, np.float32)
