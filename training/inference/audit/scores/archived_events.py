"""The events that scores are about, as the archive has them, by their positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import EventSource
from shared_features.formats.offline_tables import OFFSET, PARTITION
from shared_features.formats.prediction_log import Hole
from shared_features.formats.shard_meta import Partition
from training.datasets.offline_store import OfflineStore, event_columns
from training.inference.audit.causes.difference_causes import Cause
from training.inference.audit.causes.stored_positions import StoredPositions, named
from training.inference.audit.findings import (
    DELETED_EVENTS,
    ERASED_EVENTS,
    LOST_EVENTS,
    MISSING_EVENT,
    UNARCHIVED_EVENTS,
)
from training.inference.audit.replay.shard_lives import Int64

_OFFSETS_AT_ONCE = 5_000_000


@dataclass(frozen=True)
class FoundEvents:
    """there: bool[n], which of the positions that were asked for have an event. columns, valid: of those alone."""

    there: NDArray[np.bool_]
    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, NDArray[np.bool_]]


class ArchivedEvents:
    """Of one source, at one version of its table. Raises DatasetError where the lake lacks it."""

    def __init__(self, store: OfflineStore, source: EventSource) -> None:
        self.topic = source.topic
        self._source, self._table = source, store.pin_events(source)
        self._stored = StoredPositions(store, {source.topic: self._table.table})

    def at(self, partition: Int64, offset: Int64) -> FoundEvents:
        """The events at these positions, each position once. partition, offset: int64[n]."""
        asked = pl.DataFrame({PARTITION: partition, OFFSET: offset})
        spans = asked.group_by(PARTITION).agg(first=pl.col(OFFSET).min(), last=pl.col(OFFSET).max())
        inside = [
            (pl.col(PARTITION) == number) & pl.col(OFFSET).is_between(first, last)
            for number, first, last in spans.iter_rows()
        ]
        names = [field.name for field in self._source.fields]
        events = (
            self._table.scan()
            .filter(pl.any_horizontal(pl.lit(False), *inside))
            .select(pl.col(PARTITION, OFFSET).cast(pl.Int64), *names, there=pl.lit(True))
            .collect(engine="streaming")
        )
        found = asked.join(events, on=[PARTITION, OFFSET], how="left", maintain_order="left")
        there = found["there"].is_not_null()
        columns, valid = event_columns(self._source, found.filter(there), names)
        return FoundEvents(there.to_numpy(), columns, valid)

    def among(self, number: int, holes: Sequence[Hole]) -> list[Hole]:
        """Those offsets of a partition that lie in holes and have an event, as ranges."""
        first = np.array([hole[0] for hole in holes], np.int64)
        past = np.array([hole[1] for hole in holes], np.int64) + 1
        found = [np.empty(0, np.int64)]
        for start in range(int(first[0]), min(int(past[-1]), self._past(number)), _OFFSETS_AT_ONCE):
            mine = (pl.col(PARTITION) == number) & pl.col(OFFSET).is_between(start, start + _OFFSETS_AT_ONCE - 1)
            offsets = self._table.scan().filter(mine).select(pl.col(OFFSET).cast(pl.Int64)).collect()[OFFSET].to_numpy()
            hole = np.searchsorted(first, offsets, side="right") - 1
            found.append(np.sort(offsets[(hole >= 0) & (offsets < past[hole])]))
        offsets = np.concatenate(found)
        runs = np.split(offsets, np.flatnonzero(np.diff(offsets) > 1) + 1) if len(offsets) else []
        return [(int(run[0]), int(run[-1])) for run in runs]

    def why_absent(self, place: Partition, offset: int) -> Cause:
        """Why there is no event at a position."""
        stored, at = self._stored, f"{named(place)} offset {offset}"
        archived, kept = stored.archived(place), stored.partition(place)
        if archived is not None and archived < offset:
            return UNARCHIVED_EVENTS, f"{named(place)} is archived up to offset {archived}, and the event has {offset}"
        if stored.kept_us(place[0]) and (not len(kept.offsets) or offset < kept.offsets[0]):
            return DELETED_EVENTS, f"retention has deleted {at}"
        if any(first <= offset < past for _, first, past in stored.gaps(place)):
            return LOST_EVENTS, f"{at} was gone before it was archived"
        if np.isin(offset, kept.dead):
            return MISSING_EVENT, f"{at} is a dead letter of the archive, and it was scored as an event"
        if stored.erasures(place[0]):
            return ERASED_EVENTS, f"{at} has no event, and events of the topic were erased"
        return MISSING_EVENT, f"the archive has no event at {at}, and does not say that one was deleted, lost or erased"

    def _past(self, number: int) -> int:
        """The offset behind the last event of a partition."""
        return self.ends.get(number, -1) + 1

    @cached_property
    def ends(self) -> Mapping[int, int]:
        """The last event of each partition that has any."""
        ends = self._table.scan().group_by(PARTITION).agg(pl.col(OFFSET).max()).collect(engine="streaming")
        return dict(ends.iter_rows())
