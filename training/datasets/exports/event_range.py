"""All events of a view within a span of time, with their features as they were served: labelled or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared_features.feature_matrix import category_codes, feature_matrix
from shared_features.formats.dataset_manifest import DatasetParameters, LabelCounts, RowCounts, WindowCounts
from shared_features.formats.training_run import LABEL
from shared_features.kernel.event_time import to_text
from training.datasets.categories import named_values, tables_of
from training.datasets.erasures import erased_entities
from training.datasets.exports.dataset_table import DatasetTable
from training.datasets.exports.event_table import beside, identities, identity_fields, placed
from training.datasets.exports.known_labels import check_cutoff, join_labels
from training.datasets.exports.manifests import NO_ROWS, manifest_of, stamped
from training.datasets.outcomes.view_labels import complete_labels_us
from training.datasets.pinned_view import PinnedView
from training.datasets.point_in_time import JoinedRows, read_spine_rows
from training.datasets.training_dataset import canonical
from training.errors import DatasetError
from training.progress import Tell, untold


def export_range(
    pinned: PinnedView,
    from_us: int | None = None,
    to_us: int | None = None,
    cutoff_us: int | None = None,
    tell: Tell = untold,
) -> DatasetTable:
    """Every complete row with `from_us <= event time < to_us`; None: from the first, up to the last.

    A label that had not arrived by the cutoff is null; without labels there is no such column. A category is its value.
    Raises DatasetError where there is no row.
    """
    rows = read_spine_rows(pinned, from_us or 0, pinned.cut_us if to_us is None else to_us, tell)
    span = _span(pinned, rows, from_us, to_us)
    view = pinned.view
    joins = dict.fromkeys(name for each in view.label_sources for name in each.joins)
    events = identities(pinned, rows.partition, rows.offset, span, tuple(joins))
    about = placed(events.select(identity_fields(pinned)), rows.partition, rows.offset, rows.event_time_us)
    counts, labelled, known = LabelCounts(max(pinned.cut_us - 1, 0), 0, 0), WindowCounts(len(about), 0, 0), None
    if pinned.labels:
        known_us = check_cutoff(cutoff_us, complete_labels_us(view, pinned.labels, pinned.cut_us))
        joined = join_labels(events, rows.event_time_us, view, pinned.labels, known_us)
        about, counts, labelled = about.with_columns(joined.label.alias(LABEL)), joined.counts, joined.rows
        known = joined.known
    manifest = manifest_of(
        view,
        pinned.cut_us,
        pinned.tables,
        counts,
        span,
        RowCounts(rows.copies, labelled, NO_ROWS, NO_ROWS),
        erased_entities(pinned),
        allowed_lateness_us=pinned.lateness_us,
        parameters=DatasetParameters(cutoff_us=cutoff_us, train_from_us=from_us, train_to_us=to_us),
        is_range=True,
    )
    return replace(stamped(beside(about, _features(pinned, rows)), manifest), known_labels=known)


def _span(pinned: PinnedView, rows: JoinedRows, from_us: int | None, to_us: int | None) -> tuple[int, int]:
    if not len(rows.offset):
        raise DatasetError(
            f"View {pinned.view.label} has no row from {to_text(from_us or 0)} to "
            f"{to_text(pinned.cut_us if to_us is None else to_us)}. Its rows are complete up to "
            f"{to_text(pinned.cut_us)}. Give another --from or --to."
        )
    first_us, last_us = int(rows.event_time_us.min()), int(rows.event_time_us.max())
    return first_us if from_us is None else from_us, last_us + 1 if to_us is None else to_us


def _features(pinned: PinnedView, rows: JoinedRows) -> dict[str, Any]:
    """float32 of each feature in the view's order, and the values of a category."""
    view = pinned.view
    matrix = canonical(feature_matrix(view, rows.request, rows.event_time_us, rows.stored))
    codes = category_codes(view, rows.request, rows.stored)
    found: dict[str, Any] = {column.name: matrix[:, at] for at, column in enumerate(view.columns)}
    for at, (_, column) in enumerate(view.categories):
        found[column.name] = named_values(view, column, codes[:, at], tables_of(pinned, column))
    return found
