"""The source of materialize: reads the events tables, and says up to which watermark a spine may continue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from deltalake import DeltaTable

from shared_features.formats.offline_tables import CUT_APP, features_table
from streaming.errors import RestartNeeded, StreamingError
from streaming.job.stopping import stop_requested
from streaming.job.waits import Wait
from streaming.lake.events_reader import EventsReader
from streaming.lake.handle import FAULTS_OF_OURS
from streaming.lake.stored_positions import stored_position
from streaming.lake.tables import lake_outage
from streaming.log import get_log
from streaming.replay.spine import Spine
from streaming.settings import StreamingSettings

_LOG = get_log("materialize")
_SOON = timedelta(milliseconds=20)
_STORED_WITHIN_S = 600.0
"""A pass takes seconds. After so long its cut never comes, for example because the table was restored from a backup."""


@dataclass(frozen=True)
class Cut:
    """A unit of work: move a spine from one stored cut to the next. Both are arrival watermarks; -1: from the start."""

    label: str
    from_us: int
    to_us: int


class CutSource(FixedPartitionedSource[tuple[str, Cut], None]):
    """One part per spine."""

    def __init__(
        self, settings: StreamingSettings, spines: Mapping[str, Spine], tables: Mapping[str, EventsReader]
    ) -> None:
        self._settings, self._spines, self._tables = settings, spines, tables

    def list_parts(self) -> list[str]:
        return sorted(self._spines)

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> SpineCuts:
        return SpineCuts(self._settings, self._spines[for_part], self._tables)


class SpineCuts(StatefulSourcePartition[tuple[str, Cut], None]):
    """Emits one cut at a time, the next one when the previous cut is stored. So no work piles up behind a slow disk."""

    def __init__(self, settings: StreamingSettings, spine: Spine, tables: Mapping[str, EventsReader]) -> None:
        self._spine, self._every = spine, settings.materialize_interval
        self._path = settings.lake / features_table(spine.group, spine.source)
        self._table: DeltaTable | None = None
        self._tables = [tables[source.name] for source in spine.sources]
        self._given: int | None = None
        self._stored_wait = Wait("waiting until the rows of a pass are stored")
        self._next = datetime.now(UTC)
        self._lake = lake_outage(_LOG, spine=spine.label)

    def next_batch(self) -> list[tuple[str, Cut]]:
        if stop_requested():
            raise StopIteration
        if datetime.now(UTC) < self._next:  # Bytewax may ask early
            return []
        try:
            cut = self._cut()
        except (*FAULTS_OF_OURS, StreamingError):
            raise  # not the lake's fault: the program has a bug, or entities were erased
        except Exception as error:  # the lake is unavailable, perhaps for a moment
            self._table = None
            self._lake.failed(reason=str(error))
            self._next = datetime.now(UTC) + timedelta(seconds=1)
            return []
        self._lake.answered()
        return [] if cut is None else [(self._spine.label, cut)]

    def next_awake(self) -> datetime:
        return min(self._next, datetime.now(UTC) + timedelta(milliseconds=100))  # to see a request to stop

    def snapshot(self) -> None:
        """Nothing: the cut is in the features table."""

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
        if watermark <= begin:
            self._next = datetime.now(UTC) + self._every
            return None
        end = min(table.span_end(begin, watermark) for table in self._tables)
        self._given = end
        self._next = datetime.now(UTC) + (self._every if end == watermark else _SOON)
        return Cut(self._spine.label, stored, end)

    def _stored(self) -> int:
        """The cut of the features table. The sink creates the table with the first rows."""
        if self._table is None:
            if not DeltaTable.is_deltatable(str(self._path)):
                return -1
            self._table = DeltaTable(self._path)
        self._table.update_incremental()
        return stored_position(self._table, CUT_APP)
