"""Rows of events that arrived so late that the replay has passed their time: computed from the events tables alone.

Such a row holds what any other row holds: the effects up to its event time. It only has its own replay, over the
longest window before the late events and over their entities. This is for entities of which the running replay has
applied an effect since; the states of others still are those of that time (`Replayer.values_in_states`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.entity_keys import has_integer_key, split_key
from streaming.lake.events_reader import EventsReader, spans
from streaming.lake.scan import quoted, sql_text
from streaming.materialize.spine_rows import SpineRows, copies
from streaming.replay.entity_states import EntityKey
from streaming.replay.replayer import Replayer

LISTED = 500
"""Up to this many keys or instants are listed in the query of the table. More are filtered afterwards."""


def late_values(
    group: FeatureGroup, tables: Sequence[EventsReader], rows: SpineRows, lag_us: int
) -> NDArray[np.float64]:
    """float64[n, features]: each row as of its event time, from the effects up to that time."""
    values = np.empty((len(rows), len(group.features)))
    for some in _runs(rows.event_time_us, group.longest_us):
        values[some] = _replayed(group, tables, rows.take(some), lag_us)
    return values


def _replayed(group: FeatureGroup, tables: Sequence[EventsReader], rows: SpineRows, lag_us: int) -> NDArray[np.float64]:
    end_us = int(rows.event_time_us.max()) + 1
    oldest_us = int(rows.event_time_us.min()) - group.longest_us
    keys = rows.key.unique().to_pylist()
    replayer = Replayer(group, lag_us)
    replayer.add_reads(rows.key, rows.event_time_us)
    values = np.empty((len(rows), len(group.features)))
    open_rows = np.arange(len(rows))
    # An event may be ahead of its arrival by at most the tolerated future.
    first_us = oldest_us - group.tolerated_future_us
    for low_us, high_us in spans(tables, first_us, end_us):
        for table in tables:
            condition = f"{quoted(table.source.event_time)} >= {oldest_us}"
            if len(keys) <= LISTED:
                condition += "".join(f" AND {each}" for each in _of_entities(group, table.source, keys))
            replayer.add_updates(table.some(low_us, high_us, condition), oldest_us, only=keys)
        answered = rows.event_time_us[open_rows] < high_us
        values[open_rows[answered]] = replayer.advance(high_us)
        open_rows = open_rows[~answered]
    return values


def _of_entities(group: FeatureGroup, source: EventSource, keys: Sequence[EntityKey]) -> Iterator[str]:
    """Conditions that the events of these entities meet. Others may meet them too where keys have several fields."""
    if has_integer_key(group.entity, source):
        columns = [sorted({str(key) for key in keys})]
    else:
        columns = [sorted(set(parts)) for parts in zip(*(split_key(str(key)) for key in keys), strict=True)]
    for name, parts in zip(group.entity.keys, columns, strict=True):
        number = source.field(name).type.key_part == "number"
        yield f"{quoted(name)} IN ({', '.join(parts if number else map(sql_text, parts))})"


def late_copies(group: FeatureGroup, table: EventsReader, rows: SpineRows) -> NDArray[np.bool_]:
    """bool[n]: like `spine_rows.copies`, compared with all events of the spine that arrived earlier.

    One scan, however far the times lie apart: each would reach from its time to the present, through the same files.
    """
    times = np.unique(rows.event_time_us)
    name = quoted(table.source.event_time)
    first_us, end_us = int(times[0]) - table.source.tolerated_future_us, int(rows.arrival_us.max()) + 1
    if len(times) <= LISTED:
        condition = f"{name} IN ({', '.join(map(str, times.tolist()))})"
        arrived = table.some(first_us, end_us, condition)
    else:
        condition = f"{name} >= {times[0]} AND {name} <= {times[-1]}"
        keep = partial(_at, table.source.event_time, pa.array(times, pa.int64()))
        arrived = table.where(first_us, end_us, condition, keep)
    peers = SpineRows.of(group, arrived)
    at = {position: index for index, position in enumerate(zip(peers.partition, peers.offset, strict=True))}
    own = [at[position] for position in zip(rows.partition, rows.offset, strict=True)]
    found: NDArray[np.bool_] = copies(peers)[own]
    return found


def _at(event_time: str, times: pa.Array, batch: pa.RecordBatch) -> pa.RecordBatch:
    wanted = pc.is_in(batch.column(event_time), value_set=times)
    some = batch if wanted.true_count else batch.slice(0, 0)
    fields = [field.with_type(pa.string()) if pa.types.is_string_view(field.type) else field for field in batch.schema]
    return some.cast(pa.schema(fields)).filter(wanted.slice(0, len(some)))  # Arrow cannot filter views


def _runs(time_us: NDArray[np.int64], gap_us: int) -> Iterator[NDArray[np.int64]]:
    """Indices of the times in runs without a pause longer than `gap_us`."""
    if not len(time_us):
        return
    order = np.argsort(time_us, kind="stable")
    breaks = np.flatnonzero(np.diff(time_us[order]) > gap_us) + 1
    yield from np.split(order, breaks)
