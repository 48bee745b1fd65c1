"""Stored features again, from the events in the lake that a position vector holds, and no other.

The state of an entity is a function of the events that its shard had applied. So each row is read from the state of
exactly those events. The vectors of one shard grow along its life, so its events are applied once, in the order in
which its vectors first hold them. Each life of a shard has states of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import EntityKeys, shards_of
from shared_features.kernel.replay import replay
from shared_features.kernel.tile_state import TileState
from training.datasets.history.entity_slices import entity_slices
from training.inference.audit.replay.own_threads import on_own_threads
from training.inference.audit.replay.shard_lives import Int64, Life, Vector, lives
from training.inference.audit.replay.stored_events import History, ReadEvents, StoredEvents


@dataclass(frozen=True)
class AskedRows:
    """`n` rows of some groups of one entity: whose, as of when, and up to which positions.

    keys: of each row, and the same as the columns of a table. chosen: by the name of a group's part which of `vectors`;
    -1 where nothing of the row could be read. vectors: shard and positions.
    """

    keys: EntityKeys
    key_columns: pl.DataFrame
    as_of_us: Int64
    chosen: Mapping[str, Int64]
    vectors: Sequence[tuple[int, Vector]]


def values_at_vectors(history: History, asked: AskedRows, events_at_once: int) -> dict[str, NDArray[np.float64]]:
    """By the name of a group's part float64[n, features of the group]; NaN where nothing could be read.

    The groups of the history share what is read of the lake. events_at_once: how many events are in memory at most,
    where no entity alone has more.
    """
    groups = {each.part_name: each for each in history.groups}
    values = {name: np.full((len(asked.as_of_us), len(each.features)), np.nan) for name, each in groups.items()}
    rows = np.flatnonzero(np.any([asked.chosen[name] >= 0 for name in groups], axis=0))
    if not len(rows):
        return values
    shards = {name: _Shards(asked.vectors, asked.chosen[name]) for name in groups}
    earliest_us, sources = int(asked.as_of_us[rows].min()), history.groups[0].sources
    reached = [history.reached(each, earliest_us, _ends(shards.values(), each.topic)) for each in sources]
    keys = pl.Series("key", asked.keys)
    for some in entity_slices(asked.key_columns[rows], reached, events_at_once):
        entities = asked.key_columns[rows[some]].unique()
        events = [ReadEvents(source, frame, entities) for source, frame in zip(sources, reached, strict=True)]

        def fill(name: str, among: Int64 = rows[some], events: Sequence[ReadEvents] = events) -> None:
            mine, chosen = among[asked.chosen[name][among] >= 0], asked.chosen[name]
            stored = [each.of(groups[name]) for each in events]
            values[name][mine] = _replayed(
                groups[name], stored, shards[name], keys[mine], asked.as_of_us[mine], chosen[mine]
            )  # fmt: skip

        on_own_threads(fill, groups)
    return values


def _ends(shards: Iterable[_Shards], topic: str) -> Mapping[int, int]:
    """partition of a topic -> the last offset that any vector of any group holds."""
    ends: dict[int, int] = {}
    for each in shards:
        for partition, end in each.ends(topic).items():
            ends[partition] = max(end, ends.get(partition, end))
    return ends


class _Shards:
    """The lives of the shards that vectors are of, numbered from 0 over all shards."""

    def __init__(self, vectors: Sequence[tuple[int, Vector]], asked: Int64) -> None:
        """asked: which of the vectors count; -1: none."""
        self.life_of, self.place_of = np.full(len(vectors), -1), np.full(len(vectors), -1)
        self._lives: list[Life] = []
        self._numbers: dict[int, list[int]] = {}
        by_shard: dict[int, list[int]] = {}
        for at in np.unique(asked[asked >= 0]).tolist():
            by_shard.setdefault(vectors[at][0], []).append(at)
        for shard, members in by_shard.items():
            for life in lives([vectors[at][1] for at in members]):
                chosen = np.array(members)[life.members]
                self.life_of[chosen], self.place_of[chosen] = len(self._lives), np.arange(len(chosen))
                self._numbers.setdefault(shard, []).append(len(self._lives))
                self._lives.append(life)

    def __len__(self) -> int:
        return len(self._lives)

    def ends(self, topic: str) -> Mapping[int, int]:
        """partition of a topic -> the last offset that any vector holds."""
        numbers = {number for life in self._lives for name, _, number in life.positions if name == topic}
        return {number: max(int(life.held(topic, number).max()) for life in self._lives) for number in numbers}

    def first_places(self, stored: StoredEvents, shards: Int64) -> tuple[Int64, Int64, Int64]:
        """Event, life, and the first place in it that holds the event; one column for each life that does."""
        found = [np.empty((3, 0), np.int64), *self._first_places(stored, shards)]
        events, numbers, places = np.concatenate(found, axis=1)
        return events, numbers, places

    def _first_places(self, stored: StoredEvents, shards: Int64) -> Iterator[Int64]:
        order = np.lexsort((stored.partition, shards))
        ends = np.flatnonzero(np.diff(shards[order]) | np.diff(stored.partition[order])) + 1
        for some in np.split(order, ends) if len(order) else ():
            partition, offset = int(stored.partition[some[0]]), stored.offset[some]
            for number in self._numbers.get(int(shards[some[0]]), ()):
                held = self._lives[number].held(stored.source.topic, partition)
                places = np.searchsorted(held, offset, side="left")
                inside = places < len(held)
                yield np.stack([some[inside], np.full(np.count_nonzero(inside), number), places[inside]])


def _replayed(
    group: FeatureGroup,
    stored: Sequence[StoredEvents],
    shards: _Shards,
    keys: pl.Series,
    as_of_us: Int64,
    vector: Int64,
) -> NDArray[np.float64]:
    """The values of rows, each read at its place in a life of its shard."""
    entities = pl.DataFrame({"key": keys}).unique(maintain_order=True).with_row_index("entity")
    life, place = shards.life_of[vector], shards.place_of[vector]
    states, read_slots = np.unique(_entity(entities, keys) * len(shards) + life, return_inverse=True)
    state = TileState(group.layout)
    state.add(len(states))
    parts = [_updates(group, each, shards, entities, states) for each in stored]
    slots, places, event_time_us, digest, values, valid = (np.concatenate(each) for each in zip(*parts, strict=True))
    return replay(state, slots, places, event_time_us, digest, values, valid, read_slots, place, as_of_us)


def _updates(
    group: FeatureGroup, stored: StoredEvents, shards: _Shards, entities: pl.DataFrame, states: Int64
) -> tuple[NDArray[Any], ...]:
    """Slots, places and columns of the events of one source. states: entity and life of each slot, sorted."""
    events = stored.events
    shard = shards_of(events.keys, group.shards) if len(events) else np.empty(0, np.int64)
    of, life, place = shards.first_places(stored, shard)
    entity = _entity(entities, pl.Series("key", events.keys, entities.schema["key"]))
    wanted = entity[of] * len(shards) + life
    slots = np.minimum(np.searchsorted(states, wanted), len(states) - 1)
    there = states[slots] == wanted
    of = of[there]
    columns = events.event_time_us, events.digest, events.values, events.valid
    return slots[there], place[there], *(column[of] for column in columns)


def _entity(entities: pl.DataFrame, keys: pl.Series) -> Int64:
    """The number of the entity of each key."""
    found = keys.to_frame("key").join(entities, on="key", how="left", maintain_order="left")
    return found["entity"].cast(pl.Int64).to_numpy()
