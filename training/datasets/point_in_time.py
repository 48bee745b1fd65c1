"""Joined rows: the events of a spine with the stored features of every group, all columns at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import EntityKeys
from training.datasets.pinned_view import PinnedView
from training.datasets.rows.joined_spine import JoinedSpine, join_spine
from training.datasets.rows.stored_columns import gathered
from training.progress import Tell, untold


@dataclass(frozen=True)
class JoinedRows:
    """`n` events of the spine with the stored features of every group, in order of position.

    request: field -> float64[n]. stored: part name of a group -> float64[n, features]. entities: entity name -> keys.
    copies: how many further positions held an event again and were left out.
    """

    partition: NDArray[np.int32]
    offset: NDArray[np.int64]
    event_time_us: NDArray[np.int64]
    request: Mapping[str, NDArray[np.float64]]
    stored: Mapping[str, NDArray[np.float64]]
    entities: Mapping[str, EntityKeys]
    copies: int


def read_spine_rows(pinned: PinnedView, start_us: int, end_us: int, tell: Tell = untold) -> JoinedRows:
    """The complete rows with `start_us <= event time < end_us`. Raises as `join_spine` does."""
    spine = join_spine(pinned, start_us, end_us, tell)
    return JoinedRows(
        partition=spine.partition,
        offset=spine.offset,
        event_time_us=spine.event_time_us,
        request=spine.request(),
        stored={group.part_name: _stored(spine, group) for group in pinned.view.groups},
        entities={each.entity.name: spine.entity_keys(each.entity.name) for each in pinned.view.groups},
        copies=spine.copies,
    )


def _stored(spine: JoinedSpine, group: FeatureGroup) -> NDArray[np.float64]:
    """float64[n, features of the group], column by column in memory."""
    values = np.empty((len(spine), len(group.features)), order="F")
    for at, floats in enumerate(gathered(spine, group.features)):
        values[:, at] = floats
    return values
