"""How far a table holds a log: per partition offset, running maximum and gaps; over all partitions the watermark.

All of this is stored in application transactions, and moves in one commit with the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from shared_features.formats.offline_tables import (
    WATERMARK_APP,
    arrival_app,
    gap_app,
    gaps_app,
    offset_app,
    partitions_app,
)
from shared_features.formats.shard_meta import OffsetRange, Partition
from streaming.lake.stored_positions import NEVER

TopicKey = tuple[str, str]
"""Name and id: a topic that was deleted and re-created is another topic, whose offsets begin again."""


class StoredPositions(Protocol):
    """A table's application transactions."""

    def position(self, app: str) -> int:
        """The stored version of an application id, -1 if there is none."""


@dataclass
class LogPositions:
    """Positions of one table. A partition that the table does not know yet joins at the table's watermark."""

    offsets: dict[Partition, int] = field(default_factory=dict)
    maxima_us: dict[Partition, int] = field(default_factory=dict)
    gaps: dict[Partition, tuple[OffsetRange, ...]] = field(default_factory=dict)
    watermark_us: int = NEVER

    @classmethod
    def load(cls, table: StoredPositions, topics: Mapping[TopicKey, int]) -> LogPositions:
        """The stored positions of the topics' partitions. `topics`: the number of partitions of each topic in Kafka."""
        stored = cls(watermark_us=table.position(WATERMARK_APP))
        for topic, count in topics.items():
            known = table.position(partitions_app(*topic))
            for partition in ((*topic, number) for number in range(max(known, count))):
                if partition[2] < known:
                    stored.offsets[partition] = table.position(offset_app(*partition))
                    stored.maxima_us[partition] = table.position(arrival_app(*partition))
                    stored.gaps[partition] = stored_gaps(table, partition)
        return stored

    def copy(self) -> LogPositions:
        return replace(self, offsets={**self.offsets}, maxima_us={**self.maxima_us}, gaps={**self.gaps})

    def join(self, topic: TopicKey, count: int) -> None:
        """Add those of the partitions 0 to count - 1 that are not known yet."""
        for partition in ((*topic, number) for number in range(count)):
            if partition not in self.offsets:
                self.offsets[partition] = NEVER
                self.maxima_us[partition] = self.watermark_us
                self.gaps[partition] = ()

    def add_gap(self, partition: Partition, first: int, past: int) -> None:
        """Pass over the offsets of a gap, except those that the table already holds."""
        first = max(first, self.offsets[partition] + 1)
        if first < past:
            self.gaps[partition] = (*self.gaps[partition], (first, past))
            self.offsets[partition] = past - 1

    def move_watermark(self) -> None:
        """Move the watermark to the smallest running maximum. It never goes back, even if a new partition is behind."""
        self.watermark_us = max(self.watermark_us, min(self.maxima_us.values(), default=NEVER))

    def versions(self) -> dict[str, int]:
        """These positions as application transactions."""
        versions = {WATERMARK_APP: self.watermark_us}
        for partition, offset in self.offsets.items():
            topic = partition[:2]
            versions[partitions_app(*topic)] = max(versions.get(partitions_app(*topic), 0), partition[2] + 1)
            versions[offset_app(*partition)] = offset
            versions[arrival_app(*partition)] = self.maxima_us[partition]
            versions[gaps_app(*partition)] = len(self.gaps[partition])
            for index, (first, past) in enumerate(self.gaps[partition]):
                versions[gap_app(*partition, index, "first")] = first
                versions[gap_app(*partition, index, "past")] = past
        return versions


def stored_gaps(table: StoredPositions, partition: Partition) -> tuple[OffsetRange, ...]:
    """The ranges of offsets that were gone before the table could hold them."""

    def end(index: int, name: str) -> int:
        return table.position(gap_app(*partition, index, name))

    count = max(0, table.position(gaps_app(*partition)))
    return tuple((end(index, "first"), end(index, "past")) for index in range(count))
