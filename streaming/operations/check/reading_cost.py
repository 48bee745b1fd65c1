"""The processor time that the reader of the stream takes for an event of a source, and for handing it to the groups."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from shared_features.definitions import Catalogue, EventSource
from shared_features.group_events import group_events
from streaming.errors import RefusedError
from streaming.kafka.records.record_reader import RecordReader, StampRule
from streaming.operations.produce.rows.fit import records_of
from streaming.operations.produce.rows.row_encoder import Reading, RowEncoder, key_fields
from streaming.settings import StreamingSettings

_ROWS, _TIMED_S = 2_000, 0.2


def reading_us(settings: StreamingSettings, catalogue: Catalogue, source: EventSource) -> float | None:
    """Microseconds of one core for an event of example values. None for a format that only its owner can write."""
    row = {field.name: field.type.example for field in source.fields} | {source.event_time: datetime.now(UTC)}
    try:
        encoder = RowEncoder(source, key_fields(catalogue, source), [row], Reading({}))
    except RefusedError:
        return None
    records = records_of(encoder, [row] * _ROWS, settings, time.time_ns() // 1000)
    reader = RecordReader(source, StampRule.of(settings))
    groups = [each for each in catalogue.groups if source in each.sources]
    read, began_s = 0, time.thread_time()
    while not read or time.thread_time() - began_s < _TIMED_S:
        if read == _ROWS:
            began_s = time.thread_time()  # what the first batch still had to load is not timed
        events = reader.read(records).events
        for group in groups:
            group_events(group, events)
        read += _ROWS
    return 1e6 * (time.thread_time() - began_s) / max(_ROWS, read - _ROWS)
