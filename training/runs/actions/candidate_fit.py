"""How a candidate of a run is fitted: on all rows of the train window, or on some while its parameters are searched."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from shared_features.arguments import did_you_mean
from training.definitions.early_stopping import EarlyStopping
from training.errors import TrainingError
from training.models.built_candidate import build_steps, fit_failed
from training.models.candidates import built_in_steps, fit_model
from training.models.columns import Build, Columns
from training.models.corrected_fit import LearnedRows, fit_corrected
from training.models.correction.corrected_model import CorrectedModel
from training.models.early_stopping import LatestRows, latest_for_built_in, latest_rows
from training.models.fitting import Fitting


@dataclass(frozen=True)
class TrainRows:
    """Of the train window. matrix: float32[n, features]. label: float64[n]. event_time_us: int64[n].

    classes: of the label, under their own names. gap_us: what lies between the window and the test window.
    """

    columns: Columns
    matrix: NDArray[np.float32]
    label: NDArray[np.float64]
    event_time_us: NDArray[np.int64]
    task: str
    classes: tuple[str | int, ...] = ()
    gap_us: int = 0


@dataclass(frozen=True)
class CandidateFit:
    """build: of a candidate that is not built in. early_stopping, fitting: what the model says of it."""

    name: str
    build: Build | None
    train: TrainRows
    seed: int
    early_stopping: EarlyStopping | None = None
    fitting: Fitting = field(default_factory=Fitting)
    values: Mapping[str, Any] = field(default_factory=dict)
    """Of its hyper-parameters."""

    def steps(self, rows: int) -> list[tuple[str, Any]]:
        """Of its pipeline, not fitted. Raises TrainingError for what cannot be built."""
        train = self.train
        if self.build is not None:
            return build_steps(
                self.name, functools.partial(self.build, **self.values), train.columns, self.seed, train.task
            )
        steps = built_in_steps(self.name, rows, self.seed, train.task, train.columns)
        steps[-1][1].set_params(**self.values)
        return steps

    def check_names(self) -> None:
        """Raises TrainingError for a value of a parameter that a built-in estimator does not have."""
        if self.build is not None:
            return  # the model's definition was checked against the function
        known = list(replace(self, values={}).steps(1)[-1][1].get_params())
        for name in self.values:
            if name not in known:
                raise TrainingError(
                    f"The search for {self.name} names {name!r}, and its estimator has no such parameter. Name one of "
                    f"{', '.join(known)}.{did_you_mean(name, known)}"
                )

    def fit(self, rows: NDArray[np.int64] | None = None) -> tuple[Pipeline | CorrectedModel, list[str]]:
        """On these rows of the train window, or on all. Returns the model with notes."""
        train = self.train
        learned = LearnedRows(train.matrix, train.label, train.event_time_us, train.task, train.classes)
        try:
            return fit_corrected(
                self._fit_pipeline, learned if rows is None else learned.some(rows), self.fitting, self.seed
            )
        except (ValueError, TypeError) as error:
            raise fit_failed(self.name, error) from error

    def _fit_pipeline(self, rows: LearnedRows, weights: NDArray[np.float64] | None) -> tuple[Pipeline, list[str]]:
        steps, latest = self.steps(len(rows.label)), self._latest(rows.time_us)
        return fit_model(
            self.name, rows.matrix, rows.label, self.seed, rows.task, steps, self.train.columns, latest, weights
        )

    def _latest(self, event_time_us: NDArray[np.int64]) -> LatestRows | None:
        asked = self.early_stopping
        if asked is None:
            return latest_for_built_in(event_time_us) if self.build is None else None
        return latest_rows(event_time_us, asked.share, asked.patience)
