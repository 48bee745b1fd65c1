"""How many rounds boosting takes: as many as answer the latest rows of the train window best.

Rows that are drawn at random from all of the window, as scikit-learn sets them aside, lie between rows of the same
days and entities, so they are answered better than any day that is to come. The latest rows are the nearest to it.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline

from shared_features.counted import counted
from shared_features.kernel.event_time import to_text
from training.models.boosting.boosted_estimators import library_of

Matrix = NDArray[np.float32]
MANY_ROWS = 10_000
"""Above them, boosting that is built in is stopped early, whatever the model says."""
_BUILT_IN = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)


@dataclass(frozen=True)
class LatestRows:
    """later: bool[n], the rows that tell when to stop. from_us: the event time of the first of them."""

    later: NDArray[np.bool_]
    from_us: int
    patience: int


def latest_rows(event_time_us: NDArray[np.int64], share: float, patience: int) -> LatestRows:
    """The latest rows: at least this share of all. Rows of one instant stay together."""
    from_us = int(np.sort(event_time_us)[min(len(event_time_us) - 1, int(len(event_time_us) * (1 - share)))])
    return LatestRows(event_time_us >= from_us, from_us, patience)


def latest_for_built_in(event_time_us: NDArray[np.int64]) -> LatestRows | None:
    """Of boosting that is built in, where a model says nothing of it. None: it is not stopped early."""
    return latest_rows(event_time_us, share=0.1, patience=10) if len(event_time_us) > MANY_ROWS else None


def choose_rounds(pipeline: Pipeline, matrix: Matrix, label: NDArray[Any], latest: LatestRows, task: str) -> str:
    """Set the number of rounds of a pipeline that ends in boosting, before its fit. Returns a note of it.

    What stands before it is fitted on the earlier rows. Empty where the pipeline does not end in boosting.
    """
    kind = "sklearn" if isinstance(pipeline[-1], _BUILT_IN) else library_of(pipeline[-1])
    if not kind:
        return ""
    earlier, later = ~latest.later, latest.later
    if kind == "sklearn":  # it would set rows aside itself, drawn at random
        pipeline[-1].set_params(early_stopping=False)
    if not earlier.any() or (task != "regression" and not _same_classes(label[earlier], label[later])):
        return "it was not stopped early: the latest rows of the train window, or those before them, lack a class"
    trial = copy.deepcopy(pipeline)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given, told = (matrix[rows] for rows in (earlier, later))
        if len(trial) > 1:
            given = trial[:-1].fit_transform(given, label[earlier])
            told = trial[:-1].transform(told)
        most = _rounds_of(trial[-1])
        best = max(1, _BEST[kind](trial[-1], (given, label[earlier]), (told, label[later]), latest.patience))
    pipeline[-1].set_params(**{_rounds_name(pipeline[-1]): best})
    return (
        f"it takes {best} of {counted(most, 'round')}: so many answer best the {counted(int(later.sum()), 'row')} of "
        f"the train window from {to_text(latest.from_us)} on, after a fit on those before them"
    )


def _same_classes(earlier: NDArray[Any], later: NDArray[Any]) -> bool:
    return np.array_equal(np.unique(earlier), np.unique(later))


def _rounds_name(estimator: Any) -> str:
    """What its number of rounds is called; CatBoost takes each of several names."""
    names = ("max_iter", "n_estimators", "iterations", "num_boost_round", "num_trees")
    given = estimator.get_params()
    return next((name for name in names if name in given), "iterations")


def _rounds_of(estimator: Any) -> int:
    given = estimator.get_params().get(_rounds_name(estimator))
    return int(given or {"xgboost": 100, "catboost": 1000}.get(library_of(estimator), 100))


Rows = tuple[Any, NDArray[Any]]


def _best_of_sklearn(estimator: Any, given: Rows, told: Rows, patience: int) -> int:
    estimator.set_params(early_stopping=True, n_iter_no_change=patience, scoring="loss")
    estimator.fit(*given, X_val=told[0], y_val=told[1])
    return int(np.argmax(estimator.validation_score_))


def _best_of_xgboost(estimator: Any, given: Rows, told: Rows, patience: int) -> int:
    estimator.set_params(early_stopping_rounds=patience)
    estimator.fit(*given, eval_set=[told], verbose=False)
    return int(estimator.best_iteration) + 1


def _best_of_lightgbm(estimator: Any, given: Rows, told: Rows, patience: int) -> int:
    estimator.set_params(early_stopping_round=patience)
    estimator.fit(*given, eval_set=[told])
    return int(estimator.best_iteration_)


def _best_of_catboost(estimator: Any, given: Rows, told: Rows, patience: int) -> int:
    estimator.fit(*given, eval_set=told, early_stopping_rounds=patience, verbose=False)
    return int(estimator.get_best_iteration()) + 1


_BEST: Mapping[str, Callable[[Any, Rows, Rows, int], int]] = {
    "sklearn": _best_of_sklearn,
    "xgboost": _best_of_xgboost,
    "lightgbm": _best_of_lightgbm,
    "catboost": _best_of_catboost,
}
