"""Labels as they were known at an instant."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shared_features.definitions import LabelSource
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import ARRIVAL_TIME, POSITION, RECORD_TIME
from shared_features.formats.training_run import LABEL
from shared_features.group_events import meets
from training.datasets.offline_store import PinnedTable, event_columns

_KNOWN = "label_arrival_us"
_HAPPENED = "label_event_time_us"
_DIGEST = "label_digest"
_ARRIVAL_ORDER = (_KNOWN, *POSITION)


@dataclass(frozen=True)
class KnownLabels:
    """Label events that had arrived by `cutoff_us`, one row each: join key, value, event time, arrival and position.

    A value is a float64, and of labels with named classes the name itself.
    An event that was delivered again is here once, as it first arrived.
    """

    joins: tuple[str, ...]
    cutoff_us: int
    events: pl.DataFrame

    def resolve(self, before_us: int | None = None) -> pl.DataFrame:
        """One row per join key, its `label` the one of the latest event time, and among equal ones the last to arrive.

        before_us: only labels that had arrived before this instant. Nobody could have trained on another one.
        """
        events = self.events if before_us is None else self.events.filter(pl.col(_KNOWN) < before_us)
        latest = events.sort(*self.joins, _HAPPENED, *_ARRIVAL_ORDER).unique(
            self.joins, keep="last", maintain_order=True
        )
        return latest.select(*self.joins, LABEL)

    @property
    def conflicts(self) -> int:
        """How many join keys have labels of different values."""
        values = self.events.group_by(self.joins).agg(pl.col(LABEL).n_unique())
        return int((values[LABEL] > 1).sum())


def read_labels(labels: LabelSource, table: PinnedTable, cutoff_us: int) -> KnownLabels:
    """The labels of the source's events table that had arrived by the cutoff.

    Rows without a value of the label's field are left out: whether a condition holds of them is not known.
    """
    source = labels.source
    names = [field.name for field in source.fields]
    known = pl.col(ARRIVAL_TIME) <= cutoff_us
    stored = table.scan().filter(known & pl.col(labels.column).is_not_null())
    frame = stored.select(*POSITION, RECORD_TIME, ARRIVAL_TIME, *names).collect()
    columns, valid = event_columns(source, frame, names)
    batch = EventBatch(source, columns, valid, frame[RECORD_TIME].to_numpy())
    events = frame.select(
        *POSITION,
        *labels.joins,
        _values(labels, batch),
        pl.col(source.event_time).alias(_HAPPENED),
        pl.col(ARRIVAL_TIME).alias(_KNOWN),
        pl.Series(_DIGEST, batch.digest),
    )
    # A copy that arrives after a correction must not undo the correction.
    first = events.sort(*_ARRIVAL_ORDER).unique(_DIGEST, keep="first", maintain_order=True)
    return KnownLabels(labels.joins, cutoff_us, first)


def _values(labels: LabelSource, batch: EventBatch) -> pl.Expr | pl.Series:
    if labels.condition is not None:
        return pl.Series(LABEL, meets(labels.condition, batch), pl.Boolean).cast(pl.Float64)
    stored = pl.col(labels.column).alias(LABEL)
    return stored if labels.is_named else stored.cast(pl.Float64) / labels.source.field(labels.column).scale
