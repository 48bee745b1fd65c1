"""The check of a model's candidates on rows of noise: whether they can be built, exported and scored at all."""

from __future__ import annotations

import numpy as np

from training.definitions.model import Model
from training.models.columns import Columns
from training.models.task_rules import RULES
from training.runs.actions.fit_steps import try_exports

_ROWS = 100
_VALUES = 5
"""Of each category; how many there will be, the data say."""


def check_model(model: Model, seed: int = 0) -> None:
    """Raises TrainingError, which names the candidate, the operator and its step."""
    view = model.trained_on
    task = "binary" if view.predicted is None else view.predicted.kind
    categories = {each.name: _VALUES for _, each in view.categories}
    columns = Columns(tuple(each.name for each in view.columns), categories, model.encoders)
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(_ROWS, len(columns))).astype(np.float32)
    for at, size in columns.sizes:
        matrix[:, at] = random.integers(0, size, _ROWS)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    label = np.arange(_ROWS) % (3 if task == "multiclass" else 2)
    names = model.candidate_names or RULES[task].models
    try_exports(names, model.builds, columns, matrix, label.astype(np.float64), task, seed)
