"""The result of one poll of a Kafka partition: events in columns, dead letters, and how far the log was covered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import EventSource
from shared_features.formats.events import EventBatch
from streaming.metrics import StreamingMetrics


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that is not an acceptable event. `record_time_us` is -1 if the record's stamp may not be used."""

    offset: int
    record_time_us: int
    reason: str
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class Polled:
    """The records of one partition with offsets in (after, to]. If the log has holes, there are fewer records.

    after: last offset before this batch. to: last offset covered, >= after. events: the acceptable events by ascending
    offset. offsets: int64[n], the offsets of the events. gap: (first missing, first present), if retention deleted
    records that were not read; such a batch holds no events, and `to` is the last missing offset. record_time_us:
    largest usable record time in the batch, -1 if there is none. idle_until_us: a clock that was read before the broker
    said that its log ends at `to`, else None.
    """

    topic: str
    topic_id: str
    partition: int
    source: EventSource
    after: int
    to: int
    events: EventBatch
    offsets: NDArray[np.int64]
    dead: tuple[DeadLetter, ...] = ()
    gap: tuple[int, int] | None = None
    record_time_us: int = -1
    idle_until_us: int | None = None


def count_polled(metrics: StreamingMetrics, batch: Sequence[Polled]) -> None:
    """Tell the metrics what a source yields."""
    by_source: dict[str, list[Polled]] = {}
    for each in batch:
        if each.to > each.after:  # else a mark
            by_source.setdefault(each.source.name, []).append(each)
    for name, some in by_source.items():
        lateness_us = [each.events.record_time_us - each.events.event_time_us for each in some]
        dead = sum(len(each.dead) for each in some)
        missing = sum(each.gap[1] - each.gap[0] for each in some if each.gap is not None)
        metrics.read(name, lateness_us[0] if len(some) == 1 else np.concatenate(lateness_us), dead, missing)
