"""Runs of models that the requests of a batch share, where none of their scores depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from serving.models.model import Model
from serving.models.run_guard import RunGuard
from serving.prediction.model_scores import ModelScores


class SharedRun(msgspec.Struct, frozen=True):
    """Of the rows of one request: what the model saw, and its scores."""

    seen: NDArray[np.float32]
    scores: list[Any]


def shared_runs(
    models: Sequence[Model | None],
    rows: Sequence[int],
    matrix: NDArray[np.float32],
    codes: NDArray[np.float64] | None,
    scores: ModelScores,
    guard: RunGuard,
) -> list[SharedRun | None]:
    """Of each request; None where it has to be scored by itself. models, rows: of each request, and how many rows."""
    found: list[SharedRun | None] = [None] * len(models)
    of_model: dict[int, list[int]] = {}
    for place, model in enumerate(models):
        if model is not None and model.shares_runs:
            of_model.setdefault(id(model), []).append(place)
    for places in of_model.values():
        model = models[places[0]]
        if len(places) == 1 or model is None:
            continue
        run = _run(model, *_rows_of(places, rows, matrix, codes), scores, guard)
        if run is None:
            continue
        start = 0
        for place in places:
            stop = start + rows[place]
            found[place] = SharedRun(run.seen[start:stop], run.scores[start:stop])
            start = stop
    return found


def _rows_of(
    places: Sequence[int], rows: Sequence[int], matrix: NDArray[np.float32], codes: NDArray[np.float64] | None
) -> tuple[NDArray[np.float32], NDArray[np.float64] | None]:
    """The rows of the requests at these places."""
    if len(places) == len(rows):
        return matrix, codes
    starts = [0, *accumulate(rows)]
    chosen = [row for place in places for row in range(starts[place], starts[place + 1])]
    return matrix[chosen], None if codes is None else codes[chosen]


def _run(
    model: Model,
    matrix: NDArray[np.float32],
    codes: NDArray[np.float64] | None,
    scores: ModelScores,
    guard: RunGuard,
) -> SharedRun | None:
    if scores.is_slow(model, len(matrix)):
        return None
    seen = model.seen(matrix, codes)
    with scores.bounded(model, len(matrix), guard) as options:
        found = scores.together(model, seen, options)
    return None if found is None else SharedRun(seen, found)
