"""Events as they were stored, and how far the log is stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared_features.formats.events import EventBatch

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Arrived:
    """Stored events of a partition. offsets, arrived_us: int64[n]."""

    partition: int
    offsets: Int64
    arrived_us: Int64
    events: EventBatch

    def __len__(self) -> int:
        return len(self.offsets)

    def take(self, rows: NDArray[np.int64]) -> Arrived:
        return Arrived(self.partition, self.offsets[rows], self.arrived_us[rows], self.events.take(rows))


@dataclass(frozen=True)
class Reached:
    """Arrival times up to which the log is stored: of every partition, and of the one that is furthest; -1: nothing."""

    watermark_us: int
    newest_us: int
