"""The stored events of one entity that a group takes, with their positions. Only rows with its key are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.offline_tables import KEPT_FROM_APP, events_table, offset_app
from shared_features.formats.shard_meta import Partition, VectorEntry
from shared_features.group_events import GroupEvents, effects_us, group_events
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from streaming.lake.event_rows import EventRows
from streaming.lake.events_reader import EventsReader
from streaming.lake.log_positions import stored_gaps
from streaming.lake.scan import quoted
from streaming.operations.erasure.subjects.subject import Subject

_EVER_US = 1 << 62


@dataclass(frozen=True)
class StoredTable:
    """How much of its log an events table holds.

    complete_until_us: events stored later arrive then or later. kept_from_us: arrivals before it were deleted, -1 if
    none were. missing: records that Kafka had deleted before they were archived; only of the partitions asked for.
    """

    complete_until_us: int
    kept_from_us: int
    missing: int


@dataclass(frozen=True)
class SourceEvents:
    """The events of one source that the group takes of the entity; `rows` and `events` belong together, row by row."""

    source: EventSource
    rows: EventRows
    events: GroupEvents
    table: StoredTable

    def __len__(self) -> int:
        return len(self.events)


@dataclass(frozen=True)
class LakeEntity:
    """One entity as the events tables have it.

    offsets: per partition the last offset that the tables hold. erasures: how many erasures the tables have been
    through, over all sources.
    """

    group: FeatureGroup
    sources: Sequence[SourceEvents]
    offsets: Mapping[Partition, int]
    erasures: int

    @property
    def kept_from_us(self) -> int:
        """Arrivals before it were deleted from a table."""
        return max(of.table.kept_from_us for of in self.sources)

    def values(self, wanted: Sequence[NDArray[np.bool_]], as_of_us: int) -> NDArray[np.float64]:
        """The features as of an instant, replayed from these of the events, per source."""
        state = TileState(self.group.layout)
        (slot,) = state.add(1).tolist()
        for of, mask in zip(self.sources, wanted, strict=True):
            # Events after the instant stay out: so the values are exact as of any instant, however early.
            rows = np.flatnonzero(mask & (of.events.event_time_us < as_of_us))
            events = of.events
            apply(
                state,
                np.full(len(rows), slot),
                *(each[rows] for each in (events.event_time_us, events.digest, events.values, events.valid)),
            )
        found: NDArray[np.float64] = read(state, [slot], as_of_us)[0]
        return found

    def applied(self, vector: Mapping[Partition, VectorEntry]) -> list[NDArray[np.bool_]]:
        """Which of the events a shard with this vector has applied, per source."""
        masks = []
        for of in self.sources:
            mask = np.zeros(len(of), np.bool_)
            for (topic, _, partition), entry in vector.items():
                if topic == of.source.topic:
                    mask |= (of.rows.partition == partition) & (of.rows.offset <= entry.offset)
            masks.append(mask)
        return masks

    def served(self, as_of_us: int, lag_us: int) -> list[NDArray[np.bool_]]:
        """Which of the events had happened and had arrived by an instant, per source."""
        return [effects_us(of.rows.arrival_us, of.events.event_time_us, lag_us) <= as_of_us for of in self.sources]


def read_lake(
    lake: Path, group: FeatureGroup, subject: Subject, vector: Iterable[Partition], since_us: int, newest: int
) -> LakeEntity:
    """The entity's events since an instant, and of the older ones the newest few. Raises OSError or DeltaError.

    vector: the partitions whose stored offsets and gaps are asked for.
    """
    sources: list[SourceEvents] = []
    offsets: dict[Partition, int] = {}
    erasures = 0
    for source in group.sources:
        reader = EventsReader(lake, source)
        rows, until_us = EventRows.empty(source), 0
        if (lake / events_table(source)).is_dir():
            until_us = reader.refresh()
            rows = _rows(reader, subject, since_us, newest)
        events = group_events(group, rows.batch)
        partitions = [each for each in vector if each[0] == source.topic]
        table = StoredTable(until_us, reader.position(KEPT_FROM_APP), _missing(reader, partitions))
        sources.append(SourceEvents(source, rows.take(np.isin(np.arange(len(rows)), events.rows)), events, table))
        offsets |= {each: reader.position(offset_app(*each)) for each in partitions}
        erasures += reader.erased
    return LakeEntity(group, sources, offsets, erasures)


def _missing(reader: EventsReader, partitions: Iterable[Partition]) -> int:
    """How many records of the partitions were gone before they were archived."""
    return sum(past - first for each in partitions for first, past in stored_gaps(reader, each))


def _rows(reader: EventsReader, subject: Subject, since_us: int, newest: int) -> EventRows:
    literals = subject.literals(reader.source)
    if literals is None:
        return EventRows.empty(reader.source)
    pairs = zip(subject.entity.keys, literals, strict=True)
    condition = " AND ".join(f"{quoted(field)} = {literal}" for field, literal in pairs)

    def keep(batch: pa.RecordBatch) -> pa.RecordBatch:
        times = np.asarray(batch.column(reader.source.event_time).to_numpy(), np.int64)
        kept = times >= since_us
        if len(times):
            kept |= times >= np.partition(times, -min(newest, len(times)))[-min(newest, len(times))]
        return batch.cast(_filtered(batch.schema)).filter(pa.array(kept))

    return reader.where(0, _EVER_US, condition, keep)


def _filtered(schema: pa.Schema) -> pa.Schema:
    """The same columns in types that Arrow can filter: it cannot filter views of texts."""
    views = pa.string_view()
    return pa.schema([each.with_type(pa.string()) if each.type == views else each for each in schema])
