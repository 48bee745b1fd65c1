"""Stored features again, from the events in the lake that a position vector holds, and no other.

The state of an entity is a function of the events that its shard had applied. So each row is read from the state of
exactly those events. The vectors of one shard grow along its life, so its events are applied once, in the order in
which its vectors first hold them. A shard that was rolled back has several lives, and each is replayed alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureGroup
from shared_features.formats.entity_keys import EntityKeys, key_texts, shards_of
from shared_features.formats.events import EventBatch
from shared_features.formats.offline_tables import OFFSET, PARTITION, RECORD_TIME
from shared_features.group_events import GroupEvents, group_events
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from training.datasets.offline_store import OfflineStore, event_columns
from training.inference.logged_rows import Vector


@dataclass(frozen=True)
class AskedRows:
    """`n` rows of one group: whose, as of when, and up to which positions; None where nothing of it could be read."""

    keys: EntityKeys
    key_columns: Mapping[str, NDArray[Any]]
    as_of_us: NDArray[np.int64]
    vectors: Sequence[Vector | None]


@dataclass(frozen=True)
class _Stored:
    """Events of one source that the group takes, with their positions."""

    source: EventSource
    events: GroupEvents
    keys: list[str]
    shards: NDArray[np.int64]
    partition: NDArray[np.int64]
    offset: NDArray[np.int64]


def values_at_vectors(store: OfflineStore, group: FeatureGroup, asked: AskedRows) -> NDArray[np.float64]:
    """float64[n, features of the group]; NaN where nothing could be read."""
    values = np.full((len(asked.as_of_us), len(group.features)), np.nan)
    if not len(values):
        return values
    texts, shards = key_texts(asked.keys), shards_of(asked.keys, group.shards)
    stored = [_stored(store, group, source, asked) for source in group.sources]
    for shard in np.unique(shards).tolist():
        rows = [row for row in np.flatnonzero(shards == shard).tolist() if asked.vectors[row] is not None]
        for life in _lives([asked.vectors[row] or {} for row in rows]):
            places = {_frozen(vector): place for place, vector in enumerate(life)}
            mine = [row for row in rows if _frozen(asked.vectors[row] or {}) in places]
            at = np.array([places[_frozen(asked.vectors[row] or {})] for row in mine], np.int64)
            values[mine] = _replayed(group, stored, shard, life, [texts[row] for row in mine], asked.as_of_us[mine], at)
    return values


def _replayed(
    group: FeatureGroup,
    stored: Sequence[_Stored],
    shard: int,
    life: Sequence[Vector],
    keys: list[str],
    as_of_us: NDArray[np.int64],
    at: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The values of rows, each read at its place in the life of the shard."""
    state = TileState(group.layout)
    known = dict.fromkeys(keys)
    slot_of = dict(zip(known, state.add(len(known)).tolist(), strict=True))
    parts = [_steps(each, shard, life, slot_of) for each in stored]
    steps = np.concatenate([each[0] for each in parts])
    order = np.argsort(steps, kind="stable")
    slots, times, digests, values, valid = (
        np.concatenate([each[column] for each in parts])[order] for column in range(1, 6)
    )
    ends = np.searchsorted(steps[order], np.arange(len(life)), side="right")
    wanted = np.array([slot_of[key] for key in keys], np.int64)
    found, begin = np.empty((len(keys), len(group.features))), 0
    for place in np.unique(at).tolist():
        end = int(ends[place])
        if end > begin:
            span = slice(begin, end)
            apply(state, slots[span], times[span], digests[span], values[span], valid[span])
            begin = end
        rows = np.flatnonzero(at == place)
        found[rows] = read(state, wanted[rows], as_of_us[rows])
    return found


def _steps(each: _Stored, shard: int, life: Sequence[Vector], slot_of: Mapping[str, int]) -> tuple[NDArray[Any], ...]:
    """Of the events of these entities in one shard: the first place in its life that holds each, and its columns."""
    rows = [row for row in np.flatnonzero(each.shards == shard).tolist() if each.keys[row] in slot_of]
    first = np.full(len(rows), len(life), np.int64)
    partition, offset = each.partition[rows], each.offset[rows]
    for number in np.unique(partition).tolist():
        held = np.array([_offset(vector, each.source.topic, number) for vector in life], np.int64)
        mine = partition == number
        first[mine] = np.searchsorted(held, offset[mine], side="left")
    inside = first < len(life)
    taken = np.array(rows, np.int64)[inside]
    slots = np.array([slot_of[each.keys[row]] for row in taken.tolist()], np.int64)
    events = each.events
    columns = events.event_time_us, events.digest, events.values, events.valid
    return first[inside], slots, *(column[taken] for column in columns)


def _offset(vector: Vector, topic: str, partition: int) -> int:
    """The last offset of a partition. A topic that was re-created has an id for each life; the last one counts."""
    return max((at for (name, _, number), at in vector.items() if (name, number) == (topic, partition)), default=-1)


def _frozen(vector: Vector) -> frozenset[tuple[Any, int]]:
    return frozenset(vector.items())


def _lives(vectors: Sequence[Vector]) -> list[list[Vector]]:
    """The vectors, each once, in chains along which no offset falls."""
    distinct = sorted({_frozen(each): each for each in vectors}.values(), key=lambda each: sum(each.values()))
    lives: list[list[Vector]] = []
    for vector in distinct:
        fitting = next((life for life in lives if _is_later(vector, life[-1])), None)
        if fitting is None:
            lives.append([vector])
        else:
            fitting.append(vector)
    return lives


def _is_later(vector: Vector, before: Vector) -> bool:
    return all(vector.get(partition, -1) >= offset for partition, offset in before.items())


def _stored(store: OfflineStore, group: FeatureGroup, source: EventSource, asked: AskedRows) -> _Stored:
    """The events of the asked entities that can reach a window of a row."""
    table = store.pin_events(source)
    names = [field.name for field in source.fields]
    kinds = {"boolean": pl.Boolean, "text": pl.String, "integer": pl.Int64}
    wanted = pl.DataFrame(
        {
            name: pl.Series(column.tolist(), dtype=kinds[source.field(name).type.storage])
            for name, column in asked.key_columns.items()
        }
    ).unique()
    frame = (
        table.scan()
        .select(PARTITION, OFFSET, RECORD_TIME, *names)
        .join(wanted.lazy(), on=list(group.entity.keys), how="semi")
        .collect()
        .sort(PARTITION, OFFSET)
    )
    columns, valid = event_columns(source, frame, names)
    columns = {name: np.array(column) for name, column in columns.items()}  # what comes from Arrow is read-only
    events = group_events(group, EventBatch(source, columns, valid, np.array(frame[RECORD_TIME].to_numpy())))
    positions = frame.select(pl.col(PARTITION, OFFSET).cast(pl.Int64)).to_numpy()[events.rows]
    shards = shards_of(events.keys, group.shards) if len(events) else np.empty(0, np.int64)
    return _Stored(source, events, key_texts(events.keys), shards, positions[:, 0], positions[:, 1])
