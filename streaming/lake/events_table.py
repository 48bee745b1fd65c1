"""Rows of an events table: from a batch of columns to Arrow and back, so that the kernel sees the same values again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable
from numpy.typing import NDArray

from shared_features.definitions import Boolean, EventSource, FieldType, Integer, Text, events_difference
from shared_features.definitions.field_types import Storage
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import (
    ARRIVAL_DATE,
    ARRIVAL_TIME,
    DEFINITION,
    OFFSET,
    PARTITION,
    RECORD_TIME,
    WATERMARK_APP,
    partitions_app,
)
from shared_features.kernel.event_time import DAY_US
from streaming.errors import RefusedError
from streaming.lake.stored_positions import known_position

Int64 = NDArray[np.int64]

_ARROW: dict[Storage, pa.DataType] = {"integer": pa.int64(), "boolean": pa.bool_(), "text": pa.string()}
_HANDED_OVER: dict[Storage, Any] = {"integer": np.int64, "boolean": np.bool_, "text": object}


def events_schema(source: EventSource) -> pa.Schema:
    """The columns of a source's events table, as `formats.offline_tables` defines them."""
    fields = [(PARTITION, pa.int32()), (OFFSET, pa.int64()), (RECORD_TIME, pa.int64())]
    fields += [(ARRIVAL_TIME, pa.int64()), (ARRIVAL_DATE, pa.string())]
    return pa.schema([*fields, *((field.name, _ARROW[field.type.storage]) for field in source.fields)])


def stored_type(column: pa.DataType) -> FieldType:
    """A field type of the storage that a column of an events table has."""
    if pa.types.is_boolean(column):
        return Boolean()
    return Integer() if pa.types.is_integer(column) else Text()


def refuse_other_events(table: DeltaTable, source: EventSource) -> None:
    """Raise RefusedError if the stored values of a source mean something else under its present definition."""
    stored = table.metadata().configuration.get(DEFINITION)
    if stored is not None and (changed := events_difference(stored, source)):
        raise RefusedError(
            f"The stored events of source {source.name!r} have another meaning than its definition: {changed}. Give "
            "the source another name, which starts a new events table, and raise the versions of its groups"
        )


def event_rows(partition: int, offsets: Int64, arrival_us: Int64, batch: EventBatch) -> pa.Table:
    """The events of a batch as rows of their table."""
    columns: list[Any] = [
        pa.array(np.full(len(batch), partition, np.int32)),
        pa.array(offsets),
        pa.array(batch.record_time_us),
        pa.array(arrival_us),
        dates(arrival_us),
    ]
    for field in batch.source.fields:
        storage = field.type.storage
        column = batch.columns[field.name].astype(_HANDED_OVER[storage], copy=False)
        missing = ~batch.valid[field.name] if field.name in batch.valid else None
        columns.append(pa.array(column, _ARROW[storage], mask=missing))
    return pa.table(columns, schema=events_schema(batch.source))


def dates(time_us: Int64) -> pa.Array:
    """The day of each instant as text, YYYY-MM-DD in UTC."""
    days, index = np.unique(time_us // DAY_US, return_inverse=True)
    names = pa.array(days.astype("datetime64[D]").astype(str).tolist(), pa.string())
    return names.take(pa.array(index))


def event_batch(source: EventSource, rows: pa.Table) -> EventBatch:
    """Stored rows as the batch from which they were written. A field that was added later is missing in old rows."""
    columns: dict[str, NDArray[Any]] = {}
    valid: dict[str, NDArray[np.bool_]] = {}
    for field in source.fields:
        column = rows.column(field.name).combine_chunks()
        if field.optional or column.null_count:
            valid[field.name] = np.asarray(column.is_valid())
        if field.is_text:
            columns[field.name] = _as(pa.string(), column).to_numpy(zero_copy_only=False)
        else:
            whole = _as(pa.int64(), column)
            filled = whole.fill_null(0) if whole.null_count else whole
            columns[field.name] = filled.to_numpy(zero_copy_only=False)
    return EventBatch(source, columns, valid, int64(rows, RECORD_TIME))


def _as(kind: pa.DataType, column: pa.Array) -> pa.Array:
    return column if column.type == kind else column.cast(kind)


def int64(rows: pa.Table, name: str) -> Int64:
    """A whole-number column without nulls."""
    return np.asarray(rows.column(name).to_numpy(), np.int64)


def is_recreated(table: DeltaTable, topic: str, topic_id: str) -> bool:
    """Whether an events table, whose source reads a topic of this name, has positions but none with this topic's id."""
    begun = known_position(table, WATERMARK_APP) is not None
    return begun and known_position(table, partitions_app(topic, topic_id)) is None
