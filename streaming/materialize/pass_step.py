"""The step between source and sink of materialize: a cut becomes the rows of its pass."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from bytewax.operators import StatefulBatchLogic
from deltalake.exceptions import DeltaError

from shared_features.errors import FormatVersionError
from shared_features.kernel.event_time import to_us
from streaming.errors import RestartNeeded
from streaming.job.backoff import Backoff, Tries
from streaming.lake.events_reader import EventsReader
from streaming.lake.tables import lake_outage
from streaming.log import get_log
from streaming.materialize.cut_source import Cut
from streaming.materialize.passes import Passes
from streaming.replay.snapshots import UNREADABLE, latest_snapshot
from streaming.replay.spine import Spine
from streaming.settings import StreamingSettings

_LOG = get_log("materialize")
_BACKOFF = Backoff(first_s=0.1, longest_s=5.0)

SNAPSHOTS_APART_S = 30.0
"""Shortest time between two snapshots, however fast the cut moves through history."""


@dataclass(frozen=True)
class PassRows:
    """The output of a pass: the rows of a cut (None: only a snapshot), and a snapshot with the cut of its states."""

    cut: Cut | None
    rows: pa.Table | None
    snapshot: pa.Table | None
    snapshot_cut_us: int


class PassStep(StatefulBatchLogic[Cut, PassRows, None]):
    """Holds the running replay of one spine."""

    def __init__(
        self, settings: StreamingSettings, spines: Mapping[str, Spine], tables: Mapping[str, EventsReader]
    ) -> None:
        self._lake, self._every_us = settings.lake, to_us(settings.snapshot_interval)
        self._spines, self._tables = spines, tables
        self._passes: Passes | None = None
        self._snapshot_us = self._snapshot_at = 0.0

    def on_batch(self, values: list[Cut]) -> tuple[list[PassRows], bool]:
        return [self._patiently(cut) for cut in values], self.RETAIN

    def on_eof(self) -> tuple[list[PassRows], bool]:
        """Write a snapshot, so that the next start continues at once."""
        if self._passes is None or self._passes.effects_us <= self._snapshot_us:
            return [], self.RETAIN
        return [PassRows(None, None, *self._snapshot())], self.RETAIN

    def snapshot(self) -> None:
        """Nothing: everything here follows from the tables."""

    def _patiently(self, cut: Cut) -> PassRows:
        """Run the pass. If the lake becomes unavailable, repeat the whole pass when the lake is available again."""
        lake = lake_outage(_LOG, spine=cut.label)
        tries = Tries(_BACKOFF, f"asked to stop while the lake is unavailable to {cut.label}")
        while True:
            try:
                rows = self._run(cut)
            except (OSError, DeltaError) as error:
                self._passes = None  # the pass may be half done
                lake.failed(reason=str(error))
                tries.wait()
            else:
                lake.answered()
                return rows

    def _run(self, cut: Cut) -> PassRows:
        if self._passes is None:
            self._passes = self._start(cut)
        if self._passes.cut_us != max(cut.from_us, 0):
            raise RestartNeeded(
                f"spine {cut.label}: its table is at cut {cut.from_us}, its replay at {self._passes.cut_us}"
            )
        rows = self._passes.run(cut.to_us)
        due = self._passes.effects_us - self._snapshot_us >= self._every_us
        if due and time.monotonic() - self._snapshot_at >= SNAPSHOTS_APART_S:
            return PassRows(cut, rows, *self._snapshot())
        return PassRows(cut, rows, None, 0)

    def _start(self, cut: Cut) -> Passes:
        spine = self._spines[cut.label]
        up_to_us = max(cut.from_us, 0) - spine.lateness_us
        snapshot = latest_snapshot(self._lake, spine.group, spine.source, spine.fingerprint, up_to_us)
        self._snapshot_us = -spine.lateness_us if snapshot is None else snapshot.cut_us
        self._snapshot_at = time.monotonic()
        try:
            return Passes(spine, self._tables, max(cut.from_us, 0), snapshot)
        except FormatVersionError as error:
            if snapshot is None:
                raise
            _LOG.warning(UNREADABLE, spine=cut.label, cut_us=snapshot.cut_us, error=str(error))
        self._snapshot_us = -spine.lateness_us
        return Passes(spine, self._tables, max(cut.from_us, 0))

    def _snapshot(self) -> tuple[pa.Table, int]:
        if self._passes is None:
            raise RestartNeeded("a snapshot was requested before the first pass")
        self._snapshot_us, self._snapshot_at = self._passes.effects_us, time.monotonic()
        return self._passes.snapshot(), self._passes.effects_us
