"""The labels of a view beside any table of rows: as they were known at a cutoff, nothing where they were not."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import FeatureView, LabelSource
from shared_features.formats.dataset_manifest import LabelCounts
from shared_features.formats.offline_tables import WATERMARK_APP
from shared_features.formats.training_run import LABEL
from shared_features.kernel.event_time import to_text
from training.datasets.labels import read_labels
from training.datasets.offline_store import OfflineStore, PinnedTable
from training.datasets.rows.spine_outcomes import SpineKeys, places_of
from training.errors import DatasetError


def label_source(view: FeatureView) -> LabelSource:
    """Raises DatasetError for a view without labels."""
    if view.labels is None:
        raise DatasetError(
            f"View {view.label} has no labels. It has no label source. Give it labels=LabelSource(...), or ask for "
            "none."
        )
    return view.labels


def pin_labels(store: OfflineStore, view: FeatureView, cutoff_us: int | None = None) -> tuple[PinnedTable, int]:
    """The events of the labels, and the cutoff. Raises DatasetError for a view without labels, and a late cutoff."""
    table = store.pin_events(label_source(view).source)
    return table, check_cutoff(cutoff_us, table.table.transaction_version(WATERMARK_APP) or 0)


def check_cutoff(cutoff_us: int | None, complete_us: int) -> int:
    """The cutoff; None: the last instant whose labels have all arrived. Raises DatasetError for a later one."""
    if cutoff_us is not None and cutoff_us >= complete_us:
        raise DatasetError(
            f"The cutoff {to_text(cutoff_us)} is too late. Labels may still arrive at {to_text(complete_us)} or later. "
            "Give an earlier --cutoff."
        )
    return complete_us - 1 if cutoff_us is None else cutoff_us


def join_labels(
    rows: pl.DataFrame, event_time_us: NDArray[np.int64], view: FeatureView, table: PinnedTable, cutoff_us: int
) -> tuple[pl.Series, LabelCounts]:
    """The label of each row, null where it had not arrived by the cutoff; and how many there are.

    rows: with the columns that labels join on. event_time_us: of each row, for labels of later events. A class stands
    under its own name. Raises DatasetError for rows without these columns.
    """
    source = label_source(view)
    if lacking := [name for name in source.joins if name not in rows.columns]:
        raise DatasetError(
            f"The spine lacks {', '.join(lacking)}, on which labels of {source.source.name!r} join. It has "
            f"{', '.join(rows.columns)}. Add the column, or ask for no labels."
        )
    labels = read_labels(source, table, cutoff_us)
    wanted = rows.select(pl.col(name).cast(labels.events.schema[name]) for name in source.joins)
    if source.later is None:
        found = wanted.join(labels.resolve(), on=source.joins, how="left", maintain_order="left")[LABEL]
    else:
        keys = SpineKeys(event_time_us, places_of(wanted, labels.keys))
        named = wanted.select(pl.all_horizontal(pl.all().is_not_null()).alias("named"))
        label = named.with_columns(keys.outcomes(source, labels).label)
        found = label.select(pl.when("named").then(LABEL).alias(LABEL))[LABEL]
    return found, LabelCounts(cutoff_us, labels.events.height, labels.conflicts)
