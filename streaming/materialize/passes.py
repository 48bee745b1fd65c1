"""Passes of one group over one spine: from one cut to the next, the rows of all events in between.

A pass moves the arrival watermark from v to w. D is the allowed lateness. The pass writes the *regular* rows: those
with an event time in [v - D, w - D). It also writes the *late* rows: those of events with a lateness above D and an
arrival time in [v, w). The event of a row alone decides to which pass the row belongs, and the events alone decide its
values. So any choice of cuts gives the same table.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streaming.errors import RestartNeeded
from streaming.lake.event_rows import EventRows
from streaming.lake.events_reader import EventsReader, spans
from streaming.log import get_log
from streaming.materialize.late_rows import late_copies, late_values
from streaming.materialize.spine_rows import SpineRows, contradicted_ids, copies, feature_rows
from streaming.replay.replayer import Replayer
from streaming.replay.snapshots import Snapshot, snapshot_rows
from streaming.replay.spine import Spine

_LOG = get_log("materialize")


class Passes:
    """The running replay of a spine. `cut_us`: the arrival watermark up to which its rows were computed."""

    def __init__(
        self, spine: Spine, tables: Mapping[str, EventsReader], cut_us: int, snapshot: Snapshot | None = None
    ) -> None:
        self.spine, self.cut_us = spine, cut_us
        self.contradicted = 0
        # Where nothing names an event its time stands in, and two events of one instant contradict nothing.
        self._reports = spine.reports and spine.source.event_id != spine.source.event_time
        self._tables = [tables[source.name] for source in spine.sources]
        self._updating = {source.name for source in spine.group.sources}
        self._replayer = Replayer(spine.group, spine.lag_us)
        self._waiting = self._nothing = SpineRows.of(spine.group, EventRows.empty(spine.source))
        self._resume(snapshot)

    @property
    def effects_us(self) -> int:
        """The states hold all effects below this instant."""
        return self.cut_us - self.spine.lateness_us

    def run(self, to_us: int) -> pa.Table:
        """The rows of the pass up to a watermark, which the events tables have reached."""
        late = self._take_in(self.cut_us, to_us)
        self.cut_us = to_us
        stands_still, at_rest = self._replayer.values_in_states(late.key, late.event_time_us)
        values = self._replayer.advance(self.effects_us)
        ready = self._waiting.event_time_us < self.effects_us
        rows, self._waiting = self._waiting.take(ready), self._waiting.take(~ready)
        copy = copies(rows)
        self._report(rows, copy)
        group, lateness_us = self.spine.group, self.spine.lateness_us
        written = feature_rows(group, rows, lateness_us, copy, values)
        if not len(late):
            return written
        updating = [table for table in self._tables if table.source.name in self._updating]
        spine_table = next(table for table in self._tables if table.source == self.spine.source)
        values = np.empty((len(late), len(group.features)))
        values[stands_still] = at_rest
        values[~stands_still] = late_values(group, updating, late.take(~stands_still), self.spine.lag_us)
        copy = late_copies(group, spine_table, late)
        return pa.concat_tables([written, feature_rows(group, late, lateness_us, copy, values)])

    def snapshot(self) -> pa.Table:
        """The present states as rows of the snapshots table."""
        group = self.spine.group
        # Twice, so that any later event would prune everything that is forgotten here: the states do not change.
        self._replayer.forget(self.effects_us - 2 * group.readable_us)
        return snapshot_rows(group, self.spine.source, self.effects_us, self._replayer)

    def _take_in(self, low_us: int, high_us: int) -> SpineRows:
        """Give the replay the events that arrived in a span. Returns the rows whose time the replay has passed."""
        passed = self._nothing
        for table in self._tables:
            if table.refresh() < high_us:
                raise RestartNeeded(
                    f"the events table of {table.source.name} ends before {high_us}: it was rolled back"
                )
            arrived = table.between(low_us, high_us)
            if table.source.name in self._updating:
                self._replayer.add_updates(arrived, self.effects_us)
            if table.source.name == self.spine.source.name:
                rows = SpineRows.of(self.spine.group, arrived)
                ahead = rows.event_time_us >= self.effects_us
                passed = rows.take(~ahead)
                self._ask(rows.take(ahead))
        return passed

    def _ask(self, rows: SpineRows) -> None:
        self._replayer.add_reads(rows.key, rows.event_time_us)
        self._waiting = self._waiting.followed_by(rows)

    def _resume(self, snapshot: Snapshot | None) -> None:
        """Bring the replay to the cut: the snapshot's states, then the effects after the snapshot."""
        begin_us = -self.spine.lateness_us
        if snapshot is not None:
            begin_us = snapshot.cut_us
            for keys, states in snapshot.states():
                self._replayer.restore(keys, states, begin_us)
        # An event may be ahead of its arrival by at most the tolerated future.
        future_us = max(source.tolerated_future_us for source in self.spine.sources)
        first_us = 0 if snapshot is None else begin_us - self.spine.lag_us - future_us - 1
        for table in self._tables:
            if self.cut_us > 0 and table.refresh() < self.cut_us:
                raise RestartNeeded(
                    f"the events table of {table.source.name} ends before the cut {self.cut_us}: it was rolled back"
                )
        for low_us, high_us in spans(self._tables, first_us, self.cut_us):
            for table in self._tables:
                arrived = table.between(low_us, high_us)
                if table.source.name in self._updating:
                    self._replayer.add_updates(arrived, begin_us)
                if table.source.name == self.spine.source.name:
                    rows = SpineRows.of(self.spine.group, arrived)
                    self._ask(rows.take(rows.event_time_us >= self.effects_us))
            self._replayer.advance(min(self.effects_us, high_us))

    def _report(self, rows: SpineRows, copy: NDArray[np.bool_]) -> None:
        if contradicted := contradicted_ids(rows, copy) if self._reports else []:
            self.contradicted += len(contradicted)
            _LOG.warning(
                "found event ids with more than one content; all of these events count",
                spine=self.spine.label,
                ids=contradicted[:5],
                number=len(contradicted),
            )
