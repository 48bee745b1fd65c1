"""Historical features of a Spark table: each partition is a spine of its own, and its executor replays its events.

A feature of a row depends on the events of its entities and on nothing else of the table. So a partition has the same
bits wherever it is computed, and however the table was cut. Rows are distributed by the entity of the view's first
group, so that the events of an entity are read once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from shared_features.definitions import FeatureView, load_definitions
from training.datasets.given_spine import check_spine
from training.datasets.historical_features import features_at
from training.datasets.history.entity_slices import EVENTS_AT_ONCE
from training.datasets.history.pinned_history import pin_history
from training.datasets.history.replayed import Truth, lag_to_us
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError
from training.settings import load_settings

_ROWS_AT_ONCE = 500_000


def historical_features(
    frame: Any,
    view: str | None = None,
    *,
    truth: Truth = "as-served",
    lag_seconds: float = 0.0,
    partitions: int | None = None,
    definitions: str | None = None,
    lake: str | Path | None = None,
) -> Any:
    """The table with a column for each feature of the view, as `Project.dataset` computes them, in any order of rows.

    frame: a Spark DataFrame with the request fields of the view and `as_of`; one row at least. view: may be left out
    where there is one. truth, lag_seconds: as of `python -m training dataset`. partitions: how many parts the work has;
    None: two for each core of the cluster. definitions, lake: None takes the settings of training. The events are
    those that were complete when this was called, for every partition. Raises DatasetError; what a row makes fail
    later, Spark raises.
    """
    settings, lag_us = load_settings(), lag_to_us(lag_seconds)
    module, path = definitions or settings.definitions, Path(lake or settings.lake).absolute()
    found = _view(module, view)
    cut_us = pin_history(OfflineStore(path), found).cut_us
    part = _Part(module, str(path), found.label, truth, lag_us, cut_us, settings.spine_events_at_once)
    first = frame.limit(1).toArrow()
    if not len(first):
        raise DatasetError("The spine has no row. Bring at least one.")
    schema = _spark_schema(part.features(first).schema)
    keys = [key for key in found.groups[0].entity.keys if key in frame.columns] if found.groups else []
    return frame.repartition(partitions or _parts(frame.sparkSession), *keys).mapInArrow(part.batches, schema)


@dataclass(frozen=True)
class _Part:
    """What an executor needs to know. It reads the definitions and the lake itself."""

    definitions: str
    lake: str
    view: str
    truth: Truth
    lag_us: int
    cut_us: int
    events_at_once: int = EVENTS_AT_ONCE

    def batches(self, given: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The rows of one partition with their features."""
        for table in _tables(given):
            yield from self.features(table).to_batches()

    def features(self, rows: pa.Table) -> pa.Table:
        view = _view(self.definitions, self.view)
        spine = check_spine(view, pl.DataFrame(pl.from_arrow(rows)), first_row=None)
        history = pin_history(OfflineStore(Path(self.lake)), view, self.cut_us)
        found = features_at(history, spine, self.truth, self.lag_us, events_at_once=self.events_at_once)
        return found.to_arrow(compat_level=pl.CompatLevel.oldest())


def _tables(given: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches together, until there are enough rows: to look at the lake costs more than a few rows do."""
    held: list[pa.RecordBatch] = []
    for batch in chain(given, (None,)):
        if batch is not None:
            held.append(batch)
        if held and (batch is None or sum(map(len, held)) >= _ROWS_AT_ONCE):
            table = pa.Table.from_batches(held)
            held = []
            if len(table):
                yield table


def _view(definitions: str, name: str | None) -> FeatureView:
    catalogue = load_definitions(definitions)
    if name is None and len(catalogue.views) == 1:
        return catalogue.views[0]
    if name is None:
        raise DatasetError(f"Name one of the views {', '.join(view.label for view in catalogue.views)}.")
    return catalogue.view(name)


def _parts(session: Any) -> int:
    """Without a number Spark merges small parts, and the bytes of a spine are few: one executor did all the work."""
    try:
        return 2 * int(session.sparkContext.defaultParallelism)
    except AttributeError:  # Spark Connect tells no number of cores
        return int(session.conf.get("spark.sql.shuffle.partitions"))


def _spark_schema(schema: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema  # with the extra alone

    return from_arrow_schema(schema)
