"""Which positions of topics the lake holds, and why it lacks others: deleted, lost, erased or not archived yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from deltalake import DeltaTable

from shared_features.formats.offline_tables import (
    ARRIVAL_TIME,
    DEAD_LETTERS_TABLE,
    ERASURES_APP,
    KEPT_FROM_APP,
    OFFSET,
    PARTITION,
    gap_app,
    gaps_app,
    offset_app,
)
from shared_features.formats.shard_meta import Gap, Partition
from training.datasets.offline_store import OfflineStore
from training.errors import NotStoredError
from training.inference.audit.replay.shard_lives import Int64


class StoredPartition(NamedTuple):
    """One partition: the offsets of its events, ascending, when they arrived, and the offsets of its dead letters."""

    offsets: Int64
    arrival_us: Int64
    dead: Int64


class StoredPositions:
    """tables: the events by topic."""

    def __init__(self, store: OfflineStore, tables: Mapping[str, DeltaTable]) -> None:
        self._store, self._tables = store, tables
        self._partitions: dict[Partition, StoredPartition] = {}
        self._gaps_of: dict[Partition, list[Gap]] = {}

    def kept_us(self, topic: str) -> int:
        """The arrival time before which retention has deleted its events; 0 where it has not."""
        return self._tables[topic].transaction_version(KEPT_FROM_APP) or 0

    def erasures(self, topic: str) -> int:
        """How many entities were erased from its events."""
        return self._tables[topic].transaction_version(ERASURES_APP) or 0

    def archived(self, place: Partition) -> int | None:
        """The last offset that the archive has come to; None where it does not know the partition."""
        return self._tables[place[0]].transaction_version(offset_app(*place))

    def gaps(self, place: Partition) -> list[Gap]:
        """Those that the archive has recorded."""
        if place not in self._gaps_of:
            told = self._tables[place[0]].transaction_version
            ends = [
                (told(gap_app(*place, index, "first")), told(gap_app(*place, index, "past")))
                for index in range(told(gaps_app(*place)) or 0)
            ]
            self._gaps_of[place] = [(place, first, past) for first, past in ends if first is not None and past]
        return self._gaps_of[place]

    def partition(self, place: Partition) -> StoredPartition:
        if place not in self._partitions:
            topic, _, number = place
            mine = pl.col(PARTITION) == number
            events = pl.scan_delta(self._tables[topic]).filter(mine).select(OFFSET, ARRIVAL_TIME).collect().sort(OFFSET)
            try:
                letters = self._store.pin(DEAD_LETTERS_TABLE).scan()
                dead = letters.filter(mine & (pl.col("topic") == topic)).select(OFFSET).collect()[OFFSET].to_numpy()
            except NotStoredError:  # a lake without any
                dead = np.empty(0, np.int64)
            self._partitions[place] = StoredPartition(events[OFFSET].to_numpy(), events[ARRIVAL_TIME].to_numpy(), dead)
        return self._partitions[place]


def named(place: Partition) -> str:
    """As it is told: topic/partition."""
    topic, _, number = place
    return f"{topic}/{number}"
