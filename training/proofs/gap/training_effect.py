"""What training on either truth does to a model's metrics, when it is served as it really is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.feature_matrix import category_codes, feature_matrix, place_categories, request_floats
from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.formats.offline_tables import OFFSET, PARTITION
from shared_features.kernel.vocabulary import Vocabulary
from training.datasets.dataset_builder import build_dataset
from training.datasets.historical_features import stored_features
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import EVENT_TIME, PinnedView
from training.datasets.time_split import TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset, canonical
from training.models.candidates import fit_model
from training.models.columns import Columns
from training.models.early_stopping import latest_for_built_in
from training.models.metrics.evaluation import evaluate_predictions
from training.models.predictions import predicted
from training.models.task_rules import RULES
from training.progress import Tell, untold
from training.proofs.gap.gap_report import Metrics, TrainingEffect
from training.proofs.leaks.sampled_rows import spine_at

AS_SERVED, EVENT_TIME_TRUTH = "as served", "in event time"


def training_effect(
    pinned: PinnedView, store: OfflineStore, parameters: DatasetParameters, k: int, tell: Tell = untold
) -> TrainingEffect:
    """The first candidate of the task, fitted on each truth. Raises DatasetError where there is no dataset."""
    served, _ = build_dataset(pinned, parameters, tell)
    tell("replaying all rows of the dataset in event time")
    happened = replace(served, matrix=_in_event_time(pinned, store, served))
    candidate = RULES[served.manifest.task].models[0]
    metrics, promised = {}, {}
    for name, dataset in ((AS_SERVED, served), (EVENT_TIME_TRUTH, happened)):
        tell(f"fitting {candidate} on rows {name}")
        rows = dataset.rows(TRAIN)
        pipeline, notes = fit_model(
            candidate, np.asarray(dataset.matrix[rows]), dataset.label[rows], parameters.seed,
            dataset.manifest.task, columns=Columns.of(dataset.features, dataset.manifest.categories),
            latest=latest_for_built_in(dataset.event_time_us[rows]),  # as a run fits it
        )  # fmt: skip
        for note in notes:
            tell(f"fitted {candidate} on rows {name}: {note}")
        metrics[name], promised[name] = (_metrics(pipeline, each, k) for each in (served, dataset))
    return TrainingEffect(candidate, metrics, promised)


def _metrics(pipeline: object, dataset: TrainingDataset, k: int) -> Metrics:
    task = dataset.manifest.task
    score = predicted(pipeline, np.asarray(dataset.matrix[dataset.rows(TEST)]), task)
    found = evaluate_predictions(dataset, score, k)
    return {name: float(found[name]) for name in RULES[task].metrics if name in found}


def _in_event_time(pinned: PinnedView, store: OfflineStore, served: TrainingDataset) -> NDArray[np.float32]:
    """The matrix of the same rows, in their order."""
    view = pinned.view
    positions = pl.DataFrame({EVENT_TIME: served.event_time_us, PARTITION: served.partition, OFFSET: served.offset})
    spine = spine_at(pinned, positions)
    stored = stored_features(store, spine, "event-time")
    request = request_floats(view.source, spine.columns, spine.valid)
    matrix = feature_matrix(view, request, spine.as_of_us, stored)
    codes = category_codes(view, request, stored)
    vocabularies = [(at, Vocabulary(served.manifest.categories[column.name])) for at, column in view.categories]
    return canonical(place_categories(matrix, codes, vocabularies))
