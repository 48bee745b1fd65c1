"""Why an answer is not event-time truth: its shard had not applied events that had happened before its instant.

An event that came after the request is late. One that had come before is the lag of the stream. Where the shard had
consumed records of a later time than the answer's, the clocks of endpoint and brokers disagree, so neither is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.entity_keys import EntityKeys
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import ARRIVAL_TIME, OFFSET, PARTITION, RECORD_TIME
from shared_features.group_events import group_events
from training.datasets.offline_store import PinnedTable, event_columns
from training.inference.audit.findings import CLOCK, LATE_EVENT, STREAM_LAG
from training.inference.audit.replay.read_vectors import ReadVectors
from training.inference.audit.replay.shard_lives import Int64

_ROWS_AT_ONCE = 10_000
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class AnsweredRows:
    """`n` rows of one group. keys: of their entities, and as columns of a table. vector: of `vectors`; -1: none.

    came_us: when the request came. at_us: when it was answered.
    """

    keys: EntityKeys
    key_columns: pl.DataFrame
    as_of_us: Int64
    came_us: Int64
    at_us: Int64
    vector: Int64
    vectors: ReadVectors


def unseen(group: FeatureGroup, tables: Mapping[str, PinnedTable], rows: AnsweredRows) -> dict[str, Bools]:
    """By cause which rows lack an event by it: bool[n]. tables: the events by source."""
    found = {cause: np.zeros(len(rows.as_of_us), np.bool_) for cause in (CLOCK, STREAM_LAG, LATE_EVENT)}
    asked = np.flatnonzero(rows.vector >= 0)
    for some in np.array_split(asked, max(1, -(-len(asked) // _ROWS_AT_ONCE))) if len(asked) else ():
        for source in group.sources:
            lacking = _lacking(group, source, tables[source.name], rows, some)
            of = lacking["row"].to_numpy()
            is_late = lacking[ARRIVAL_TIME].to_numpy() > rows.came_us[of]
            disagrees = _consumed_us(rows.vectors, rows.vector[of]) > rows.at_us[of]
            found[CLOCK][of[disagrees]] = True
            found[LATE_EVENT][of[is_late & ~disagrees]] = True
            found[STREAM_LAG][of[~is_late & ~disagrees]] = True
    return found


def _lacking(
    group: FeatureGroup, source: EventSource, table: PinnedTable, rows: AnsweredRows, some: Int64
) -> pl.DataFrame:
    """Row and arrival time of each event that a window of it reaches and that its vector does not hold."""
    as_of_us = rows.as_of_us[some]
    asked = pl.DataFrame(
        {"row": some, "as_of": as_of_us, "vector": rows.vector[some], "key": pl.Series(rows.keys)[some]}
    ).lazy()
    events = _events(group, source, table, rows.key_columns[some].unique(), as_of_us)
    held = _held(rows.vectors, source.topic, np.unique(rows.vector[some])).lazy()
    happened = (pl.col("event") < pl.col("as_of")) & (pl.col("event") >= pl.col("as_of") - group.longest_us)
    is_applied = pl.col(OFFSET) <= pl.col("held").fill_null(-1)

    def pairs(of: pl.DataFrame) -> pl.LazyFrame:
        return asked.join(of.lazy(), on="key").filter(happened).join(held, on=["vector", PARTITION], how="left")

    copies = events.filter(pl.struct("key", "digest").is_duplicated())
    seen = pairs(copies).filter(is_applied).select("row", "digest").unique()  # of another copy of the event
    lacking = pairs(events).filter(~is_applied).join(seen, on=["row", "digest"], how="anti")
    return lacking.select("row", ARRIVAL_TIME).collect(engine="streaming")


def _events(
    group: FeatureGroup, source: EventSource, table: PinnedTable, entities: pl.DataFrame, as_of_us: Int64
) -> pl.DataFrame:
    """Key, event time, arrival time and position of the events that count for these entities when they happen."""
    names, time = [field.name for field in source.fields], pl.col(source.event_time)
    inside = (time < int(as_of_us.max())) & (time >= int(as_of_us.min()) - group.longest_us)
    frame = (
        table.scan()
        .filter(inside)
        .select(PARTITION, OFFSET, RECORD_TIME, ARRIVAL_TIME, *names)
        .join(entities.lazy(), on=entities.columns, how="semi")
        .collect(engine="streaming")
    )
    columns, valid = event_columns(source, frame, names)
    columns = {name: np.array(column) for name, column in columns.items()}  # what comes from Arrow is read-only
    batch = EventBatch(source, columns, valid, np.array(frame[RECORD_TIME].to_numpy()))
    # As if each had come when it happened: one that came too late to be taken is the latest of all.
    taken = group_events(group, replace(batch, record_time_us=batch.event_time_us))
    places = frame.select(pl.col(PARTITION, OFFSET, ARRIVAL_TIME).cast(pl.Int64))[taken.rows]
    own = (pl.Series("key", taken.keys), pl.Series("event", taken.event_time_us), pl.Series("digest", taken.digest))
    return places.with_columns(*own)


def _held(vectors: ReadVectors, topic: str, numbers: Int64) -> pl.DataFrame:
    """The last offset of each partition of a topic, of vectors."""
    held = [
        (number, partition, offset)
        for number in numbers.tolist()
        for (name, _, partition), offset in vectors.vectors[number][1].items()
        if name == topic
    ]
    schema = {"vector": pl.Int64, PARTITION: pl.Int64, "held": pl.Int64}
    return pl.DataFrame(held, schema, orient="row").group_by("vector", PARTITION).agg(pl.col("held").max())


def _consumed_us(vectors: ReadVectors, numbers: Int64) -> Int64:
    """Of each vector the latest record time up to which a partition was consumed."""
    each, of = np.unique(numbers, return_inverse=True)
    latest = [
        max((at.consumed_until_us for at in shard.vector), default=-1) if (shard := vectors.receipt(number)) else -1
        for number in each.tolist()
    ]
    return np.array(latest, np.int64)[of]
