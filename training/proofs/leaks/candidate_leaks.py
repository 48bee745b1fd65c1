"""Candidates as the gate tries them: fitted on some rows, whether the score of a row follows the rows beside it.

What a pipeline does before its estimator is fitted on the train window. Where a step of it looks at the rows that are
scored too, at the clock or at a file, the score of a row changes with what is scored beside it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from training.datasets.time_split import TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset
from training.models.built_candidate import build_steps
from training.models.candidates import LABELS
from training.models.columns import Build, Columns
from training.models.encoders import Encoder
from training.models.predictions import predicted
from training.proofs.leaks.leak import Leak, LeakReport, first_of_each
from training.proofs.leaks.trials import choose_cuts, row_leaks

_FITTED_ROWS, _SCORED_ROWS = 400, 120
_ROUNDING = 1e-5
"""Sums of float32, which libraries take in another order for another number of rows."""


def candidate_leaks(
    builds: Mapping[str, Build], dataset: TrainingDataset, seed: int, encoders: Mapping[str, Encoder] | None = None
) -> LeakReport:
    """Of every candidate that a function of a user's builds. encoders: of the model."""
    columns = Columns.of(dataset.features, dataset.manifest.categories, encoders)
    leaks: list[Leak] = []
    said: list[str] = []
    for name, build in builds.items():
        try:
            pipeline = _fitted(name, build, columns, dataset, seed)
        except ValueError as error:
            said.append(f"candidate {name} was not tried: on {_FITTED_ROWS} rows its fit raised {error}")
            continue
        leaks += _leaks_of(f"the score of candidate {name}", pipeline, columns, dataset, seed)
    return LeakReport(first_of_each(leaks), {"candidates": len(builds) - len(said)}, unchecked=tuple(said))


def _fitted(name: str, build: Build, columns: Columns, dataset: TrainingDataset, seed: int) -> Pipeline:
    rows = dataset.rows(TRAIN)
    label = dataset.label[rows]
    outcomes = np.unique(label) if dataset.manifest.task != "regression" else np.array([])
    each = _FITTED_ROWS // max(1, len(outcomes))
    of_outcomes = [np.flatnonzero(label == code)[-each:] for code in outcomes] or [np.arange(len(rows))[-each:]]
    rows = rows[np.sort(np.concatenate(of_outcomes))]
    task = dataset.manifest.task
    pipeline = Pipeline(build_steps(name, build, columns, seed, task))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.fit(np.asarray(dataset.matrix[rows]), dataset.label[rows].astype(LABELS[task]))
    return pipeline


def _leaks_of(said: str, pipeline: Pipeline, columns: Columns, dataset: TrainingDataset, seed: int) -> list[Leak]:
    rows = dataset.rows(TEST)
    rows = rows[np.argsort(dataset.event_time_us[rows], kind="stable")][-_SCORED_ROWS:]
    matrix, as_of_us = np.asarray(dataset.matrix[rows]), dataset.event_time_us[rows]
    if len(np.unique(as_of_us)) < 2:
        return []

    def compute(places: NDArray[np.int64], altered: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        given = matrix[places]
        others = given[altered] * 3 + 17
        for at, size in columns.sizes:  # the next value, as there is no place behind the last one
            others[:, at] = (given[altered, at] + 1) % max(1, size)
        given[altered] = others
        found = predicted(pipeline, given, dataset.manifest.task)
        return {said: found if found.ndim == 1 else found[:, 0]}

    return row_leaks(compute, as_of_us, choose_cuts(as_of_us, 2, seed), _ROUNDING)
