"""From a dataset to the table that is exported: of the events of a view, or of a spine that a user brought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from shared_features.formats.dataset_manifest import (
    DatasetParameters,
    LabelCounts,
    RowCounts,
    WindowCounts,
)
from shared_features.formats.dataset_rows import BroughtSpine, Division
from shared_features.formats.training_run import LABEL
from training.datasets.erasures import erased_from
from training.datasets.exports.dataset_table import DatasetTable
from training.datasets.exports.division import check_division
from training.datasets.exports.event_table import event_table
from training.datasets.exports.known_labels import check_joins, join_labels
from training.datasets.exports.manifests import NO_ROWS, manifest_of, stamped
from training.datasets.exports.table_digest import table_digest
from training.datasets.given_spine import GivenSpine
from training.datasets.historical_features import Truth, features_at
from training.datasets.history.entity_slices import EVENTS_AT_ONCE
from training.datasets.history.pinned_history import PinnedHistory
from training.datasets.offline_store import PinnedTable
from training.datasets.pinned_view import PinnedView
from training.datasets.training_dataset import TrainingDataset
from training.errors import DatasetError
from training.progress import Tell, untold

Logged = Callable[[GivenSpine], pl.DataFrame]
"""Adds the features of the prediction log to a spine of its rows."""


@dataclass(frozen=True)
class SpineOptions:
    """How the features and labels of a spine are meant.

    truth, lag_us: as in `features_at`. label: the column of the spine that is the label. cutoff_us: the labels of the
    view join those that had arrived by then; None: they are not joined.
    """

    truth: Truth = "as-served"
    lag_us: int = 0
    label: str = ""
    cutoff_us: int | None = None
    events_at_once: int = EVENTS_AT_ONCE


def export_events(pinned: PinnedView, dataset: TrainingDataset) -> DatasetTable:
    """The table of a dataset of the view's own events. Raises DatasetError where they are not stored any more."""
    return stamped(event_table(pinned, dataset), dataset.manifest)


def check_spine_options(spine: GivenSpine, division: Division | None, label: str, with_labels: bool) -> None:
    """What the spine alone refuses, before anything is read for it.

    label: the column of the spine that is the label. Raises DatasetError.
    """
    if with_labels:
        check_joins(spine.view, spine.given.columns)
    if division is not None:
        of_labels = [LABEL] if with_labels else []
        come = [*of_labels, *(each.name for each in spine.view.columns)]
        check_division(division, spine.given, LABEL if with_labels else label, come)


def export_spine(
    history: PinnedHistory,
    spine: GivenSpine,
    options: SpineOptions,
    labels: tuple[PinnedTable, ...] = (),
    tell: Tell = untold,
    logged: Logged | None = None,
) -> DatasetTable:
    """The table of a spine: as it was brought, then the label, if the view's is joined, then the features.

    labels: the events of each source of the view's labels, to join them. logged: where the
    features were logged, and none is computed. Raises DatasetError, as `features_at` does.
    """
    _check(spine, options)
    given, counts, labelled, known = spine.given, LabelCounts(max(history.cut_us - 1, 0), 0, 0), None, None
    if labels and options.cutoff_us is not None:
        joined = join_labels(given, spine.labelled_from_us, spine.view, labels, options.cutoff_us)
        given, counts, labelled = given.with_columns(joined.label.alias(LABEL)), joined.counts, joined.rows
        known = joined.known
    spine_and_label = replace(spine, given=given)
    if logged is not None:
        data = logged(spine_and_label)
    else:
        data = features_at(history, spine_and_label, options.truth, options.lag_us, tell, options.events_at_once)
    name = LABEL if labels else options.label
    unknown = int(data[name].null_count()) if name else 0
    tables = [*history.tables.values(), *labels]
    manifest = manifest_of(
        spine.view,
        history.cut_us,
        {each.name: each for each in tables}.values(),
        counts,
        (int(spine.as_of_us.min()), int(spine.as_of_us.max()) + 1),
        RowCounts(0, labelled or WindowCounts(len(spine) - unknown, 0, unknown), NO_ROWS, NO_ROWS),
        erased_from(tables),
        parameters=DatasetParameters(cutoff_us=options.cutoff_us),
        spine=BroughtSpine(
            len(spine),
            table_digest(spine.given),
            options.truth if logged is None else "logged",
            options.lag_us,
            name,
            bool(labels),
        ),
    )
    return replace(stamped(data, manifest, spine.given), known_labels=known)


def _check(spine: GivenSpine, options: SpineOptions) -> None:
    columns = spine.given.columns
    if not len(spine):
        raise DatasetError("The spine has no row. A dataset of no row cannot be built. Bring one with rows.")
    if options.label and options.label not in columns:
        raise DatasetError(
            f"The spine has no column {options.label!r} for its label. It has {', '.join(columns)}. Name one of them."
        )
    if options.cutoff_us is not None and LABEL in columns:
        raise DatasetError(
            f"The spine has a column {LABEL!r} already, and the labels of the view are joined under this name. It has "
            f"{', '.join(columns)}. Rename the column, or name it as the label and join none."
        )
