"""A run of a model that the requests of a batch share, where none of their scores depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.models.model import Model
from serving.models.run_guard import RunGuard
from serving.prediction.model_scores import ModelScores


@dataclass(frozen=True, slots=True)
class SharedRun:
    """What the model saw, and its score of each row of the batch."""

    seen: NDArray[np.float32]
    scores: list[Any]


def shared_run(
    models: Sequence[Model | None],
    matrix: NDArray[np.float32],
    codes: NDArray[np.float64] | None,
    scores: ModelScores,
    guard: RunGuard,
) -> SharedRun | None:
    """models: of each request. None where each request has to be scored by itself."""
    model = models[0]
    if len(models) == 1 or model is None or not model.shares_runs or any(each is not model for each in models):
        return None
    if scores.is_slow(model, len(matrix)):
        return None
    seen = model.seen(matrix, codes)
    with guard.within(scores.longest_s(model, len(matrix))) as options:
        found = scores.together(model, seen, options)
    return None if found is None else SharedRun(seen, found)
