"""What a model says of rows, as the columns of a table: under the names and with the values that serving answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.models.task_rules import RULES

DECISION, CLASS, PROBABILITY = "decision", "class", "probability_"


def prediction_names(task: str, classes: Sequence[str | int], threshold: float | None) -> list[str]:
    """The names of the columns, in their order."""
    if task == "multiclass":
        return [CLASS, *(f"{PROBABILITY}{each}" for each in classes)]
    return [RULES[task].output_name, *([] if threshold is None else [DECISION])]


def prediction_columns(
    task: str, classes: Sequence[str | int], threshold: float | None, found: NDArray[Any]
) -> list[pl.Series]:
    """found: float32[n], or [n, classes]. Null where the model gives no number, which serving refuses to answer.

    `score` and, with a threshold, `decision`; of several classes `class`, the most probable, the first of equal ones,
    and `probability_` with the name of each; or `value`.
    """
    known = np.isfinite(found if found.ndim == 1 else found.sum(axis=1))
    names = prediction_names(task, classes, threshold)
    columns: list[NDArray[Any]] = [found]
    if task == "multiclass":
        columns = [np.array(classes)[found.argmax(axis=1)], *found.T]
    elif threshold is not None:
        columns.append(found.astype(np.float64) >= threshold)
    return [_null_where(name, each, ~known) for name, each in zip(names, columns, strict=True)]


def _null_where(name: str, values: NDArray[Any], unknown: NDArray[np.bool_]) -> pl.Series:
    if values.dtype.kind == "U":
        column = pl.Series(name, values.tolist(), dtype=pl.String)
    else:
        column = pl.Series(name, np.ascontiguousarray(values))
    nothing = pl.Series(name, [None], dtype=column.dtype).new_from_index(0, len(column))
    return column.zip_with(pl.Series(~unknown), nothing) if unknown.any() else column
