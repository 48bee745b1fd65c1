"""A candidate as its model asks for it: fitted on sampled or weighted rows, and corrected for that, and calibrated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from shared_features.counted import counted
from shared_features.kernel.event_time import to_text
from training.errors import TrainingError
from training.models.correction.calibration import Isotonic, Platt, fit_isotonic, fit_platt
from training.models.correction.corrected_model import CorrectedModel, Correction
from training.models.correction.odds import DividedShares, ScaledOdds
from training.models.correction.one_versus_rest import OneVersusRest
from training.models.fitting import Calibrate, Fitting

Matrix = NDArray[np.float32]
CALIBRATED_SHARE = 0.2
"""Of the rows of the train window: the latest, which the estimator is not fitted on."""


@dataclass(frozen=True)
class LearnedRows:
    """Of the train window. label: places of classes. time_us: event times. classes: under their own names, if any."""

    matrix: Matrix
    label: NDArray[np.float64]
    time_us: NDArray[np.int64]
    task: str = "binary"
    classes: tuple[str | int, ...] = ()

    def some(self, rows: NDArray[np.int64] | slice) -> LearnedRows:
        """These rows. A slice copies nothing."""
        return replace(self, matrix=self.matrix[rows], label=self.label[rows], time_us=self.time_us[rows])


Fit = Callable[[LearnedRows, NDArray[np.float64] | None], tuple[Pipeline, list[str]]]
"""From rows and their weights, if any, to what is fitted, with notes."""


def fit_corrected(
    fit: Fit, rows: LearnedRows, fitting: Fitting, seed: int
) -> tuple[Pipeline | CorrectedModel, list[str]]:
    """Fit it. Returns it with notes; the pipeline itself where nothing corrects it.

    Raises TrainingError where a part of the train window lacks a class.
    """
    weights = fitting.weights(rows.classes)
    later = _later(rows.time_us) if fitting.calibrate else np.zeros(len(rows.label), np.bool_)
    learned, shares = _sampled(rows.label, ~later, fitting.keep_negatives or 1.0, seed)
    if fitting.calibrate:
        _check_classes(rows, learned, "is learned from")
    given = rows.some(learned)
    pipeline, notes = fit(given, np.array(weights)[given.label.astype(np.int64)] if weights else None)
    corrections: list[Correction] = list(_for_shares(weights, shares, rows))
    if fitting.calibrate:
        _check_classes(rows, np.flatnonzero(later), "a calibration is fitted on")
        corrections.append(_calibration(fitting.calibrate, CorrectedModel(pipeline, tuple(corrections)), rows, later))
    if not corrections:
        return pipeline, notes
    return CorrectedModel(pipeline, tuple(corrections)), [*notes, *(each.says for each in corrections)]


def _later(time_us: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The latest share of the rows; rows of one instant are all on one side."""
    first = np.sort(time_us)[int(len(time_us) * (1 - CALIBRATED_SHARE))]
    found: NDArray[np.bool_] = time_us >= first
    return found


def _sampled(
    label: NDArray[np.float64], early: NDArray[np.bool_], share: float, seed: int
) -> tuple[NDArray[np.int64] | slice, tuple[int, int]]:
    """The rows to learn from, and how many negative rows were kept of how many. A slice copies no matrix."""
    negatives = np.flatnonzero(early & (label == 0))
    kept = negatives
    if share < 1.0 and len(negatives):
        count = max(1, round(share * len(negatives)))
        kept = np.sort(np.random.default_rng(seed).choice(negatives, count, replace=False))
    if early.all() and len(kept) == len(negatives):
        return slice(None), (len(kept), len(negatives))
    learned = early.copy()
    learned[negatives] = False
    learned[kept] = True
    return np.flatnonzero(learned), (len(kept), len(negatives))


def _for_shares(
    weights: tuple[float, ...], shares: tuple[int, int], rows: LearnedRows
) -> Iterator[ScaledOdds | DividedShares]:
    """Whatever gives the classes their own shares again."""
    names = rows.classes or (False, True)
    said = (
        [f"class weights {', '.join(f'{name} {each:g}' for name, each in zip(names, weights, strict=True))}"]
        if weights
        else []
    )
    if rows.task != "binary":
        if weights:
            yield DividedShares(weights, f"{said[0]}: probabilities divided by them")
        return
    kept, negatives = shares
    if kept < negatives:
        said.insert(0, f"{kept:,} of {negatives:,} rows of {names[0]} kept")
    if said:
        factor = (kept / negatives if negatives else 1.0) * ((weights[0] / weights[1]) if weights else 1.0)
        yield ScaledOdds(factor, f"{', '.join(said)}: odds times {factor:.6g}")


def _calibration(
    kind: Calibrate, model: CorrectedModel, rows: LearnedRows, later: NDArray[np.bool_]
) -> Isotonic | Platt | OneVersusRest:
    scores = np.asarray(model.predict_proba(rows.matrix[later]), np.float32)
    label, time_us = rows.label[later], rows.time_us[later]
    fit = fit_isotonic if kind == "isotonic" else fit_platt
    when = (
        f", fitted on {counted(len(scores), 'row')} from {to_text(int(time_us.min()))} to {to_text(int(time_us.max()))}"
    )
    if rows.task == "binary":
        one = fit(scores[:, 1], label > 0)
        return replace(one, says=_described(one) + when)
    each = tuple(fit(scores[:, at], label == at) for at in range(scores.shape[1]))
    names = rows.classes or range(len(each))
    said = "; ".join(f"{name}: {_described(of_class)}" for name, of_class in zip(names, each, strict=True))
    return OneVersusRest(each, f"each class against the others, and their sum 1 again ({said}){when}")


def _described(found: Isotonic | Platt) -> str:
    if isinstance(found, Isotonic):
        return f"isotonic regression with {counted(len(found.thresholds), 'threshold')}"
    return f"Platt's logistic function with slope {found.slope:.6g} and intercept {found.intercept:.6g}"


def _check_classes(rows: LearnedRows, part: NDArray[np.int64] | slice, what: str) -> None:
    """Raises TrainingError for a class that the train window has and its part has not."""
    there, needed = (set(np.unique(each).tolist()) for each in (rows.label[part], rows.label))
    if not needed <= there or len(there) < 2:
        names = rows.classes or (False, True)
        lost = [names[int(each)] for each in sorted(({0.0, 1.0} | needed) - there)]
        share = f"{CALIBRATED_SHARE:.0%}"
        raise TrainingError(
            f"Class {lost[0]!r} has no row in the part of the train window that {what}. A calibration takes the last "
            f"{share} of the rows by time. Give a larger --train-days, or take `calibrate` out of the model."
        )
