"""Stored events in columns, as an events table holds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shared_features.definitions import EventSource
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import ARRIVAL_TIME, OFFSET, PARTITION
from streaming.lake.events_table import event_batch, events_schema, int64

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class EventRows:
    """The batch, and the position and arrival time of each event. Times are microseconds."""

    batch: EventBatch
    partition: NDArray[np.int32]
    offset: Int64
    arrival_us: Int64

    @classmethod
    def of(cls, source: EventSource, rows: pa.Table) -> EventRows:
        """Rows of the source's events table."""
        return cls(
            event_batch(source, rows),
            np.asarray(rows.column(PARTITION).to_numpy(), np.int32),
            int64(rows, OFFSET),
            int64(rows, ARRIVAL_TIME),
        )

    @classmethod
    def empty(cls, source: EventSource) -> EventRows:
        return cls.of(source, events_schema(source).empty_table())

    def __len__(self) -> int:
        return len(self.offset)

    def take(self, rows: NDArray[np.bool_]) -> EventRows:
        return EventRows(self.batch.take(rows), self.partition[rows], self.offset[rows], self.arrival_us[rows])
