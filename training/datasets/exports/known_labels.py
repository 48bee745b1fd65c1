"""The labels of a view beside any table of rows: as they were known at a cutoff, nothing where they were not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.formats.dataset_manifest import LabelCounts, WindowCounts
from shared_features.formats.offline_tables import WATERMARK_APP
from shared_features.formats.training_run import LABEL
from shared_features.kernel.event_time import to_text
from training.datasets.labels import KnownLabels
from training.datasets.offline_store import OfflineStore, PinnedTable
from training.datasets.outcomes.key_places import NAMELESS, places_of
from training.datasets.outcomes.outcomes import Outcomes
from training.datasets.outcomes.row_counts import count_all
from training.datasets.outcomes.spine_outcomes import SpineKeys, split_outcomes
from training.datasets.outcomes.view_labels import ViewLabels, read_view_labels
from training.datasets.rows.sorted_numbers import Places
from training.errors import DatasetError


@dataclass(frozen=True)
class RowLabels:
    """The labels of rows as they are known at the cutoff, and as they are of a split."""

    keys: SpineKeys
    labels: ViewLabels
    at_cutoff: Outcomes

    def of_split(self, train: Places, test_start_us: int) -> pl.Series:
        """Of rows to train on, as they were known when the test began. train: which rows these are."""
        return split_outcomes(self.labels, self.at_cutoff, train, self.keys.take(train), test_start_us).label


class JoinedLabels(NamedTuple):
    """label: of each row, null where it is not known; a class stands under its own name. counts, rows: how many."""

    label: pl.Series
    counts: LabelCounts
    rows: WindowCounts
    known: RowLabels


def train_label(window: str) -> str:
    """The column with the labels that go with a window, where rows to train on have labels of their own."""
    return f"{LABEL}_{window}"


def pin_label_tables(store: OfflineStore, view: FeatureView) -> tuple[PinnedTable, ...]:
    """The events of each source of the labels. Raises DatasetError for a view without labels."""
    if not view.label_sources:
        raise DatasetError(
            f"View {view.label} has no labels. It has no label source. Give it labels=LabelSource(...), or ask for "
            "none."
        )
    return tuple(store.pin_events(each.source) for each in view.label_sources)


def pin_labels(
    store: OfflineStore, view: FeatureView, cutoff_us: int | None = None
) -> tuple[tuple[PinnedTable, ...], int]:
    """The events of the labels, and the cutoff. Raises DatasetError for a view without labels, and a late cutoff."""
    tables = pin_label_tables(store, view)
    complete_us = min(each.table.transaction_version(WATERMARK_APP) or 0 for each in tables)
    return tables, check_cutoff(cutoff_us, complete_us)


def check_cutoff(cutoff_us: int | None, complete_us: int) -> int:
    """The cutoff; None: the last instant whose labels have all arrived. Raises DatasetError for a later one."""
    if cutoff_us is not None and cutoff_us >= complete_us:
        raise DatasetError(
            f"The cutoff {to_text(cutoff_us)} is too late. Labels may still arrive at {to_text(complete_us)} or later. "
            "Give an earlier --cutoff."
        )
    return complete_us - 1 if cutoff_us is None else cutoff_us


def check_joins(view: FeatureView, columns: Sequence[str]) -> None:
    """Raises DatasetError for rows without the columns that labels join on."""
    for source in view.label_sources:
        if lacking := [name for name in source.joins if name not in columns]:
            raise DatasetError(
                f"The spine lacks {', '.join(lacking)}, on which labels of {source.source.name!r} join. It has "
                f"{', '.join(columns)}. Add the column, or ask for no labels."
            )


def join_labels(
    rows: pl.DataFrame,
    event_time_us: NDArray[np.int64],
    view: FeatureView,
    tables: tuple[PinnedTable, ...],
    cutoff_us: int,
) -> JoinedLabels:
    """The label of each row as it was known at the cutoff, by the first source that has one.

    rows: with the columns that labels join on; nothing in one of them: no label names the row. event_time_us: of each
    row, from which windows of labels and delays count. Raises DatasetError for rows without these columns.
    """
    check_joins(view, rows.columns)
    labels = read_view_labels(view, tables, cutoff_us)
    keys = SpineKeys(event_time_us, tuple(_places(rows, known) for known in labels.known))
    outcomes = keys.outcomes(labels)
    known = RowLabels(keys, labels, outcomes)
    return JoinedLabels(outcomes.label, keys.label_counts(labels), count_all(labels, outcomes), known)


def _places(rows: pl.DataFrame, known: KnownLabels) -> Places:
    wanted = rows.select(pl.col(name).cast(known.events.schema[name]) for name in known.joins)
    named = wanted.select(pl.all_horizontal(pl.all().is_not_null())).to_series().to_numpy()
    return np.where(named, places_of(wanted, known.keys), NAMELESS)
