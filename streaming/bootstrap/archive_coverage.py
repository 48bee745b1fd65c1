"""What the archive holds of the topics of a group: positions, arrival times and gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared_features.formats.offline_tables import OFFSET, PARTITION
from shared_features.formats.shard_meta import Gap, Partition, VectorEntry
from streaming.kafka.brokers.recreated_topic import what_was_recreated
from streaming.kafka.brokers.topics import Topic
from streaming.lake.events_reader import EventsReader
from streaming.lake.log_positions import LogPositions


@dataclass(frozen=True)
class ArchiveCoverage:
    """vector: per partition the last offset held and the running maximum of arrival time; -1 if there is none.

    begun: whether every table has positions. erasures: how many entities were erased from the tables. replaced: the
    message about a table whose topic was deleted and re-created since; else empty.
    """

    vector: dict[Partition, VectorEntry]
    gaps: tuple[Gap, ...]
    begun: bool = True
    erasures: int = 0
    replaced: str = ""

    @property
    def watermark_us(self) -> int:
        """Events that are stored later arrive at this instant or later. 0 while a table is still empty."""
        if not self.begun:
            return 0
        return max(0, min((position.consumed_until_us for position in self.vector.values()), default=0))

    @property
    def newest_us(self) -> int:
        """No stored event arrived after this."""
        return max((position.consumed_until_us for position in self.vector.values()), default=-1)

    def held(self, partition: Partition) -> int:
        """The last offset held of a partition, -1 if there is none."""
        return self.vector[partition].offset if partition in self.vector else -1

    def held_of_rows(self, topic: str, partitions: NDArray[np.int32]) -> NDArray[np.int64]:
        """int64[n]: the last offset held of each row's partition, -1 for an unknown partition."""
        offsets = self._offsets(topic)
        numbers, index = np.unique(partitions, return_inverse=True)
        return np.array([offsets.get(number, -1) for number in numbers.tolist()], np.int64)[index]

    def condition_beyond(self, topic: str) -> str | None:
        """The condition for the rows of a topic's table beyond what is held; None if nothing is known of the topic."""
        known = self._offsets(topic)
        if not known:
            return None
        parts = [f"({PARTITION} = {number} AND {OFFSET} > {offset})" for number, offset in sorted(known.items())]
        return f"({' OR '.join([*parts, f'{PARTITION} > {max(known)}'])})"

    def _offsets(self, topic: str) -> dict[int, int]:
        return {number: position.offset for (name, _, number), position in self.vector.items() if name == topic}


def archive_coverage(tables: Iterable[EventsReader], topics: Mapping[str, Topic]) -> ArchiveCoverage:
    """What the tables hold, as of their last refresh."""
    vector: dict[Partition, VectorEntry] = {}
    gaps: list[Gap] = []
    begun, erasures, replaced = True, 0, ""
    for table in tables:
        topic = topics[table.source.topic]
        stored = LogPositions.load(table, {(topic.name, topic.id): len(topic.partitions)})
        begun &= bool(stored.offsets)
        erasures += table.erased
        if table.is_recreated(topic.id):
            replaced = f"the events table of source {table.source.name} {what_was_recreated(topic.name, topic.id)}"
        for partition, offset in stored.offsets.items():
            vector[partition] = VectorEntry(offset, stored.maxima_us[partition])
            gaps += [(partition, *gap) for gap in stored.gaps[partition]]
    return ArchiveCoverage(vector, tuple(gaps), begun, erasures, replaced)
