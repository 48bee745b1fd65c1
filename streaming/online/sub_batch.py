"""What flows from the source to a shard: the stretch of a partition that was read, and the shard's rows in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.group_events import GroupEvents

Rows = NDArray[np.int64]
_MOST_PLACES = 1 << 15
"""Numbers below this are sorted as 16 bits, by their digits."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch (after, to] of one partition, shared by all shards.

    consumed_until_us: everything up to this record time was read; -1 if unknown. missing: retention deleted the records
    of this stretch before they were read.
    """

    topic: str
    topic_id: str
    partition: int
    after: int
    to: int
    consumed_until_us: int
    missing: bool = False

    @property
    def of(self) -> tuple[str, str, int]:
        """Topic, its id, and partition."""
        return self.topic, self.topic_id, self.partition


@dataclass(frozen=True, slots=True)
class SubBatch:
    """The events of one span that belong to one shard, as the kernel takes them; `m` rows, ordered by offset.

    offsets int64[m], keys a list of m ints or texts, event_time_us int64[m], digest uint64[m],
    values int64[m, columns], valid bool[m, columns].
    """

    span: Stretch
    source: str
    offsets: Rows
    keys: list[Any]
    event_time_us: Rows
    digest: NDArray[np.uint64]
    values: NDArray[np.int64]
    valid: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.offsets)

    def beyond(self, offset: int) -> SubBatch:
        """The rows beyond an offset: those that a shard has not applied yet."""
        if self.span.after >= offset:
            return self
        start = int(np.searchsorted(self.offsets, offset, side="right"))
        return self._rows(start, len(self), self.span)

    def _rows(self, start: int, end: int, span: Stretch) -> SubBatch:
        return SubBatch(
            span,
            self.source,
            self.offsets[start:end],
            self.keys[start:end],
            self.event_time_us[start:end],
            self.digest[start:end],
            self.values[start:end],
            self.valid[start:end],
        )

    def over(self, span: Stretch) -> SubBatch:
        """The same rows of another stretch. For sub-batches without rows."""
        return self._rows(0, len(self), span)

    @classmethod
    def deal(
        cls,
        spans: Sequence[Stretch],
        source: str,
        events: GroupEvents,
        offsets: Rows,
        span_of: Rows,
        shard_of: Rows,
        shards: int,
    ) -> list[list[SubBatch]]:
        """For each shard one sub-batch per span, even without rows, because every shard's vector moves over every span.

        offsets: of the batch that `events` were taken from. span_of, shard_of: int64, the span (counted from 0) and the
        shard of each event.
        """
        places = shard_of * len(spans) + span_of
        few = shards * len(spans) <= _MOST_PLACES
        order = np.argsort(places.astype(np.int16) if few else places, kind="stable")  # offsets stay ascending
        keys = np.array(events.keys, object) if isinstance(events.keys, list) else events.keys
        dealt = cls(
            spans[0],
            source,
            offsets[events.rows[order]],
            keys[order].tolist(),
            events.event_time_us[order],
            events.digest[order],
            events.values[order],
            events.valid[order],
        )
        empty = [dealt._rows(0, 0, span) for span in spans]
        ends = np.cumsum(np.bincount(places, minlength=shards * len(spans))).tolist()
        parts = [
            dealt._rows(start, end, spans[place % len(spans)]) if start < end else empty[place % len(spans)]
            for place, (start, end) in enumerate(pairwise([0, *ends]))
        ]
        return [parts[start : start + len(spans)] for start in range(0, len(parts), len(spans))]
