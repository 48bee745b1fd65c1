"""The wall "events": what producers write and streaming, training and serving read.

On the wire an event is one JSON object per Kafka record. Inside it is a row of a batch of columns, every number
a whole number (`definitions.field_types`). This page holds the columns and what follows from them alone: the digest by
which duplicates are known and ties are broken, and whether an event lies too far in the future or in the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import EventSource
from shared_features.kernel.hashing import combine, hash_integers, hash_texts

SCHEMA_VERSION = 1

Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class EventBatch:
    """Events of one source, in columns of `n` rows.

    columns: field name -> int64[n] in steps of the field's decimals (microseconds for a Timestamp), or object[n]
    of str for a Text (None where missing). valid: bool[n] for each optional field; a field without an entry is
    there in every row. record_time_us: int64[n], the Kafka record's own time; it alone decides acceptance.
    """

    source: EventSource
    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, Bools]
    record_time_us: Int64

    def __len__(self) -> int:
        return len(self.record_time_us)

    @property
    def event_time_us(self) -> Int64:
        return self.columns[self.source.event_time]

    @cached_property
    def digest(self) -> NDArray[np.uint64]:
        """uint64[n]: hash of the event id and the content. Equal digests of one source are one event, delivered again.

        A missing field leaves the digest as it is, so that a field added later does not change older events.
        """
        digest = np.full(len(self), SCHEMA_VERSION, np.uint64)
        for field in self.source.fields:
            column = self.columns[field.name]
            hashed = hash_texts(column.tolist()) if field.is_text else hash_integers(column)
            mixed = combine(digest, hashed ^ _hash_of_name(field.name))  # so that two fields cannot trade contents
            digest = np.where(self.valid[field.name], mixed, digest) if field.name in self.valid else mixed
        return digest

    @cached_property
    def digest_among_sources(self) -> NDArray[np.uint64]:
        """uint64[n]: `digest` with the source. What two sources tell in the same words are two events.

        For whatever merges events of several sources. Within one source `digest` says all.
        """
        return combine(self.digest, np.full_like(self.digest, _hash_of_name(self.source.name)[0]))

    @cached_property
    def acceptable(self) -> Bools:
        """bool[n]: False where the event time is further in the future or past than the source tolerates."""
        ahead_us = self.event_time_us - self.record_time_us
        return (ahead_us <= self.source.tolerated_future_us) & (ahead_us >= -self.source.tolerated_past_us)

    def take(self, rows: NDArray[Any] | slice) -> EventBatch:
        """The rows of a mask, of indices or of a slice, in their order."""
        return EventBatch(
            self.source,
            {name: column[rows] for name, column in self.columns.items()},
            {name: column[rows] for name, column in self.valid.items()},
            self.record_time_us[rows],
        )


@cache
def _hash_of_name(name: str) -> NDArray[np.uint64]:
    """Of a field or a source: the same for every batch, and small batches are most of them."""
    return hash_texts([name])


def concatenate(batches: list[EventBatch]) -> EventBatch:
    """The rows of several batches of one source, one after the other."""
    first = batches[0]
    return EventBatch(
        first.source,
        {name: np.concatenate([each.columns[name] for each in batches]) for name in first.columns},
        {name: np.concatenate([each.valid[name] for each in batches]) for name in first.valid},
        np.concatenate([each.record_time_us for each in batches]),
    )


def record_time_us(milliseconds: Int64, log_append: Bools | bool) -> Int64:
    """int64[n] microseconds of Kafka's milliseconds. Under LogAppendTime the broker floored them: take the end."""
    return milliseconds * 1000 + np.where(log_append, 999, 0)
