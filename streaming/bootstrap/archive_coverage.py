"""What the archive holds of the topics of a group: positions, arrival times and gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared_features.formats.shard_meta import Gap, Partition, VectorEntry
from streaming.kafka.recreated_topic import what_was_recreated
from streaming.kafka.topics import Topic
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
