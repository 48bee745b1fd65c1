"""What a fitted model says of rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from training.models.correction.corrected_model import CorrectedModel, pipeline_of


def predicted(
    model: Pipeline | CorrectedModel, matrix: NDArray[np.float32], task: str = "binary"
) -> NDArray[np.float64]:
    """float64[n]: the estimated probability of the positive class, or the estimated value.

    Of several classes float64[n, classes]: the estimated probability of each.
    """
    with one_thread():
        if task == "regression":  # of which nothing is corrected
            return np.asarray(pipeline_of(model).predict(matrix), np.float64).reshape(-1)
        probabilities = np.asarray(model.predict_proba(matrix), np.float64)
    return probabilities[:, 1] if task == "binary" else probabilities


def one_thread() -> threadpool_limits:
    """Bounds the threads of OpenMP, which only boosting uses.

    Two took 2.4 times the CPU time of one above 500,000 rows, and add up floats in another order.
    """
    return threadpool_limits(1, user_api="openmp")
