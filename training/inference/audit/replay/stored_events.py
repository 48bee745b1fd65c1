"""The stored events that some entities had applied by some positions, and that windows of groups can still read."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import polars as pl

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import ARRIVAL_DATE, OFFSET, PARTITION, RECORD_TIME
from shared_features.group_events import GroupEvents, group_events
from shared_features.kernel.event_time import DAY_US, to_text
from training.datasets.offline_store import OfflineStore, PinnedTable, event_columns
from training.inference.audit.replay.shard_lives import Int64

_NOTHING: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True)
class StoredEvents:
    """Events of one source that the group takes, with their positions."""

    source: EventSource
    events: GroupEvents
    partition: Int64
    offset: Int64


class History:
    """The events of some groups of one entity with the same sources, each table at one version.

    Raises DatasetError where the lake lacks one.
    """

    def __init__(self, store: OfflineStore, groups: Sequence[FeatureGroup]) -> None:
        self.groups = groups
        self.tables: Mapping[str, PinnedTable] = {each.name: store.pin_events(each) for each in groups[0].sources}
        self._reach_us = max(each.readable_us + max(spec.hop_us for spec in each.layout.features) for each in groups)

    def since_us(self, earliest_us: int) -> int:
        """From when on windows reach events as of `earliest_us` or later: the beginning of a day."""
        since_us = max(0, earliest_us - self._reach_us)
        return since_us - since_us % DAY_US

    def reached(
        self, source: EventSource, since_us: int, ends: Mapping[int, int], held: Mapping[int, int] = _NOTHING
    ) -> pl.LazyFrame:
        """Those since then that are new. ends: partition -> its last offset that counts. held: partition -> the last
        offset that does not count.
        """
        partition, offset, new = pl.col(PARTITION), pl.col(OFFSET), pl.lit(False)
        for number, end in ends.items():
            new |= (partition == number) & (offset <= end) & (offset > held.get(number, -1))
        inside = (pl.col(ARRIVAL_DATE) >= _first_day(source, since_us)) & (pl.col(source.event_time) >= since_us)
        return self.tables[source.name].scan().filter(inside & new)

    def most(self, since_us: int) -> int:
        """So many events the tables have since then, or fewer: as their logs tell, without a look at any."""
        return sum(_rows(self.tables[each.name], _first_day(each, since_us)) for each in self.groups[0].sources)


def _first_day(source: EventSource, since_us: int) -> str:
    """An event arrives when its record is stored or later, and it is at most so far ahead of its record."""
    return to_text(max(0, since_us - source.tolerated_future_us))[:10]


def _rows(pinned: PinnedTable, first_day: str) -> int:
    files = pl.DataFrame(pinned.table.get_add_actions(flatten=True))
    day = pl.col(f"partition.{ARRIVAL_DATE}").cast(pl.String)
    counts = files.filter(day >= first_day)["num_records"] if len(files) else pl.Series([0])
    return sys.maxsize if counts.null_count() else int(counts.sum())


class ReadEvents:
    """Events of one source with their positions, read once for all groups."""

    def __init__(self, source: EventSource, reached: pl.LazyFrame, entities: pl.DataFrame) -> None:
        """entities: the key columns of the groups' entity, each entity once."""
        names = [field.name for field in source.fields]
        frame = (
            reached.select(PARTITION, OFFSET, RECORD_TIME, *names)
            .join(entities.lazy(), on=entities.columns, how="semi")
            .collect(engine="streaming")
        )
        columns, valid = event_columns(source, frame, names)
        columns = {name: np.array(column) for name, column in columns.items()}  # what comes from Arrow is read-only
        self._batch = EventBatch(source, columns, valid, np.array(frame[RECORD_TIME].to_numpy()))
        self._positions = [frame[name].cast(pl.Int64).to_numpy() for name in (PARTITION, OFFSET)]

    def of(self, group: FeatureGroup) -> StoredEvents:
        """Those that the group takes."""
        events = group_events(group, self._batch)
        return StoredEvents(self._batch.source, events, *(column[events.rows] for column in self._positions))
