"""A candidate that a function of a user's builds: any estimator or pipeline of scikit-learn, checked before its fit.

Built-in candidates are checked too: with other versions of the libraries, a converter may be missing.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from training.errors import TrainingError
from training.models.boosting.boosted_estimators import given_categories, settle
from training.models.columns import Build, Columns
from training.models.encoding.encoded_columns import encoded_columns
from training.models.graph.onnx_export import export_onnx, open_session, run_session
from training.models.predictions import predicted
from training.models.training_range import TrainingRange

Matrix = NDArray[np.float32]
ESTIMATOR = "estimator"
_TRIED_ROWS = 100
_TRIED_ROUNDS = 3
_CLASS = re.compile(r"class '?([\w.]+)'")


def build_steps(name: str, build: Build, columns: Columns, seed: int, task: str) -> list[tuple[str, Any]]:
    """The steps of its pipeline, not fitted. Before them, infinities become the ends of what was seen in training.

    Raises TrainingError for what is not an estimator of the task.
    """
    try:
        built = build(columns, seed)
    except Exception as error:
        raise TrainingError(
            f"Candidate {name!r} cannot be built. Its function raised {type(error).__name__}: {error}. Correct it."
        ) from error
    needs = "predict" if task == "regression" else "predict_proba"
    if isinstance(built, type) or not (hasattr(built, "fit") and hasattr(built, needs)):
        kind = built.__name__ if isinstance(built, type) else type(built).__name__
        raise TrainingError(
            f"Candidate {name!r} cannot be used. Its function returns {'the class ' if isinstance(built, type) else ''}"
            f"{kind}, which has no {needs}. Return an estimator that has it"
            + (", or put it into CalibratedClassifierCV." if needs == "predict_proba" else ".")
        )
    if columns.encoders and columns.encoded().plan not in [each.plan for each in encoded_columns(built)]:
        raise TrainingError(
            f"Candidate {name!r} leaves out the encoders that its model names. Begin its pipeline with "
            "columns.encoded(), or take `encoders` out of the model."
        )
    if told := given_categories(built):
        raise TrainingError(
            f"Candidate {name!r} tells CatBoost of {told}, and a matrix of numbers has none that a graph could hold. "
            "Leave them out, and begin its pipeline with columns.encoded()."
        )
    settle(built)
    steps = built.steps if isinstance(built, Pipeline) else [(ESTIMATOR, built)]
    return [("training_range", TrainingRange(tuple(at for at, _ in columns.sizes))), *steps]


def few_rounds(steps: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The same with few trees: each tree is exported like the others."""
    given = steps[-1][1].get_params()
    steps[-1][1].set_params(**{name: _TRIED_ROUNDS for name in ("n_estimators", "max_iter") if given.get(name)})
    return steps


def try_export(name: str, steps: list[tuple[str, Any]], matrix: Matrix, label: NDArray[Any], task: str) -> None:
    """Fit, export and score 100 rows: what cannot be exported or cannot score is told before the minutes of a fit.

    A fit that fails for so few rows says nothing. Raises TrainingError, which names the candidate and the operator.
    """
    rows = _few(label, task)
    pipeline = Pipeline(steps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pipeline.fit(matrix[rows], label[rows])
        except Exception:
            return
        tried = np.concatenate([matrix[rows], np.full((1, matrix.shape[1]), np.nan, np.float32)])
        _check_scores(name, pipeline, tried, task)
        try:
            graph = export_onnx(pipeline, matrix.shape[1], task)
            given = run_session(open_session(graph), tried)
        except Exception as error:
            raise TrainingError(_cannot_be_exported(name, pipeline, error)) from error
    if len(given) != len(tried):
        raise TrainingError(_cannot_be_exported(name, pipeline, ValueError(f"{len(tried)} rows give {given.shape}")))


def fit_failed(name: str, error: Exception) -> TrainingError:
    """What is said of a fit that raised."""
    said = " ".join(str(error).split("\n")[0].split())
    return TrainingError(
        f"Candidate {name!r} cannot be fitted. It raised {type(error).__name__}: {said}. {_what_to_do(said)}"
    )


def _check_scores(name: str, pipeline: Pipeline, rows: Matrix, task: str) -> None:
    """Whether it scores what serving may see: a feature may be missing in any request."""
    try:
        found = predicted(pipeline, rows, task)
    except Exception as error:
        said = " ".join(str(error).split("\n")[0].split())
        raise TrainingError(
            f"Candidate {name!r} cannot score a row of missing values. It raised {type(error).__name__}: {said}. "
            f"{_what_to_do(said)}"
        ) from error
    if not np.isfinite(found).all():
        raise TrainingError(f"Candidate {name!r} gives no number for some rows. Correct its pipeline.")


def _what_to_do(said: str) -> str:
    if "NaN" in said or "missing" in said:
        return "A feature may be missing in any row. Begin the pipeline with SimpleImputer(keep_empty_features=True)."
    return "Correct its function."


def _cannot_be_exported(name: str, pipeline: Pipeline, error: Exception) -> str:
    said = " ".join(str(error).split("\n")[0].split())
    named = _CLASS.search(str(error))
    operator = named[1].rpartition(".")[2] if named else type(pipeline[-1]).__name__
    step = next((step for step, part in pipeline.steps if type(part).__name__ == operator), pipeline.steps[-1][0])
    return (
        f"Candidate {name!r} cannot be exported as ONNX, so it was not fitted. Operator {operator} in step {step!r}: "
        f"{type(error).__name__}: {said[:300].rstrip('.')}. Use another estimator, or give skl2onnx a converter for it "
        "(skl2onnx.update_registered_converter)."
    )


def _few(label: NDArray[Any], task: str) -> NDArray[np.int64]:
    """Rows of every class; of numbers, the first."""
    if task == "regression":
        return np.arange(min(_TRIED_ROWS, len(label)))
    classes = np.unique(label)
    each = max(2, _TRIED_ROWS // len(classes))
    return np.sort(np.concatenate([np.flatnonzero(label == code)[:each] for code in classes]))
