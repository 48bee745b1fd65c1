"""A training dataset as one table: each row says which event it is, of which entities, and as of when."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.formats.offline_tables import OFFSET, PARTITION, POSITION
from shared_features.formats.training_run import LABEL, WINDOW
from training.datasets.exports.dataset_table import TAKEN
from training.datasets.given_spine import AS_OF
from training.datasets.pinned_view import PinnedView
from training.datasets.time_split import GAP, TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset
from training.errors import DatasetError

WINDOWS = {TRAIN: "train", GAP: "gap", TEST: "test"}


def event_table(pinned: PinnedView, dataset: TrainingDataset) -> pl.DataFrame:
    """One row per row of the dataset: event id, entity keys, `as_of`, position, window, label, then the features.

    A column that a feature has the name of is called `row_` and its name. Raises DatasetError where the events of rows
    are not stored any more.
    """
    span = dataset.manifest.split
    about = identities(pinned, dataset.partition, dataset.offset, (span.start_us, span.end_us))
    about = placed(about, dataset.partition, dataset.offset, dataset.event_time_us).with_columns(
        pl.Series(list(WINDOWS.values())).gather(pl.Series(dataset.window.astype(np.uint32))).alias(WINDOW),
        pl.Series(LABEL, dataset.label),
    )
    return beside(about, {name: dataset.matrix[:, at] for at, name in enumerate(dataset.features)})


def identity_fields(pinned: PinnedView) -> list[str]:
    """The event id and the entity keys."""
    view = pinned.view
    return list(dict.fromkeys([view.source.event_id, *(key for group in view.groups for key in group.entity.keys)]))


def identities(
    pinned: PinnedView,
    partition: NDArray[np.int32],
    offset: NDArray[np.int64],
    span: tuple[int, int],
    more: Sequence[str] = (),
) -> pl.DataFrame:
    """The event id, the entity keys and more fields of the event of each row. span: the event times of the rows."""
    names = list(dict.fromkeys([*identity_fields(pinned), *more]))
    time = pl.col(pinned.view.source.event_time)
    stored = pinned.events.scan().filter((time >= span[0]) & (time < span[1]))
    events = stored.select(*POSITION, *names).collect()
    rows = pl.DataFrame({PARTITION: partition, OFFSET: offset})
    found = rows.join(events, on=POSITION, how="left", maintain_order="left")
    if gone := int(found[pinned.view.source.event_id].null_count()):
        raise DatasetError(
            f"The events of {counted(gone, 'row')} of the dataset are not in table {pinned.events.name!r} any more. "
            "They were erased or deleted since it was built. Build the dataset again."
        )
    return found.select(names)


def placed(
    about: pl.DataFrame, partition: NDArray[np.int32], offset: NDArray[np.int64], event_time_us: NDArray[np.int64]
) -> pl.DataFrame:
    """With `as_of` and the position of each row."""
    return about.with_columns(
        pl.Series(AS_OF, event_time_us).cast(pl.Datetime("us", "UTC")),
        pl.Series(PARTITION, partition),
        pl.Series(OFFSET, offset),
    )


def beside(about: pl.DataFrame, features: dict[str, Any]) -> pl.DataFrame:
    """What tells about the rows, then their features."""
    return set_apart(about, features).with_columns(pl.Series(name, values) for name, values in features.items())


def set_apart(about: pl.DataFrame, taken: Collection[str]) -> pl.DataFrame:
    """What tells about the rows; a column whose name is taken is called `row_` and its name."""
    return about.rename({name: f"{TAKEN}{name}" for name in about.columns if name in taken})
