"""The stored events that some entities of a group had applied by some positions, and that windows can still read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import ARRIVAL_DATE, OFFSET, PARTITION, RECORD_TIME
from shared_features.group_events import GroupEvents, group_events
from shared_features.kernel.event_time import to_text
from training.datasets.offline_store import OfflineStore, PinnedTable, event_columns
from training.inference.audit.shard_lives import Int64


@dataclass(frozen=True)
class StoredEvents:
    """Events of one source that the group takes, with their positions."""

    source: EventSource
    events: GroupEvents
    partition: Int64
    offset: Int64


class GroupHistory:
    """The events of a group's sources, each table at one version. Raises DatasetError where the lake lacks one."""

    def __init__(self, store: OfflineStore, group: FeatureGroup) -> None:
        self._group = group
        self.tables: Mapping[str, PinnedTable] = {each.name: store.pin_events(each) for each in group.sources}

    def reached(self, source: EventSource, earliest_us: int, ends: Mapping[int, int]) -> pl.LazyFrame:
        """Those that windows reach as of `earliest_us` or later. ends: partition -> its last offset that counts."""
        group, partition = self._group, pl.col(PARTITION)
        since_us = max(0, earliest_us - group.readable_us - max(spec.hop_us for spec in group.layout.features))
        # An event arrives when its record is stored or later, and it is at most so far ahead of its record.
        day = to_text(max(0, since_us - source.tolerated_future_us))[:10]
        applied = [(partition == number) & (pl.col(OFFSET) <= end) for number, end in ends.items()]
        inside = (pl.col(ARRIVAL_DATE) >= day) & (pl.col(source.event_time) >= since_us)
        return self.tables[source.name].scan().filter(inside & pl.any_horizontal(pl.lit(False), *applied))

    def of_entities(self, source: EventSource, reached: pl.LazyFrame, entities: pl.DataFrame) -> StoredEvents:
        """entities: the key columns of the group's entity, each entity once."""
        names = [field.name for field in source.fields]
        frame = (
            reached.select(PARTITION, OFFSET, RECORD_TIME, *names)
            .join(entities.lazy(), on=entities.columns, how="semi")
            .collect(engine="streaming")
        )
        columns, valid = event_columns(source, frame, names)
        columns = {name: np.array(column) for name, column in columns.items()}  # what comes from Arrow is read-only
        events = group_events(self._group, EventBatch(source, columns, valid, np.array(frame[RECORD_TIME].to_numpy())))
        positions = frame.select(pl.col(PARTITION, OFFSET).cast(pl.Int64)).to_numpy()[events.rows]
        return StoredEvents(source, events, positions[:, 0], positions[:, 1])
