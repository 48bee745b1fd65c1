"""A table that stores part of a log: events of one source, or dead letters. It commits each offset once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from shared_features.definitions import EventSource, source_text
from shared_features.formats.offline_tables import (
    ARRIVAL_DATE,
    DEAD_LETTER_COLUMNS,
    DEAD_LETTERS_TABLE,
    TOPIC_ID,
    events_table,
)
from shared_features.formats.shard_meta import Partition
from streaming.archive.arrival_times import ArrivalTimes, arrival_times
from streaming.errors import RefusedError, RestartNeeded
from streaming.kafka.brokers.recreated_topic import what_was_recreated
from streaming.kafka.records.polled import Polled
from streaming.lake.events_table import event_rows, events_schema, is_recreated, refuse_other_events
from streaming.lake.handle import DeltaHandle
from streaming.lake.log_positions import LogPositions, TopicKey
from streaming.lake.table_definition import TableDefinition
from streaming.lake.tables import DELTA, DeltaTables


@dataclass(frozen=True)
class Marked:
    """A batch of a partition, and the mark that follows from it (`archive.marks`), microseconds."""

    polled: Polled
    mark_us: int | None = None

    @property
    def records(self) -> int:
        return len(self.polled.events) + len(self.polled.dead)


class StoredLog(ABC):
    """One table, and how far it holds the log. `topics`: the number of partitions of each topic in Kafka."""

    def __init__(self, handle: DeltaHandle, topics: Mapping[TopicKey, int]) -> None:
        self.handle = handle
        self.positions = LogPositions.load(handle, topics)
        self._topics = topics
        self.raised = 0

    def held(self) -> dict[Partition, int]:
        """The last stored offset of every present or earlier partition; -1 if the table does not know it yet."""
        positions = self.positions.copy()
        for topic, count in self._topics.items():
            positions.join(topic, count)
        return positions.offsets

    def take(self, batches: Sequence[Marked]) -> int:
        """Commit what the batches hold beyond the stored positions. Returns the number of rows.

        Raises RestartNeeded if a batch leaves a hole, or if another process moved the positions.
        """
        positions, rows = self.positions.copy(), []
        for topic, count in self._topics.items():
            positions.join(topic, count)
        for batch in batches:
            rows += self._take(batch, positions)
        positions.move_watermark()
        before, after = self.positions.versions(), positions.versions()
        data = pa.concat_tables(rows) if rows else self._nothing
        if after != before:
            self.handle.commit(data, before, after)
            self.positions = positions
        return int(data.num_rows)

    def _take(self, batch: Marked, positions: LogPositions) -> list[pa.Table]:
        polled = batch.polled
        partition = (polled.topic, polled.topic_id, polled.partition)
        positions.join(partition[:2], polled.partition + 1)
        held = positions.offsets[partition]
        if polled.after > held:
            raise RestartNeeded(
                f"table {self.handle.path.name}: a batch of {polled.topic}, partition {polled.partition}, begins "
                f"after offset {polled.after}, but the table ends at {held}; restarting from there"
            )
        if polled.gap is not None:
            positions.add_gap(partition, *polled.gap)
            held = positions.offsets[partition]
        rows: list[pa.Table] = []
        if polled.to > held:
            arrived = arrival_times(polled, held, positions.maxima_us[partition])
            rows = self._rows(polled, held, arrived)
            self.raised += arrived.raised
            positions.offsets[partition] = polled.to
            positions.maxima_us[partition] = arrived.maximum_us
        if batch.mark_us is not None and polled.to == positions.offsets[partition]:
            positions.maxima_us[partition] = max(positions.maxima_us[partition], batch.mark_us)
        return rows

    @cached_property
    def _nothing(self) -> pa.Table:
        return self._schema().empty_table()

    @abstractmethod
    def _rows(self, polled: Polled, after: int, arrived: ArrivalTimes) -> list[pa.Table]: ...

    @abstractmethod
    def _schema(self) -> pa.Schema: ...


class StoredEvents(StoredLog):
    """The events table of one source."""

    def __init__(
        self, lake: Path, source: EventSource, topics: Mapping[TopicKey, int], delta: DeltaTables = DELTA
    ) -> None:
        self._source = source
        path = lake / events_table(source)
        handle = DeltaHandle(path, self._schema(), (ARRIVAL_DATE,), definition=source_text(source), delta=delta)
        refuse_other_log(handle.table, source, topics)
        super().__init__(handle, topics)

    def _schema(self) -> pa.Schema:
        return events_schema(self._source)

    def _rows(self, polled: Polled, after: int, arrived: ArrivalTimes) -> list[pa.Table]:
        if not len(arrived.events_us):
            return []
        new = polled.offsets > after
        events = polled.events if new.all() else polled.events.take(new)
        return [event_rows(polled.partition, polled.offsets[new], arrived.events_us, events)]


def refuse_other_log(table: DeltaTable, source: EventSource, topics: Iterable[TopicKey]) -> None:
    """Raise RefusedError if the events table of a source cannot take the events of these topics."""
    name = events_table(source)
    TableDefinition(events_schema(source)).refuse_other(table, name)
    refuse_other_events(table, source)
    for topic, topic_id in topics:
        if is_recreated(table, topic, topic_id):
            raise RefusedError(f"Table {name} {what_was_recreated(topic, topic_id)}")


class StoredDeadLetters(StoredLog):
    """The dead letters of all sources."""

    def __init__(self, lake: Path, topics: Mapping[TopicKey, int], delta: DeltaTables = DELTA) -> None:
        super().__init__(DeltaHandle(lake / DEAD_LETTERS_TABLE, self._schema(), added=(TOPIC_ID,), delta=delta), topics)

    def _schema(self) -> pa.Schema:
        text, bytes_ = pa.string(), pa.binary()
        kinds = (text, pa.int32(), pa.int64(), pa.int64(), pa.int64(), text, bytes_, bytes_, text)
        return pa.schema(list(zip(DEAD_LETTER_COLUMNS, kinds, strict=True)))

    def _rows(self, polled: Polled, after: int, arrived: ArrivalTimes) -> list[pa.Table]:
        dead = [letter for letter in polled.dead if letter.offset > after]
        if not dead:
            return []
        columns = [
            pa.array([polled.topic] * len(dead)),
            pa.array([polled.partition] * len(dead), pa.int32()),
            pa.array([letter.offset for letter in dead], pa.int64()),
            pa.array([letter.record_time_us for letter in dead], pa.int64()),
            pa.array(arrived.dead_us),
            pa.array([letter.reason for letter in dead]),
            pa.array([letter.key for letter in dead], pa.binary()),
            pa.array([letter.value for letter in dead], pa.binary()),
            pa.array([polled.topic_id] * len(dead)),
        ]
        return [pa.table(columns, schema=self._schema())]
