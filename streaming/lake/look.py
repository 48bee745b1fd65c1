"""Reads positions and counts of the lake's tables once, without creating anything or waiting for anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from pathlib import Path

import polars as pl
from deltalake import DeltaTable

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.offline_tables import (
    ARRIVAL_TIME,
    CUT_APP,
    DEAD_LETTERS_TABLE,
    RECORD_TIME,
    WATERMARK_APP,
    events_table,
    features_table,
)
from streaming.kafka.brokers.topics import PartitionKey, Topic
from streaming.lake.stored_positions import known_position, stored_offsets
from streaming.metrics import lateness_edges_us

_PLACE = r" \(topic .*, partition \d+, offset \d+\)$"
_INSTANT = r"\d{4}-\d\d-\d\dT[\d:.]+Z"
_NUMBER = r"-?\b\d[\d_]*(\.\d+)?"
WindowOf = tuple[int, int]
"""Length and hop, microseconds."""
_NEVER_US = -(1 << 62)
_DUPLICATES_AMONG_ROWS = 20_000_000  # counting duplicates takes 8 bytes per row


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Stored events, how many of them are late, and how many are duplicates. None: not known.

    late_counted: how many of the late ones count: neither repeated, nor older than every window when they came.
    lateness: (upper end of a bucket in microseconds, None for the last bucket; number of events in the bucket).
    """

    events: int | None = None
    late: int | None = None
    late_counted: int | None = None
    duplicates: int | None = None
    lateness: tuple[tuple[int | None, int], ...] = ()


class LakeLook:
    """Raises OSError if the directory of the lake is missing. A table that does not exist yet is None.

    keep: a table is opened once, until `forget`. So several questions cost one look at its log.
    """

    def __init__(self, lake: Path, *, keep: bool = False) -> None:
        self._lake, self._keep = lake, keep
        self._opened: dict[str, DeltaTable] = {}

    def forget(self) -> None:
        """Look at the newest versions from now on."""
        self._opened.clear()

    def table(self, name: str) -> DeltaTable | None:
        """The newest version of a table."""
        if not self._lake.is_dir():
            raise FileNotFoundError(f"{self._lake} is missing (the archive creates it at its first start)")
        path = self._lake / name
        if name in self._opened:
            return self._opened[name]
        table = DeltaTable(path) if (path / "_delta_log").is_dir() else None
        if self._keep and table is not None:
            self._opened[name] = table
        return table

    def offsets(self, name: str, topic: Topic) -> dict[PartitionKey, int]:
        """The last offset of each partition that a table holds, -1 if it holds none."""
        return stored_offsets(self.table(name), topic)

    def stored_offsets(self, source: EventSource, topic: Topic) -> dict[PartitionKey, int]:
        """Per partition the last offset up to which both events and dead letters are in the lake."""
        events, dead = (self.offsets(name, topic) for name in (events_table(source), DEAD_LETTERS_TABLE))
        return {partition: min(offset, dead[partition]) for partition, offset in events.items()}

    def watermark_us(self, source: EventSource) -> int | None:
        """The arrival watermark: nothing that is stored later arrived before it."""
        return known_position(self.table(events_table(source)), WATERMARK_APP)

    def cut_us(self, group: FeatureGroup, spine: EventSource) -> int | None:
        """The watermark up to which the group's feature rows are complete."""
        return known_position(self.table(features_table(group, spine)), CUT_APP)

    def feature_rows(self, group: FeatureGroup, spine: EventSource) -> int:
        table = self.table(features_table(group, spine))
        return 0 if table is None else table.count()

    def event_counts(
        self, source: EventSource, allowed_lateness_us: int, windows: Collection[WindowOf] = ()
    ) -> EventCounts:
        """Duplicates, and late events that count, stay None if there are too many rows to compare.

        windows: all that the events count in. Without any, no group reads them, and none of them is too old.
        """
        table = self.table(events_table(source))
        if table is None:
            return EventCounts(0, 0, 0, 0)
        lateness_us = pl.col(ARRIVAL_TIME) - pl.col(source.event_time)
        edges_us = lateness_edges_us(allowed_lateness_us)
        within = [(lateness_us <= edge).sum().alias(str(edge)) for edge in edges_us]
        late = (lateness_us > allowed_lateness_us).sum().alias("late")
        counts = pl.scan_delta(table).select(pl.len(), late, *within).collect(engine="streaming")
        rows, late_rows, *upto = counts.row(0)
        ends = [0, *(each or 0 for each in upto), rows]
        buckets = tuple(zip((*edges_us, None), (after - before for before, after in pairwise(ends)), strict=True))
        if not rows or rows > _DUPLICATES_AMONG_ROWS:
            unknown = None if rows else 0
            return EventCounts(rows, late_rows or 0, unknown, unknown, buckets)
        hashes = [pl.col(field.name).hash(seed=number) for number, field in enumerate(source.fields)]
        content = reduce(lambda mixed, each: (mixed ^ each).hash(), hashes)
        wanted = [content.n_unique().alias("all")]
        if late_rows:  # an event whose first row is in time, or that no window takes, has no late row that counts
            in_time = lateness_us <= allowed_lateness_us
            taken = in_time | (pl.col(source.event_time) >= _horizon_us(windows))
            wanted += [content.filter(taken).n_unique().alias("taken"), content.filter(in_time).n_unique().alias("in")]
        different, *taken_in = pl.scan_delta(table).select(wanted).collect(engine="streaming").row(0)
        return EventCounts(rows, late_rows, taken_in[0] - taken_in[1] if taken_in else 0, rows - different, buckets)

    def dead_letter_kinds(self) -> Mapping[str, Mapping[str, int]]:
        """By topic the number of dead letters of each kind of reason, the most frequent first.

        A kind is a reason without its place, instants and numbers.
        """
        table = self.table(DEAD_LETTERS_TABLE)
        if table is None:
            return {}
        kind = pl.col("reason").str.replace(_PLACE, "").str.replace_all(_INSTANT, "TIME").str.replace_all(_NUMBER, "N")
        counted = pl.scan_delta(table).group_by("topic", kind).len().sort("len", "reason", descending=[True, False])
        found: dict[str, dict[str, int]] = {}
        for topic, reason, number in counted.collect(engine="streaming").iter_rows():
            found.setdefault(topic, {})[reason] = number
        return found


def _horizon_us(windows: Collection[WindowOf]) -> pl.Expr:
    """The earliest event time that any of the windows takes of a record, as `group_events` decides it."""
    floors = [(pl.col(RECORD_TIME) - length_us) // hop_us * hop_us for length_us, hop_us in windows]
    return pl.min_horizontal(floors) if floors else pl.lit(_NEVER_US)
