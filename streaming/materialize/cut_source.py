"""The source of materialize: reads the events tables, and says up to which watermark a spine may continue."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from deltalake import DeltaTable

from shared_features.formats.offline_tables import CUT_APP, features_table
from streaming.errors import RestartNeeded
from streaming.job.stopping import stop_requested, wait
from streaming.job.timer_slack import precise
from streaming.job.waits import Wait
from streaming.lake.events_reader import EventsReader, about
from streaming.lake.handle import NO_OUTAGE
from streaming.lake.stored_positions import KnownPositions
from streaming.lake.tables import DELTA, lake_outage
from streaming.log import get_log
from streaming.replay.spine import Spine
from streaming.settings import StreamingSettings

_LOG = get_log("materialize")
_SOON = timedelta(milliseconds=20)
_LONGEST_SLEEP = timedelta(seconds=1)
_LOOKS = 3
_WORTH_A_PASS = 200_000
"""So many events are worth a pass at once. Fewer wait for more: a pass and its commit cost about the same for few."""
_STORED_WITHIN_S = 600.0
"""A pass takes seconds. After so long its cut never comes, for example because the table was restored from a backup."""


@dataclass(frozen=True)
class Cut:
    """A unit of work: move a spine from one stored cut to the next. Both are arrival watermarks; -1: from the start."""

    label: str
    from_us: int
    to_us: int


class Rest:
    """Lets the worker sleep while no spine is due. Left alone, Bytewax looks a thousand times a second whether one is.

    The part that was built first sleeps for all parts of its process.
    """

    def __init__(self) -> None:
        self._due: dict[str, datetime] = {}

    def due(self, label: str, at: datetime) -> None:
        """A spine has nothing to do before an instant."""
        self._due[label] = at

    def is_by(self, label: str) -> bool:
        """Whether this spine sleeps for the others."""
        return label == next(iter(self._due))

    def sleep(self, label: str) -> None:
        """Sleep until a spine is due or this process is asked to stop."""
        if self.is_by(label):
            left = min(self._due.values()) - datetime.now(UTC)
            wait(max(0.0, min(left, _LONGEST_SLEEP).total_seconds()))


class CutSource(FixedPartitionedSource[tuple[str, Cut], None]):
    """One part per spine."""

    def __init__(
        self, settings: StreamingSettings, spines: Mapping[str, Spine], tables: Mapping[str, EventsReader]
    ) -> None:
        self._settings, self._spines, self._tables = settings, spines, tables
        self._rest = Rest()

    def list_parts(self) -> list[str]:
        return sorted(self._spines)

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> SpineCuts:
        precise()
        return SpineCuts(self._settings, self._spines[for_part], self._tables, self._rest)


class SpineCuts(StatefulSourcePartition[tuple[str, Cut], None]):
    """Emits one cut at a time, the next one when the previous cut is stored. So no work piles up behind a slow disk."""

    def __init__(
        self, settings: StreamingSettings, spine: Spine, tables: Mapping[str, EventsReader], rest: Rest
    ) -> None:
        self._spine, self._every, self._rest = spine, settings.materialize_interval, rest
        self._path = settings.lake / features_table(spine.group, spine.source)
        self._table: DeltaTable | None = None
        self._positions = KnownPositions()
        self._tables = [tables[source.name] for source in spine.sources]
        self._given: int | None = None
        self._seen, self._given_at = -1, float("-inf")
        self._stored_wait = Wait("waiting until the rows of a pass are stored")
        self._called = self._next = datetime.now(UTC)
        self._rest.due(spine.label, self._next)
        self._lake = lake_outage(_LOG, spine=spine.label)

    def next_batch(self) -> list[tuple[str, Cut]]:
        if stop_requested():
            raise StopIteration
        self._called = datetime.now(UTC)
        if self._called < self._next:
            self._rest.sleep(self._spine.label)
            return []
        cut = self._looked()
        self._rest.due(self._spine.label, self._next)
        return [] if cut is None else [(self._spine.label, cut)]

    def next_awake(self) -> datetime:
        # Bytewax counts from the beginning of the call: an instant after the sleep would be a pause as long again, in
        # which it looks a thousand times a second.
        return self._called if self._rest.is_by(self._spine.label) else min(self._next, self._called + _LONGEST_SLEEP)

    def snapshot(self) -> None:
        """Nothing: the cut is in the features table."""

    def _looked(self) -> Cut | None:
        try:
            cut = self._cut()
        except NO_OUTAGE:
            raise  # a bug of the program, a wrong definition, or entities were erased
        except Exception as error:  # the lake is unavailable, perhaps for a moment
            self._table = None
            self._lake.failed(reason=str(error))
            self._next = datetime.now(UTC) + timedelta(seconds=1)
            return None
        self._lake.answered()
        return cut

    def _cut(self) -> Cut | None:
        stored = self._stored()
        if self._given is not None and stored < self._given:
            self._stored_wait.begin(spine=self._spine.label, cut_us=self._given, stored_us=stored)
            if self._stored_wait.for_s > _STORED_WITHIN_S:
                raise RestartNeeded(
                    f"spine {self._spine.label}: cut {self._given} was not stored within {_STORED_WITHIN_S:g} s, its "
                    f"table is at {stored}; this process restarts from what is stored"
                )
            self._next = datetime.now(UTC) + _SOON
            return None
        self._stored_wait.end()
        watermark = min(table.refresh() for table in self._tables)
        begin = max(stored, 0)
        if not self._is_worth(begin, watermark):
            self._seen, self._next = watermark, datetime.now(UTC) + self._every / _LOOKS
            return None
        end = min(table.span_end(begin, watermark) for table in self._tables)
        self._given, self._given_at, self._seen = end, time.monotonic(), -1
        self._next = datetime.now(UTC) + (self._every / _LOOKS if end == watermark else _SOON)
        return Cut(self._spine.label, stored, end)

    def _is_worth(self, begin_us: int, watermark_us: int) -> bool:
        """Whether a pass between these is due: after its interval, for many events, or if no more of them come."""
        if watermark_us <= begin_us:
            return False
        waited_s = time.monotonic() - self._given_at
        return (
            waited_s >= self._every.total_seconds()
            or watermark_us == self._seen
            or about(self._tables, begin_us, watermark_us) >= _WORTH_A_PASS
        )

    def _stored(self) -> int:
        """The cut of the features table. The sink creates the table with the first rows."""
        if self._table is None:
            if not DeltaTable.is_deltatable(str(self._path)):
                return -1
            self._table = DeltaTable(self._path)
        DELTA.update(self._table, self._path)
        return self._positions.position(self._table, CUT_APP)
