"""What must hold of the archive when a stream job has come to rest: events and dead letters equal the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, TopicPartition
from deltalake import DeltaTable

from shared_features.definitions import Catalogue, EventSource
from shared_features.formats import offline_tables
from shared_features.formats.events import EventBatch
from streaming.lake.events_table import event_batch, int64
from tests.sent_events import sent_row
from tests.taken_events import rows_of

Position = tuple[int, int]
"""Partition and offset."""


@dataclass(frozen=True)
class Stored:
    """The stored events of one source, with their positions and arrival times."""

    batch: EventBatch
    positions: list[Position]
    arrival_us: list[int]


def read_log(bootstrap_servers: str, topics: list[str]) -> dict[tuple[str, int, int], tuple[bytes | None, int]]:
    """Every record that the log holds: (topic, partition, offset) -> value and record time in microseconds."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "truth", "fetch.wait.max.ms": 10})
    records: dict[tuple[str, int, int], tuple[bytes | None, int]] = {}
    known = consumer.list_topics(timeout=10).topics
    for topic in topics:
        for number in known[topic].partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), 10)
            consumer.assign([TopicPartition(topic, number, low)])
            while low < high:
                for message in consumer.consume(min(10_000, high - low), 1.0):
                    offset, (kind, milliseconds) = message.offset(), message.timestamp()
                    assert offset is not None
                    assert milliseconds is not None
                    time_us = milliseconds * 1000 + (999 if kind == TIMESTAMP_LOG_APPEND_TIME else 0)
                    records[topic, number, offset] = (message.value(), time_us)
                    low = offset + 1
    consumer.close()
    return records


def stored_events(lake: Path, source: EventSource) -> Stored:
    rows = pa.table(DeltaTable(lake / offline_tables.events_table(source)).to_pyarrow_dataset().to_table())
    partitions, offsets = int64(rows, offline_tables.PARTITION), int64(rows, offline_tables.OFFSET)
    positions = list(zip(partitions.tolist(), offsets.tolist(), strict=True))
    return Stored(event_batch(source, rows), positions, int64(rows, offline_tables.ARRIVAL_TIME).tolist())


def recorded_gaps(lake: Path, table: str, partitions: Iterable[tuple[str, str, int]]) -> set[tuple[str, int, int]]:
    """The positions that a table of the archive says were gone; `partitions` are (topic, its id, number)."""
    stored = DeltaTable(lake / table).transaction_version
    gaps: set[tuple[str, int, int]] = set()
    for of in partitions:
        for index in range(stored(offline_tables.gaps_app(*of)) or 0):
            first, past = (stored(offline_tables.gap_app(*of, index, end)) for end in ("first", "past"))
            assert first is not None
            assert past is not None
            gaps |= {(of[0], of[2], offset) for offset in range(first, past)}
    return gaps


def check_log(
    lake: Path,
    catalogue: Catalogue,
    log: Mapping[tuple[str, int, int], Any],
    *,
    deleted: AbstractSet[tuple[str, int, int]] = frozenset(),
    ids: Mapping[str, str] | None = None,
) -> int:
    """Every record is an event or a dead letter, once, with the log's own bytes and time. Returns the dead letters.

    `log` holds all that ever was. Of the `deleted` some may be missing, just those of the recorded gaps; `ids`: of the
    topics, which gaps are recorded under.
    """
    found: dict[tuple[str, int, int], str] = {}
    for source in catalogue.sources:
        stored = stored_events(lake, source)
        for (partition, offset), row in zip(stored.positions, rows_of(stored.batch), strict=True):
            position = (source.topic, partition, offset)
            assert position not in found, f"{position} is stored twice"
            value, time_us = log[position]
            assert row == {**sent_row(source, value), "record_time_us": time_us}, f"{position} is not stored as sent"
            found[position] = "event"
    dead = pl.read_delta(str(lake / offline_tables.DEAD_LETTERS_TABLE))
    names = ["topic", offline_tables.PARTITION, offline_tables.OFFSET, "value", "reason"]
    for topic, partition, offset, value, reason in dead.select(names).iter_rows():
        position = (topic, partition, offset)
        assert position not in found, f"{position} is stored twice"
        assert log[position][0] == value
        assert reason
        found[position] = "dead"
    lost = log.keys() - found.keys()
    assert found.keys() <= log.keys(), f"never were in the log: {sorted(found.keys() - log.keys())[:5]}"
    assert lost <= deleted, f"missing: {sorted(lost - deleted)[:5]}"
    if deleted:
        _check_gaps(lake, catalogue, found, lost, deleted, ids or {})
    return len(dead)


def _check_gaps(
    lake: Path,
    catalogue: Catalogue,
    found: Mapping[tuple[str, int, int], str],
    lost: AbstractSet[tuple[str, int, int]],
    deleted: AbstractSet[tuple[str, int, int]],
    ids: Mapping[str, str],
) -> None:
    """What is missing is what the tables say was gone. Each has its own gaps: it may have been further than another."""
    numbers = {(topic, number) for topic, number, _ in deleted}
    recorded = set()
    for kind, table, topics in [
        *(("event", offline_tables.events_table(source), {source.topic}) for source in catalogue.sources),
        ("dead", offline_tables.DEAD_LETTERS_TABLE, set(ids)),
    ]:
        of = [(topic, ids[topic], number) for topic, number in numbers if topic in topics]
        gaps = recorded_gaps(lake, table, of)
        assert gaps <= deleted, f"{table} has gaps where nothing was deleted: {sorted(gaps - deleted)[:5]}"
        held = sorted(position for position in gaps if found.get(position) == kind)
        assert not held, f"{table} holds what it says was gone: {held[:5]}"
        recorded |= gaps
    assert lost <= recorded, f"missing, and no table says so: {sorted(lost - recorded)[:5]}"
