"""When the events of a table arrived, as the statistics of its files tell it: no event is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable
from numpy.typing import NDArray

from shared_features.formats.offline_tables import ARRIVAL_TIME
from streaming.lake.events_table import int64

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class ArrivalStatistics:
    """For each file: first and last arrival time, microseconds, and number of events."""

    firsts: Int64
    lasts: Int64
    counts: Int64

    @classmethod
    def of(cls, table: DeltaTable) -> ArrivalStatistics:
        """Those of the files of an events table."""
        files = pa.table(table.get_add_actions(flatten=True))
        if not files.num_rows:
            return cls.empty()
        names = (f"min.{ARRIVAL_TIME}", f"max.{ARRIVAL_TIME}", "num_records")
        return cls(*(int64(files, name) for name in names))

    @classmethod
    def empty(cls) -> ArrivalStatistics:
        """Those of a table without files."""
        return cls(*(np.empty(0, np.int64),) * 3)

    def about(self, low_us: int, high_us: int) -> int:
        """The number of events in all files that may hold events with low <= arrival < high."""
        return int(self.counts[(self.lasts >= low_us) & (self.firsts < high_us)].sum())

    def span_end(self, low_us: int, high_us: int, rows: int) -> int:
        """An instant, at most `high`, such that about `rows` events lie between `low` and it."""
        order = np.argsort(self.lasts, kind="stable")
        order = order[(self.lasts[order] >= low_us) & (self.firsts[order] < high_us)]
        total = 0
        for first, last, count in zip(self.firsts[order], self.lasts[order], self.counts[order], strict=True):
            begin = max(int(first), low_us)
            count = int(count) * (last + 1 - begin) // (last + 1 - first)
            if total + count >= rows:
                share = (int(last) + 1 - begin) * (rows - total) // max(int(count), 1)
                return int(min(high_us, max(low_us + 1, begin + share)))
            total += int(count)
        return high_us
