"""Build an exported dataset again from what its manifest says, and compare it bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions import FeatureView
from shared_features.formats.dataset_manifest import DatasetManifest, DatasetParameters
from shared_features.kernel.event_time import to_text
from training.datasets.dataset_builder import build_dataset
from training.datasets.exports.dataset_table import DatasetTable, read_directory
from training.datasets.exports.differences import tell_differences
from training.datasets.exports.division import divide
from training.datasets.exports.event_range import export_range
from training.datasets.exports.exported import Logged, SpineOptions, export_events, export_spine
from training.datasets.exports.known_labels import pin_label_tables
from training.datasets.given_spine import check_spine
from training.datasets.history.entity_slices import EVENTS_AT_ONCE
from training.datasets.history.pinned_history import PinnedHistory, pin_history
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.errors import DatasetError
from training.progress import Tell, untold

ReadAgain = Callable[[FeatureView, pl.DataFrame], tuple[PinnedHistory, Logged, NDArray[np.int64]]]
"""The prediction log, the features of the rows of a spine of it, and when their events happened."""


def rebuild(
    store: OfflineStore,
    views: Iterable[FeatureView],
    directory: Path,
    tell: Tell = untold,
    events_at_once: int = EVENTS_AT_ONCE,
    logged: ReadAgain | None = None,
) -> DatasetTable:
    """The dataset of a directory, built again. Raises DatasetError where one bit of it differs, and says which.

    logged: finds rows in the prediction log again, for a dataset of it.
    """
    was = read_directory(directory)
    view = view_of(was.manifest, views)
    try:
        now = _built_again(store, view, was, tell, events_at_once, logged)
    except DatasetError as error:
        raise DatasetError(
            f"The dataset in {directory} cannot be built again. {error}{_tell_gone(store, view, was.manifest)}"
        ) from error
    if now.manifest.data_digest != was.manifest.data_digest:
        raise DatasetError(
            f"The dataset in {directory} is another one when it is built again: "
            f"{tell_differences(was.data, now.data)}.{_tell_gone(store, view, was.manifest)}"
            f"{_tell_libraries(was.manifest, now.manifest)}"
        )
    return now


def view_of(manifest: DatasetManifest, views: Iterable[FeatureView]) -> FeatureView:
    """The view of a dataset. Raises DatasetError where the definitions have another one by now."""
    label = manifest.view.label
    found = next((each for each in views if each.label == label), None)
    if found is None or found.fingerprint != manifest.view.fingerprint:
        state = "no such view" if found is None else "another one of this name and version"
        raise DatasetError(
            f"The dataset is of view {label} as it was then. The definitions have {state}. Use the definitions that it "
            "was built with."
        )
    return found


def _built_again(
    store: OfflineStore,
    view: FeatureView,
    was: DatasetTable,
    tell: Tell,
    events_at_once: int,
    logged: ReadAgain | None,
) -> DatasetTable:
    told, spine = was.manifest, was.manifest.spine
    if spine is not None and was.spine is not None:
        history, features, happened_us = _history(store, view, was, logged)
        labels = pin_label_tables(store, view) if spine.joined else ()
        cutoff_us = told.labels.cutoff_us if spine.joined else None
        options = SpineOptions(
            "as-served" if spine.truth == "logged" else spine.truth,
            spine.lag_us,
            "" if spine.joined else spine.label,
            cutoff_us,
            events_at_once,
        )
        given = replace(check_spine(view, was.spine), happened_us=happened_us)
        return _divided(told, export_spine(history, given, options, labels, tell, features), view, given.as_of_us)
    pinned = pin_view(store, view, told.allowed_lateness_us, told.cut_us)
    if told.is_range:
        table = export_range(pinned, told.split.start_us, told.split.end_us, told.labels.cutoff_us, tell)
        return _divided(told, table, view, table.instants_us)
    return export_events(pinned, build_dataset(pinned, _asked(told), tell)[0])


def _history(
    store: OfflineStore, view: FeatureView, was: DatasetTable, logged: ReadAgain | None
) -> tuple[PinnedHistory, Logged | None, NDArray[np.int64] | None]:
    told = was.manifest
    if told.spine is None or was.spine is None or told.spine.truth != "logged":
        return pin_history(store, view, told.cut_us), None, None
    if logged is None:
        raise DatasetError("Its rows are of the prediction log. Rebuild it with `python -m training dataset rebuild`.")
    history, features, happened_us = logged(view, was.spine)
    return replace(history, cut_us=told.cut_us), features, happened_us


def _divided(
    told: DatasetManifest, table: DatasetTable, view: FeatureView, as_of_us: NDArray[np.int64]
) -> DatasetTable:
    return table if told.division is None else divide(table, view, told.division, as_of_us)


def _asked(manifest: DatasetManifest) -> DatasetParameters:
    """What gives the same rows whatever else is stored by now: the windows by their ends, not by their lengths."""
    split = manifest.split
    return replace(
        manifest.parameters,
        cutoff_us=manifest.labels.cutoff_us,
        entity=manifest.entity,
        train_from_us=split.start_us,
        train_to_us=split.train_end_us,
        test_from_us=split.test_start_us,
        test_to_us=split.end_us,
    )


def _tell_gone(store: OfflineStore, view: FeatureView, manifest: DatasetManifest) -> str:
    """What erasures and retention have taken since; "" where nothing."""
    read = [source for group in view.groups for source in group.sources]
    own = read if manifest.spine is not None else [view.source]
    if manifest.spine is None or manifest.spine.joined:
        own = [*own, *(each.source for each in view.label_sources)]
    since = max((store.erasures(source) for source in own), default=0) - manifest.erased_entities
    kept_us = max((store.kept_from_us(source) for source in (*own, *read)), default=0)
    reach_us = max((group.readable_us for group in view.groups), default=0)
    said = f" {counted(since, 'entity', 'entities')} {'was' if since == 1 else 'were'} erased since." if since else ""
    if kept_us > manifest.split.start_us - reach_us:
        said += f" Retention has deleted the events that arrived before {to_text(kept_us)}, which its windows reach."
    return said


def _tell_libraries(was: DatasetManifest, now: DatasetManifest) -> str:
    """Which libraries are others."""
    other = [
        f"{name} {was.libraries.get(name, 'missing')} (now {version})"
        for name, version in now.libraries.items()
        if was.libraries.get(name) != version
    ]
    return f" It was built with {', '.join(other)}." if other else ""
