"""What a feature group sees of a batch of events: which rows, whose, and the values the kernel takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import Condition, FeatureGroup
from shared_features.definitions.sources.condition import COMPARED
from shared_features.formats.entity_keys import EntityKeys, entity_keys
from shared_features.formats.events import EventBatch
from shared_features.kernel.hashing import text_codes
from shared_features.kernel.layout import Layout


@dataclass(frozen=True)
class GroupEvents:
    """`m` rows of a batch as the kernel takes them; `rows` are their indices in the batch.

    digest: of the event among all events of the group. Where the group has several sources, the source is part of it.
    """

    rows: NDArray[np.int64]
    keys: EntityKeys
    event_time_us: NDArray[np.int64]
    digest: NDArray[np.uint64]
    values: NDArray[np.int64]
    valid: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)


def group_events(group: FeatureGroup, batch: EventBatch) -> GroupEvents:
    """The events of a batch that a group takes: acceptable, meeting its conditions, and not older than its windows.

    Too old is a matter of the record alone: `event_time < floor(record_time - length, hop)` for every window.
    """
    mask = batch.acceptable & _not_too_old(group, batch)
    for condition in group.where:
        mask &= meets(condition, batch)
    rows = np.flatnonzero(mask)
    taken = batch if len(rows) == len(batch) else batch.take(rows)
    named = batch.digest if len(group.sources) == 1 else batch.digest_among_sources
    digest = named if taken is batch else named[rows]
    keys = entity_keys(group.entity, batch.source, taken.columns)
    values, valid = _kernel_columns(group, taken)
    return GroupEvents(rows, keys, taken.event_time_us, digest, values, valid)


def effects_us(arrival_us: NDArray[np.int64], event_time_us: NDArray[np.int64], lag_us: int) -> NDArray[np.int64]:
    """The instant from which a read may see each event, as served."""
    return np.maximum(arrival_us + lag_us, event_time_us + 1)


def _not_too_old(group: FeatureGroup, batch: EventBatch) -> NDArray[np.bool_]:
    # Every window reaches back its length at least. So the horizon need not be known for events within the longest one.
    recent: NDArray[np.bool_] = batch.event_time_us >= batch.record_time_us - _longest_window_us(group.layout)
    return recent if recent.all() else batch.event_time_us >= horizon_us(group, batch.record_time_us)


@lru_cache(maxsize=256)
def _longest_window_us(layout: Layout) -> int:
    return max(feature.length_us for feature in layout.features)


def horizon_us(group: FeatureGroup, record_time_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64[n]: the earliest event time that any window of the group could still read at the record's time."""
    windows = {(spec.length_us, spec.hop_us) for spec in group.layout.features}
    floors = [(record_time_us - length) // hop * hop for length, hop in windows]
    horizon: NDArray[np.int64] = np.minimum.reduce(floors)
    return horizon


def meets(condition: Condition, batch: EventBatch) -> NDArray[np.bool_]:
    """bool[n]: the events for which a condition holds. It does not hold where its column is missing."""
    field = batch.source.field(condition.column)
    column = batch.columns[condition.column]
    wanted = condition.value if isinstance(condition.value, str) else _in_steps(condition.value, field.scale)
    met = np.asarray(COMPARED[condition.operator](column, wanted), np.bool_)
    return met & batch.valid[condition.column] if condition.column in batch.valid else met


def _in_steps(value: float, scale: int) -> float:
    """A number of a condition in steps: a whole number, or the middle of the two steps that it lies between.

    A float stands for its shortest text. Digits far below a step are taken for an error of the arithmetic before.
    """
    steps = round(Fraction(repr(float(value))) * scale, 6)
    return int(steps) if steps.denominator == 1 else math.floor(steps) + 0.5


def _kernel_columns(group: FeatureGroup, batch: EventBatch) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    values = np.zeros((len(batch), len(group.columns)), np.int64)
    valid = np.ones((len(batch), len(group.columns)), np.bool_)
    for index, name in enumerate(group.columns):
        column = batch.columns[name]
        values[:, index] = text_codes(column.tolist()) if batch.source.field(name).is_text else column
        if name in batch.valid:
            valid[:, index] = batch.valid[name]
    return values, valid
