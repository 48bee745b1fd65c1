"""The datasets that a notebook asks for, with times as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import polars as pl

from shared_features.arguments import did_you_mean
from shared_features.definitions import FeatureView
from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.kernel.event_time import to_us
from training.datasets.dataset_builder import build_dataset
from training.datasets.exports.dataset_table import DatasetTable
from training.datasets.exports.division import divide, read_division
from training.datasets.exports.event_range import export_range
from training.datasets.exports.exported import SpineOptions, check_spine_options, export_events, export_spine
from training.datasets.exports.known_labels import pin_labels
from training.datasets.given_spine import check_spine
from training.datasets.historical_features import Truth
from training.datasets.history.pinned_history import pin_history
from training.datasets.history.replayed import lag_to_us
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView, pin_view
from training.errors import TrainingError
from training.notebook.given_tables import as_instant
from training.progress import Tell
from training.runs.plan.run_model import choose_model
from training.settings import TrainingSettings

_TIMES = ("cutoff", "train_from", "train_to", "test_from", "test_to")


def of_windows(settings: TrainingSettings, view: FeatureView, asked: Mapping[str, Any], tell: Tell) -> DatasetTable:
    """Labelled events in a train, a gap and a test window, as a run has them: the view's model says how long they are.

    asked: fields of `DatasetParameters`, without `_us`, and the name of a model, where the view has several.
    """
    _, model = choose_model(settings, asked.get("model"), view.name)
    parameters = _parameters({name: value for name, value in asked.items() if name != "model"})
    pinned = _pinned(settings, view)
    filled = parameters if model is None else model.fill(parameters)
    return export_events(pinned, build_dataset(pinned, filled, tell)[0])


def of_range(
    settings: TrainingSettings,
    view: FeatureView,
    tell: Tell,
    start: Any = None,
    end: Any = None,
    cutoff: Any = None,
    split: str = "",
    seed: int = 0,
    test_share: float = 0.25,
) -> DatasetTable:
    """All events between two instants, labelled or not."""
    start_us, end_us = as_instant(start, "start"), as_instant(end, "end")
    division = read_division(split, view, seed, test_share) if split else None
    table = export_range(_pinned(settings, view), start_us, end_us, as_instant(cutoff, "cutoff"), tell)
    return table if division is None else divide(table, view, division, table.instants_us)


def of_spine(
    settings: TrainingSettings,
    view: FeatureView,
    spine: pl.DataFrame,
    tell: Tell,
    truth: Truth = "as-served",
    lag: float = 0.0,
    label: str = "",
    with_labels: bool = False,
    cutoff: Any = None,
    split: str = "",
    seed: int = 0,
    test_share: float = 0.25,
) -> DatasetTable:
    """The rows of a spine with their features. lag: seconds."""
    lag_us = lag_to_us(lag)
    division = read_division(split, view, seed, test_share) if split else None
    given = check_spine(view, spine)
    check_spine_options(given, division, label, with_labels)
    store = OfflineStore(settings.lake)
    labels, cutoff_us = pin_labels(store, view, as_instant(cutoff, "cutoff")) if with_labels else ((), None)
    meant = SpineOptions(truth, lag_us, label, cutoff_us, settings.spine_events_at_once)
    table = export_spine(pin_history(store, view), given, meant, labels, tell)
    return table if division is None else divide(table, view, division, given.as_of_us)


def _pinned(settings: TrainingSettings, view: FeatureView) -> PinnedView:
    return pin_view(OfflineStore(settings.lake), view, to_us(settings.allowed_lateness))


def _parameters(asked: Mapping[str, Any]) -> DatasetParameters:
    """Raises TrainingError for an option that a dataset does not have."""
    names = [each.name.removesuffix("_us") for each in fields(DatasetParameters)]
    if unknown := [name for name in asked if name not in names]:
        raise TrainingError(
            f"A dataset has no option {unknown[0]!r}.{did_you_mean(unknown[0], names)} Its options are "
            f"{', '.join(names)}."
        )
    options: dict[str, Any] = {name: value for name, value in asked.items() if name not in _TIMES}
    times: dict[str, Any] = {f"{name}_us": as_instant(asked[name], name) for name in _TIMES if name in asked}
    return DatasetParameters(**options, **times)
