"""The check of a model's candidates on rows of noise: whether they can be built, exported and scored at all."""

from __future__ import annotations

import numpy as np

from training.definitions.model import Model
from training.models.built_candidate import build_steps, try_export
from training.models.candidates import LABELS
from training.models.columns import Columns

_ROWS = 100
_VALUES = 5
"""Of each category; how many there will be, the data say."""


def check_model(model: Model, seed: int = 0) -> None:
    """Raises TrainingError, which names the candidate and the operator."""
    view = model.trained_on
    task = "binary" if view.labels is None else view.labels.kind
    categories = {each.name: _VALUES for _, each in view.categories}
    columns = Columns(tuple(each.name for each in view.columns), categories, model.encoders)
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(_ROWS, len(columns))).astype(np.float32)
    for at, size in columns.sizes:
        matrix[:, at] = random.integers(0, size, _ROWS)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    label = np.arange(_ROWS) % (3 if task == "multiclass" else 2)
    for name, build in model.builds.items():
        steps = build_steps(name, build, columns, seed, task)
        try_export(name, steps, matrix, label.astype(LABELS[task]), task)
