"""Labels as they were known at an instant."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shared_features.definitions import LabelSource
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import ARRIVAL_TIME, RECORD_TIME
from shared_features.formats.training_run import LABEL
from training.datasets.offline_store import PinnedTable, event_columns

KNOWN = "label_known_us"
_DIGEST = "label_digest"


@dataclass(frozen=True)
class KnownLabels:
    """Label events that had arrived by `cutoff_us`, one row each: join key, `label`, `label_known_us`, digest."""

    join: str
    cutoff_us: int
    events: pl.DataFrame

    def resolve(self, before_us: int | None = None) -> pl.DataFrame:
        """One row per join key: the latest of its labels by (event time, content digest).

        before_us: only labels that had become known (their event time) before this instant.
        """
        events = self.events if before_us is None else self.events.filter(pl.col(KNOWN) < before_us)
        latest = events.sort(self.join, KNOWN, _DIGEST).unique(self.join, keep="last", maintain_order=True)
        return latest.select(self.join, LABEL, KNOWN)

    @property
    def conflicts(self) -> int:
        """How many join keys have labels of different values."""
        values = self.events.group_by(self.join).agg(pl.col(LABEL).n_unique())
        return int((values[LABEL] > 1).sum())


def read_labels(labels: LabelSource, table: PinnedTable, cutoff_us: int) -> KnownLabels:
    """The labels of the source's events table that had arrived by the cutoff. Rows without a value are left out."""
    source = labels.source
    names = [field.name for field in source.fields]
    known = pl.col(ARRIVAL_TIME) <= cutoff_us
    frame = table.scan().filter(known & pl.col(labels.value).is_not_null()).select(RECORD_TIME, *names).collect()
    columns, valid = event_columns(source, frame, names)
    batch = EventBatch(source, columns, valid, frame[RECORD_TIME].to_numpy())
    events = frame.select(
        pl.col(labels.join),
        (pl.col(labels.value).cast(pl.Float64) / source.field(labels.value).scale).alias(LABEL),
        pl.col(source.event_time).alias(KNOWN),
        pl.Series(_DIGEST, batch.digest),
    )
    return KnownLabels(labels.join, cutoff_us, events)
