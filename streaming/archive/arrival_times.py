"""Arrival time: when the broker received a record, never running backwards along a partition.

Arrival time is the larger of the record's own time and the partition's running maximum. The maximum is stored beside
the partition's position, in the same commit. Marks raise the maximum. Records with a smaller stamp are raised to it and
counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streaming.kafka.records.polled import Polled

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class ArrivalTimes:
    """Arrival times of a batch: int64 per event, int64 per dead letter, and the running maximum after it."""

    events_us: Int64
    dead_us: Int64
    maximum_us: int
    raised: int


def arrival_times(polled: Polled, after: int, maximum_us: int) -> ArrivalTimes:
    """Arrival times of the batch's records beyond offset `after`, in the order of the log.

    `maximum_us`: the running maximum before them. A dead letter whose stamp may not be used (it is -1) does not
    move the maximum.
    """
    first = np.searchsorted(polled.offsets, after, side="right")
    offsets, stamps = polled.offsets[first:], polled.events.record_time_us[first:]
    dead = [(letter.offset, letter.record_time_us) for letter in polled.dead if letter.offset > after]
    dead_offsets, dead_stamps = np.array(dead, np.int64).reshape(-1, 2).T
    order = np.argsort(np.concatenate([offsets, dead_offsets]), kind="stable")
    merged = np.concatenate([stamps, dead_stamps])[order]
    running = np.maximum(np.maximum.accumulate(merged), maximum_us)
    arrival = np.empty_like(running)
    arrival[order] = running
    of_events, of_dead = arrival[: len(stamps)], arrival[len(stamps) :]
    last = int(running[-1]) if len(running) else maximum_us
    return ArrivalTimes(of_events, of_dead, last, int(np.count_nonzero(of_events > stamps)))
