"""A run of `batch-score`: what it pins when it begins, and its folder."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from shared_features.definitions import FeatureView, load_definitions
from shared_features.kernel.event_time import to_us
from training.datasets.offline_store import OfflineStore
from training.errors import StepError
from training.inference.batch_prediction import remove_unfinished
from training.inference.published_model import open_model
from training.inference.rows_to_predict import SpineRows
from training.registry.version_facts import find_version
from training.registry.versions import Registry
from training.runs.plan.batch_score import BATCH_SCORE, BatchScore
from training.runs.plan.data_version import DataVersion, pin_data
from training.runs.plan.scoring_context import ScoringContext
from training.runs.records.run_folders import begin_folder
from training.settings import TrainingSettings
from training.steps.run_journal import has_begun, read_journal


def begin_scoring(
    settings: TrainingSettings, asked: BatchScore, now_us: int, name: str, origin: Path | None = None
) -> Path:
    """Choose the version, pin the data and make the folder. A run of this name that has begun is returned as it is.

    origin: the folder of the run that this one continues, which says both. Raises TrainingError for a model that the
    definitions do not fit, and for a file of rows that cannot be read.
    """
    runs = settings.training_runs / BATCH_SCORE  # beside the folders of views, of which none has this name
    if has_begun(runs / name):
        return runs / name
    pinned: Mapping[str, Any] = {} if origin is None else read_journal(origin).data
    registry = Registry(settings.registry)
    wanted = pinned.get("version", asked.version)
    version = find_version(registry, asked.model, None if wanted is None else str(wanted))
    model = open_model(registry, load_definitions(settings.definitions), asked.model, str(version))
    with model.scorer:  # it is open: its graph and its view are in order
        if asked.spine is not None:
            file, lag_us = settings.scoring / asked.spine, round(asked.lag * 1e6)
            SpineRows(file, model.view, OfflineStore(settings.lake), asked.truth, lag_us, 1)
    data = None if asked.from_ is None else _data(settings, model.view, pinned)
    context = ScoringContext(settings, asked, model.view, version, data, now_us)
    return begin_folder(runs, context.begin(), now_us, name)


def end_scoring(settings: TrainingSettings, run: Path) -> None:
    """Remove what a step that was ended in the middle has left beside its output. Other templates leave nothing."""
    with suppress(OSError, StepError):
        journal = read_journal(run)
        if journal.template == BATCH_SCORE:
            remove_unfinished(settings.scoring / journal.asked["output"])


def _data(settings: TrainingSettings, view: FeatureView, pinned: Mapping[str, Any]) -> DataVersion:
    if "tables" in pinned:
        return msgspec.convert({name: each for name, each in pinned.items() if name != "version"}, DataVersion)
    return pin_data(settings.lake, view, to_us(settings.allowed_lateness))
