"""The events table of a source that says what is expected of its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from shared_features.definitions import EventSource
from streaming.archive.arrival_times import ArrivalTimes
from streaming.archive.expectations.arrived import Arrived, Reached
from streaming.archive.stored_log import Marked, StoredEvents
from streaming.kafka.records.polled import Polled
from streaming.lake.log_positions import TopicKey
from streaming.lake.tables import DELTA, DeltaTables


class Checks(Protocol):
    """`source_checks.SourceChecks`."""

    def see(self, stored: Arrived) -> None: ...

    def look(self, reached: Reached) -> None: ...


class BuildChecks(Protocol):
    """Builds the checks of a source, from the newest arrival time that is stored."""

    def __call__(self, source: EventSource, since_us: int) -> Checks: ...


class CheckedEvents(StoredEvents):
    """Shows the checks what a commit stored, after it: what is stored does not depend on them."""

    def __init__(
        self,
        lake: Path,
        source: EventSource,
        topics: Mapping[TopicKey, int],
        delta: DeltaTables = DELTA,
        *,
        build_checks: BuildChecks,
    ) -> None:
        super().__init__(lake, source, topics, delta)
        self._checks = build_checks(source, self._reached().newest_us)
        self._uncommitted: list[Arrived] = []

    def take(self, batches: Sequence[Marked]) -> int:
        self._uncommitted = []
        rows = super().take(batches)
        for each in self._uncommitted:
            self._checks.see(each)
        self._checks.look(self._reached())
        return rows

    def _rows(self, polled: Polled, after: int, arrived: ArrivalTimes) -> list[pa.Table]:
        if len(arrived.events_us):
            new = slice(-len(arrived.events_us), None)
            stored = Arrived(polled.partition, polled.offsets[new], arrived.events_us, polled.events.take(new))
            self._uncommitted.append(stored)
        return super()._rows(polled, after, arrived)

    def _reached(self) -> Reached:
        return Reached(self.positions.watermark_us, max(self.positions.maxima_us.values(), default=-1))
