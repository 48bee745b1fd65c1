"""How good scores and values are over the test window, and entity precision at k.

After Le Borgne, Siblini, Lebichot, Bontempi, *Reproducible Machine Learning for Credit Card Fraud Detection - Practical
Handbook* (Université Libre de Bruxelles, 2022), chapter 4, "Precision top-k metrics", with the test set of its chapter
3: an entity whose positive event is known on a test day is no longer a candidate on that day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, log_loss, r2_score, roc_auc_score

from shared_features.kernel.event_time import DAY_US
from training.datasets.time_split import TEST
from training.datasets.training_dataset import TrainingDataset
from training.errors import DatasetError
from training.models.metrics.calibration import calibration_error
from training.models.metrics.class_metrics import class_metrics
from training.models.metrics.pinball import pinball
from training.models.metrics.precision_name import k_of, precision_at


@dataclass(frozen=True)
class EntityPrecision:
    """Precision at k of each day, its mean, and how many entities, and positive ones, each day held to be found."""

    mean: float
    per_day: tuple[float, ...]
    positive_entities_per_day: tuple[int, ...]
    entities_per_day: tuple[int, ...]


def entity_precision_at_k(
    score: NDArray[np.floating[Any]],
    label: NDArray[np.float64],
    entity: NDArray[np.int64],
    day: NDArray[np.int64],
    k: int,
) -> EntityPrecision:
    """The daily mean of the share of positive entities among the k highest-scored ones.

    An entity's score of a day is its highest, and it is positive where any of its events is. Positive entities among
    the k are detected: they are left out on the following days. The share is of k, also on a day with fewer entities.
    Unit: 0 to 1; NaN where no day has a positive entity, because every order of them is then as good. Equal scores are
    ranked by entity, so that the value is reproducible.
    """
    frame = pl.DataFrame({"day": day, "entity": entity, "score": np.asarray(score, np.float64), "label": label})
    daily = frame.group_by("day", "entity").agg(pl.col("score").max(), pl.col("label").max() > 0)
    daily = daily.sort("day", "score", "entity", descending=[False, True, False])
    detected = pl.Series("entity", [], pl.Int64)
    precisions: list[float] = []
    positives: list[int] = []
    entities: list[int] = []
    for today in daily.partition_by("day", maintain_order=True):
        left = today.filter(~pl.col("entity").is_in(detected.implode()))
        found = left.head(k).filter("label")["entity"]
        positives.append(int(left["label"].sum()))
        entities.append(len(left))
        precisions.append(len(found) / k)
        detected = pl.concat([detected, found])
    mean = float(np.mean(precisions)) if any(positives) else float("nan")
    return EntityPrecision(mean, tuple(precisions), tuple(positives), tuple(entities))


def candidate_rows(dataset: TrainingDataset) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """int64: rows of the test window whose entity is a candidate on its test day, and that day.

    Left out are rows of entities known to be positive on that day: those with a positive event, anywhere in the
    dataset, that lies the gap or more before the day begins.
    """
    split = dataset.manifest.split
    test_start_us = split.test_start_us
    rows = dataset.rows(TEST)
    day = (dataset.event_time_us[rows] - test_start_us) // DAY_US
    positive = dataset.label > 0
    firsts = pl.DataFrame({"entity": dataset.entity[positive], "first": dataset.event_time_us[positive]})
    firsts = firsts.group_by("entity").agg(pl.col("first").min())
    first = pl.DataFrame({"entity": dataset.entity[rows]}).join(firsts, on="entity", how="left", maintain_order="left")
    known_us = test_start_us + day * DAY_US - split.gap_us
    keep = first["first"].fill_null(np.iinfo(np.int64).max).to_numpy() >= known_us
    return rows[keep], day[keep]


def _of_scores(dataset: TrainingDataset, score: NDArray[Any], ks: Sequence[int]) -> dict[str, Any]:
    """score: of each row of the test window, in order. Raises DatasetError for one class only.

    `roc_auc` and `average_precision` are over the whole test window; `..._of_candidates` and entity precision are over
    its candidates, as the Handbook has them all. None where the candidates cannot tell: there are none, all are of one
    class, or, of entity precision, none is positive.
    """
    window = dataset.rows(TEST)
    label = dataset.label[window]
    if len(np.unique(label)) < 2:
        raise DatasetError(
            f"The model cannot be evaluated. All {len(label):,} labels of the test window are {label[:1].tolist()}. "
            "Give another test window, which has both outcomes: --test-from and --test-to."
        )
    rows, day = candidate_rows(dataset)
    candidate_score, candidate_label = score[np.searchsorted(window, rows)], dataset.label[rows]
    both = len(np.unique(candidate_label)) == 2
    precisions = {k: entity_precision_at_k(candidate_score, candidate_label, dataset.entity[rows], day, k) for k in ks}
    first = precisions[ks[0]]
    return {
        "roc_auc": float(roc_auc_score(label, score)),
        "average_precision": float(average_precision_score(label, score)),
        "log_loss": float(log_loss(label, np.asarray(score, np.float64))),
        "brier_score": float(np.mean((np.asarray(score, np.float64) - label) ** 2)),
        "calibration_error": calibration_error(label, score),
        **{precision_at(k): None if np.isnan(each.mean) else each.mean for k, each in precisions.items()},
        "roc_auc_of_candidates": float(roc_auc_score(candidate_label, candidate_score)) if both else None,
        "average_precision_of_candidates": (
            float(average_precision_score(candidate_label, candidate_score)) if both else None
        ),
        "per_day": {
            "precision": list(first.per_day),
            "positive_entities": list(first.positive_entities_per_day),
            "entities": list(first.entities_per_day),
        },
    }


def _of_values(label: NDArray[np.float64], value: NDArray[Any]) -> dict[str, Any]:
    """value: of each label. `r2`: the share of the labels' variance that is explained; None where they do not vary."""
    error = np.asarray(value, np.float64) - label
    return {
        "r2": float(r2_score(label, value)) if np.ptp(label) > 0 else None,
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.mean(np.abs(error))),
        "median_absolute_error": float(np.median(np.abs(error))),
        "mean_error": float(np.mean(error)),
        **{f"pinball_{percent}": float(np.mean(pinball(label, value, percent))) for percent in (10, 50, 90)},
    }


def evaluate_predictions(dataset: TrainingDataset, predicted: NDArray[Any], *ks: int) -> dict[str, Any]:
    """Metric name -> value, as the task of the dataset has them. predicted: of each row of the test window, in order.
    ks: one or more, how many entities of a day entity precision looks at; `per_day` is that of the first.

    Raises DatasetError where the test window cannot tell.
    """
    if dataset.manifest.task == "binary":
        return _of_scores(dataset, predicted, ks)
    label = dataset.label[dataset.rows(TEST)]
    if not len(label):
        raise DatasetError("The model cannot be evaluated. The test window has no row. Give a larger --test-days.")
    if dataset.manifest.task == "multiclass":
        return class_metrics(label, predicted, dataset.manifest.classes)
    return _of_values(label, predicted)


def format_metrics(metrics: Mapping[str, Any], names: Sequence[str] = ()) -> str:
    """The chief metrics in a few words, or those of these names; those that leave rows out are named apart.

    Two are told only where they are named: the pinball loss, and precision at k where k entities are all there are on
    most days, because it then ranks nothing.
    """
    wanted = {name: metrics[name] for name in names or metrics if names or not name.startswith("pinball_")}
    shown = {name: value for name, value in wanted.items() if isinstance(value, float) and "_of_" not in name}
    said = [f"{name} {value:.4f}" for name, value in shown.items() if k_of(name) is None]
    entities = metrics.get("per_day", {}).get("entities", ())
    parts = [
        f"{name} {value:.4f}"
        for name, value in shown.items()
        if (k := k_of(name)) and (names or sum(each > k for each in entities) * 2 > len(entities))
    ]
    said += [f"{name} has no value" for name in names if metrics[name] is None]
    said += [f"and of entities not known yet {', '.join(parts)}"] if parts else []
    return ", ".join(said).removeprefix("and ")
