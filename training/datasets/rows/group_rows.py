"""The feature rows of one group of a view: where each is in its table, and of which event it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from shared_features.formats.offline_tables import POSITION
from training.datasets.offline_store import LINE
from training.datasets.pinned_view import EVENT_TIME, PinnedView
from training.datasets.rows.position_index import PositionIndex

_COPY = "copy"


@dataclass(frozen=True)
class GroupRows:
    """`n` complete rows in the order of their table. line: where each is among all rows of the table.

    copy: whether an earlier position holds the same event.
    """

    line: NDArray[np.uint32]
    partition: NDArray[np.int32]
    offset: NDArray[np.int64]
    event_time_us: NDArray[np.int64]
    copy: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.offset)

    @cached_property
    def index(self) -> PositionIndex:
        return PositionIndex(self.partition, self.offset)

    def within(self, span: tuple[int, int]) -> GroupRows:
        """Those with an event time in a span."""
        inside = (self.event_time_us >= span[0]) & (self.event_time_us < span[1])
        if inside.all():
            return self
        rows = np.flatnonzero(inside)
        return GroupRows(
            self.line[rows], self.partition[rows], self.offset[rows], self.event_time_us[rows], self.copy[rows]
        )

    def lies_as(self, other: GroupRows) -> bool:
        """Whether the rows of two groups have the same positions, one by one."""
        return np.array_equal(self.offset, other.offset) and np.array_equal(self.partition, other.partition)


def group_rows(pinned: PinnedView, group: FeatureGroup, span: tuple[int, int] | None = None) -> GroupRows:
    """The complete rows of a group: all, or those with an event time in a span."""
    rows = pinned.groups[group.part_name].numbered().filter(pinned.complete())
    if span is not None:
        rows = rows.filter((pl.col(EVENT_TIME) >= span[0]) & (pl.col(EVENT_TIME) < span[1]))
    found = rows.select(LINE, *POSITION, EVENT_TIME, _COPY).collect()
    return GroupRows(*(found[name].to_numpy() for name in found.columns))
