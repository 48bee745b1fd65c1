"""The features and models of the Fraud Detection Handbook's chapter 3, by Millrace and by plain pandas.

Every cell is compared. A cell that differs has a cause: pandas' windows hold what lies at their end and not what lies
at their beginning, and ours the reverse; and rows at the same second are before each other only in a file. Then its
models learn from a week and are tried on another one, as the Handbook does, on either table.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from deploy.demo.traffic.cards.transactions import DAY_US, Transactions
from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from shared_features.formats.dataset_manifest import DatasetParameters
from tests.bench import handbook_by_pandas as plain
from tests.bench.figures import Figure
from tests.bench.small_model import view_matrix
from tests.bench.transactions import measured_transactions
from tests.domains.handbook import HANDBOOK
from tests.training.lake import LATENESS_US, PARTITIONS, arrived, write_lake
from training.datasets.dataset_builder import build_dataset
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.datasets.time_split import TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset
from training.models.candidates import fit_model
from training.models.metrics.evaluation import evaluate_predictions
from training.models.predictions import predicted

TRAIN_FROM_DAY = 115
"""2018-07-25 in the Handbook's file, which begins on 2018-04-01."""
EQUAL_WITHIN = 1e-6
K = 100
PUBLISHED = {
    "logistic regression": (0.871, 0.606, 0.291),
    "tree of depth 2": (0.763, 0.496, 0.241),
    "tree": (0.788, 0.309, 0.243),
    "random forest": (0.867, 0.658, 0.287),
    "XGBoost": (0.862, 0.639, 0.273),
}
"""Area under the ROC curve, average precision and card precision at 100, as its chapter 3, section 4, prints them."""
METRICS = ("ROC AUC", "average precision", "card precision at 100")


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    frame = frame_of(rows)
    ours = view_matrix(HANDBOOK, rows)
    theirs = plain.features(frame)
    return [*cells(frame, ours, theirs), *metrics(frame, rows, ours, theirs)]


def frame_of(rows: Transactions) -> pd.DataFrame:
    second = rows.event_time_us // 1_000_000
    return pd.DataFrame(
        {
            "customer": rows.customer_id,
            "terminal": rows.terminal_id,
            "second": second,
            "time": pd.to_datetime(second, unit="s"),
            "amount": rows.amount_cents / 100,
            "fraud": rows.is_fraud.astype(np.float64),
        }
    )


def cells(frame: pd.DataFrame, ours: NDArray[np.float32], theirs: pd.DataFrame) -> list[Figure]:
    """How many cells are equal, and how many differ for which cause. Raises ValueError where one has no cause."""
    differs = ~np.isclose(ours, theirs.to_numpy(np.float64), rtol=EQUAL_WITHIN, atol=1e-9)
    causes = {"rows at the same second": 0, "a row at the very end or beginning of a window": 0}
    unexplained: list[str] = []
    for column, name in enumerate(theirs.columns):
        if not differs[:, column].any():
            continue
        same, edge = _causes(frame, name)
        unequal = differs[:, column]
        causes["rows at the same second"] += int((unequal & same).sum())
        causes["a row at the very end or beginning of a window"] += int((unequal & edge & ~same).sum())
        unexplained += [f"{name} of row {row}" for row in np.flatnonzero(unequal & ~edge & ~same)[:3]]
    if unexplained:
        raise ValueError(f"Cells differ without a cause: {', '.join(unexplained)}.")
    total = ours.size
    found = [Figure("cells of the Handbook's 15 features", total, "cells")]
    found.append(Figure("equal to pandas", total - int(differs.sum()), "cells", total, "all cells"))
    return [
        *found,
        *(Figure(f"differ for {cause}", count, "cells", total, "all cells") for cause, count in causes.items()),
    ]


def _causes(frame: pd.DataFrame, name: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of each row: whether another one lies at its second, and whether one lies at the edge of the feature's window."""
    days = int(name.rpartition("_")[2].removesuffix("d"))
    if name.startswith(("count", "mean")):
        edge = plain.neighbours(frame, "customer", days * plain.DAY_S)
        return plain.neighbours(frame, "customer", 0), edge
    delays = plain.DELAY_DAYS, plain.DELAY_DAYS + days
    first, last = (plain.neighbours(frame, "terminal", each * plain.DAY_S) for each in delays)
    return np.zeros(len(frame), np.bool_), first | last


def metrics(frame: pd.DataFrame, rows: Transactions, ours: NDArray[np.float32], theirs: pd.DataFrame) -> list[Figure]:
    """Each metric of each model by a dataset of Millrace's, beside that of the same model by pandas."""
    dataset = the_dataset(rows, ours)
    train, test = plain.test_rows(frame, pd.to_datetime(_day_us(rows, TRAIN_FROM_DAY), unit="us"))
    figures = []
    for name, estimator in estimators().items():
        by_ours = _by_dataset(name, estimator, dataset)
        by_pandas = _by_pandas(estimator, frame, theirs, train, test)
        published = f"; the Handbook prints {', '.join(map(str, PUBLISHED[name]))}"
        figures += [
            Figure(f"{name}: {metric}", value, "", other, "pandas" + published * (metric == METRICS[0]))
            for metric, value, other in zip(METRICS, by_ours, by_pandas, strict=True)
        ]
    return figures


def estimators() -> dict[str, Any]:
    """Those of the Handbook, with its parameters."""
    found: dict[str, Any] = {
        "logistic regression": LogisticRegression(random_state=0),
        "tree of depth 2": DecisionTreeClassifier(max_depth=2, random_state=0),
        "tree": DecisionTreeClassifier(random_state=0),
        "random forest": RandomForestClassifier(random_state=0, n_jobs=2),
    }
    try:
        from xgboost import XGBClassifier
    except ImportError:
        print("bench: handbook: NOT MEASURED: XGBoost, which is not installed", file=sys.stderr, flush=True)
        return found
    # By the defaults of version 1.3, of which the book was made.
    exact = XGBClassifier(random_state=0, n_jobs=2, tree_method="exact", base_score=0.5)
    return found | {"XGBoost": exact}


def the_dataset(rows: Transactions, ours: NDArray[np.float32]) -> TrainingDataset:
    """That of a lake of the transactions around both weeks, by training's own code. Its features are compared."""
    first, last = _day_us(rows, TRAIN_FROM_DAY - 45), _day_us(rows, TRAIN_FROM_DAY + 29)
    near = slice(*np.searchsorted(rows.event_time_us, (first, last)).tolist())
    part = rows.take(near)
    week = 7 * DAY_US
    train_us = _day_us(rows, TRAIN_FROM_DAY)
    with tempfile.TemporaryDirectory() as folder:
        transactions = arrived(CARD_TRANSACTIONS, _transactions(part), part.event_time_us)
        labels = arrived(CARD_LABELS, _labels(part), part.event_time_us + week)
        streams = {CARD_TRANSACTIONS.name: transactions, CARD_LABELS.name: labels}
        write_lake(Path(folder), HANDBOOK, streams, cut_us=last)
        asked = DatasetParameters(
            train_from_us=train_us,
            train_to_us=train_us + week,
            test_from_us=train_us + 2 * week,
            test_to_us=train_us + 3 * week,
            entity="customer",
        )
        dataset, _ = build_dataset(pin_view(OfflineStore(Path(folder)), HANDBOOK, LATENESS_US), asked)
    at = dataset.offset * PARTITIONS + dataset.partition  # the place in the order of arrival
    np.testing.assert_array_equal(dataset.matrix, ours[near][at])
    return dataset


def _by_dataset(name: str, estimator: Any, dataset: TrainingDataset) -> tuple[float, float, float]:
    train, test = dataset.rows(TRAIN), dataset.rows(TEST)
    steps = [("scaler", StandardScaler()), ("model", clone(estimator))]
    pipeline, _ = fit_model(name, dataset.matrix[train], dataset.label[train], seed=0, steps=steps)
    found = evaluate_predictions(dataset, predicted(pipeline, dataset.matrix[test]), K)
    return tuple(
        found[each]
        for each in ("roc_auc_of_candidates", "average_precision_of_candidates", f"precision_at_{K}_per_day")
    )


def _by_pandas(
    estimator: Any, frame: pd.DataFrame, theirs: pd.DataFrame, train: pd.Series[bool], test: pd.Series[bool]
) -> tuple[float, float, float]:
    pipeline = make_pipeline(StandardScaler(), clone(estimator)).fit(
        theirs[train].to_numpy(), frame.loc[train, "fraud"]
    )
    score = pipeline.predict_proba(theirs[test].to_numpy())[:, 1]
    label = frame.loc[test, "fraud"]
    precision = plain.card_precision(frame[test], score, K)
    return float(roc_auc_score(label, score)), float(average_precision_score(label, score)), precision


def _day_us(rows: Transactions, day: int) -> int:
    return int(rows.event_time_us[0] // DAY_US + day) * DAY_US


def _transactions(rows: Transactions) -> dict[str, NDArray[np.int64]]:
    return {
        "transaction_id": rows.transaction_id,
        "event_time": rows.event_time_us,
        "customer_id": rows.customer_id,
        "terminal_id": rows.terminal_id,
        "amount": rows.amount_cents,
    }


def _labels(rows: Transactions) -> dict[str, NDArray[np.int64]]:
    known_us = rows.event_time_us + plain.DELAY_DAYS * DAY_US
    return {
        "transaction_id": rows.transaction_id,
        "event_time": known_us,
        "transaction_time": rows.event_time_us,
        "terminal_id": rows.terminal_id,
        "is_fraud": rows.is_fraud.astype(np.int64),
    }
