"""Reads events tables by arrival: everything below the arrival watermark is complete and never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from shared_features.definitions import EventSource
from shared_features.formats.offline_tables import (
    ARRIVAL_TIME,
    ERASURES_APP,
    OFFSET,
    PARTITION,
    RECORD_TIME,
    WATERMARK_APP,
    events_table,
)
from streaming.errors import RestartNeeded
from streaming.lake.arrival_statistics import ArrivalStatistics
from streaming.lake.event_rows import EventRows
from streaming.lake.events_table import is_recreated, refuse_other_events
from streaming.lake.scan import scanned
from streaming.lake.stored_positions import NEVER, KnownPositions
from streaming.lake.tables import DELTA, DeltaTables
from streaming.log import get_log

SPAN_ROWS = 1_000_000
"""About how many events one pass takes. This bounds its memory."""
Keep = Callable[[pa.RecordBatch], pa.RecordBatch]
_REOPEN_AFTER = 50
_KEPT = 2
_KEPT_ANSWERS, _KEPT_ROWS = 4, 50_000


class EventsReader:
    """The events table of a source, for reading. If it does not exist yet, nothing has arrived."""

    def __init__(self, lake: Path, source: EventSource, delta: DeltaTables = DELTA) -> None:
        self.source = source
        self._delta = delta
        self._path = lake / events_table(source)
        self._table: DeltaTable | None = None
        self._moves = 0
        self._positions = KnownPositions()
        self._listed: tuple[DeltaTable, int, ArrivalStatistics] | None = None
        self._erasures: int | None = None
        self._kept: OrderedDict[tuple[int, int], EventRows] = OrderedDict()
        self._answers: OrderedDict[tuple[int, int, str], EventRows] = OrderedDict()

    def refresh(self) -> int:
        """Look at the table again, and return its watermark, microseconds: events stored later arrive then or later."""
        if self._table is None or self._moves >= _REOPEN_AFTER:
            if not self._delta.exists(self._path):
                return 0
            self._table = self._delta.open(self._path)
            refuse_other_events(self._table, self.source)
            self._moves = 0
        self._moves += self._delta.update(self._table, self._path)
        self._refuse_erased()
        return max(0, self.position(WATERMARK_APP))

    @property
    def erased(self) -> int:
        """How many entities were erased from the table on request, as of the first refresh."""
        return max(0, self._erasures or 0)

    def _refuse_erased(self) -> None:
        """RestartNeeded if entities were erased since the first refresh, because earlier reads hold their events."""
        erasures = self.position(ERASURES_APP)
        if self._erasures is None:
            self._erasures = erasures
        if erasures != self._erasures:
            raise RestartNeeded(f"entities were erased from {self._path.name}; restarting without their events")

    def position(self, app: str) -> int:
        """The stored version of an application id as of the last refresh, -1 if there is none."""
        return NEVER if self._table is None else self._positions.position(self._table, app)

    def is_recreated(self, topic_id: str) -> bool:
        """Whether the table holds events of an earlier topic with the same name, as of the last refresh."""
        return self._table is not None and is_recreated(self._table, self.source.topic, topic_id)

    def between(self, low_us: int, high_us: int) -> EventRows:
        """The events with low <= arrival < high. The latest spans are kept for the next group that asks."""
        span = (low_us, high_us)
        if span not in self._kept:
            self._kept[span] = self.where(low_us, high_us)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[span]

    def where(
        self, low_us: int, high_us: int, condition: str | None = None, keep: Keep = lambda batch: batch
    ) -> EventRows:
        """The events with low <= arrival < high that satisfy a condition. `high` is at most the watermark.

        `keep`: selects the rows of each batch that are held. Raises OSError while the lake is unavailable.
        """
        names = [PARTITION, OFFSET, RECORD_TIME, ARRIVAL_TIME, *(field.name for field in self.source.fields)]
        if self._table is None:
            self._table = self._delta.open(self._path)
        predicate = f"{ARRIVAL_TIME} >= {low_us} AND {ARRIVAL_TIME} < {high_us}"
        if condition is not None:
            predicate = f"{predicate} AND {condition}"
        kept = [keep(batch) for batch in scanned(self._table, names, predicate)]
        return EventRows.of(self.source, pa.Table.from_batches(kept)) if kept else EventRows.empty(self.source)

    def some(self, low_us: int, high_us: int, condition: str, keep: Keep = lambda batch: batch) -> EventRows:
        """Like `where`, for a few events out of many days. The latest answers are kept for the next group that asks.

        The condition must say all that `keep` selects by.
        """
        asked = (low_us, high_us, condition)
        if asked in self._answers:
            return self._answers[asked]
        answer = self.where(low_us, high_us, condition, keep)
        if len(answer) <= _KEPT_ROWS:
            self._answers[asked] = answer
            while len(self._answers) > _KEPT_ANSWERS:
                self._answers.popitem(last=False)
        return answer

    def about(self, low_us: int, high_us: int) -> int:
        """The number of events in all files that may hold events with low <= arrival < high."""
        return self._files().about(low_us, high_us)

    def span_end(self, low_us: int, high_us: int, rows: int = SPAN_ROWS) -> int:
        """An instant, at most `high`, such that about `rows` events lie between `low` and it, by file statistics."""
        return self._files().span_end(low_us, high_us, rows)

    def _files(self) -> ArrivalStatistics:
        """Of the files as of the last refresh."""
        if self._table is None:
            return ArrivalStatistics.empty()
        table, version = self._table, self._table.version()
        if self._listed is None or self._listed[0] is not table or self._listed[1] != version:
            self._listed = table, version, ArrivalStatistics.of(table)
        return self._listed[2]


def about(tables: Sequence[EventsReader], low_us: int, high_us: int) -> int:
    """About how many events arrived in low <= arrival < high, by file statistics. Whole files are counted."""
    return sum(table.about(low_us, high_us) for table in tables)


def spans(
    tables: Sequence[EventsReader], low_us: int, high_us: int, rows: int = SPAN_ROWS
) -> Iterator[tuple[int, int]]:
    """Consecutive spans of arrival time from low to high. None holds many more than `rows` events of any table.

    Events with the same arrival time stay together. After an import whose late part was raised to one time, such a span
    can be large.
    """
    while low_us < high_us:
        end = min(table.span_end(low_us, high_us, rows) for table in tables)
        yield low_us, end
        low_us = end


def log_erased(part: str, tables: Iterable[EventsReader]) -> None:
    """Log that data rebuilt from the events lacks the entities that were erased on request."""
    for table in tables:
        with suppress(OSError, DeltaError):
            table.refresh()
        if table.erased:
            get_log(part).info("reading events without erased entities", source=table.source.name, erased=table.erased)
