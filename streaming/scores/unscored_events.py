"""Events of a view that have no score yet, in the order of their partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.formats.entity_keys import entity_keys, key_texts
from shared_features.formats.events import EventBatch, concatenate
from shared_features.formats.shard_meta import Partition
from shared_features.stored_features.feature_vectors import RequestColumns
from streaming.kafka.records.polled import Polled


@dataclass(frozen=True)
class UnscoredEvents:
    """`n` events. partition, offset: int64[n]; offsets of a partition ascend."""

    batch: EventBatch
    topic_id: str
    partition: NDArray[np.int64]
    offset: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offset)

    @classmethod
    def of(cls, polled: Sequence[Polled], scored: Mapping[Partition, int]) -> UnscoredEvents:
        """The events of polls of one topic that lie beyond what was scored, per partition the last offset."""
        batch = polled[0].events if len(polled) == 1 else concatenate([each.events for each in polled])
        offset = np.concatenate([each.offsets for each in polled])
        partition = np.repeat([each.partition for each in polled], [len(each.offsets) for each in polled])
        first = np.repeat(
            [scored.get((each.topic, each.topic_id, each.partition), -1) for each in polled],
            [len(each.offsets) for each in polled],
        )
        every = cls(batch, polled[0].topic_id, partition.astype(np.int64), offset.astype(np.int64))
        return every.take(batch.acceptable & (offset > first))

    def take(self, rows: NDArray[np.bool_] | slice) -> UnscoredEvents:
        """Those of a mask, or of a slice, in their order."""
        return UnscoredEvents(self.batch.take(rows), self.topic_id, self.partition[rows], self.offset[rows])

    def columns(self, view: FeatureView) -> RequestColumns:
        """What a request about each event would carry."""
        names = [field.name for field in view.request_fields]
        valid = {name: self.batch.valid[name] for name in names if name in self.batch.valid}
        return RequestColumns({name: self.batch.columns[name] for name in names}, valid)

    def entities(self, view: FeatureView) -> list[dict[str, str]]:
        """Of each event the keys of its entities, by the name of the entity."""
        entities = {group.entity.name: group.entity for group in view.groups}
        keys = [key_texts(entity_keys(each, view.source, self.batch.columns)) for each in entities.values()]
        return [dict(zip(entities, row, strict=True)) for row in zip(*keys, strict=True)] if keys else [{}] * len(self)

    def before_the_first_without(self, ready: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """bool[n]: the ready events of each partition up to the first that is not. A log is scored in its order."""
        taken = ready.copy()
        for number in np.unique(self.partition[~ready]).tolist():
            own = self.partition == number
            taken[own] = np.logical_and.accumulate(ready[own])
        return taken

    def beyond(self, first: UnscoredEvents) -> UnscoredEvents:
        """Those that lie beyond the last one of each partition in `first`."""
        last = first.last()
        return self.take(self.offset > np.array([last.get(number, -1) for number in self.partition.tolist()], np.int64))

    def last(self) -> dict[int, int]:
        """The last offset of each partition."""
        return dict(zip(self.partition.tolist(), self.offset.tolist(), strict=True))
