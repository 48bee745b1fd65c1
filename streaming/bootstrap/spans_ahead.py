"""Spans of stored events that are read ahead: the next span is read while the present one is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from streaming.lake.event_rows import EventRows
from streaming.lake.events_reader import EventsReader, spans

_SPAN_ROWS = 250_000  # events read at once; memory holds three spans


def read_ahead(
    tables: Sequence[EventsReader], low_us: int, high_us: int, conditions: Mapping[str, str | None]
) -> Iterator[tuple[EventsReader, EventRows, int]]:
    """Every span of low <= arrival < high of every table: the table, its events, and where the span begins.

    conditions: name of a source -> what its events must satisfy, too.
    """
    wanted = ((table, *span) for span in spans(tables, low_us, high_us, _SPAN_ROWS) for table in tables)
    with ThreadPoolExecutor(1, "read") as reader:
        ahead = None
        for table, begin_us, end_us in wanted:
            coming = reader.submit(table.where, begin_us, end_us, conditions.get(table.source.name))
            if ahead is not None:
                yield ahead[0], ahead[1].result(), ahead[2]
            ahead = table, coming, begin_us
        if ahead is not None:
            yield ahead[0], ahead[1].result(), ahead[2]
