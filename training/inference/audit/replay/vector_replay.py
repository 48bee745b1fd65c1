"""Stored features again, from the events in the lake that a position vector holds, and no other.

The state of an entity is a function of the events that its shard had applied. So each row is read from the state of
exactly those events. The vectors of one shard grow along its life, so its events are applied once, in the order in
which its vectors first hold them: by the rows that come first. The next rows continue from their states.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import EventSource
from shared_features.formats.entity_keys import EntityKeys
from training.datasets.history.entity_slices import entity_slices
from training.inference.audit.replay.carried_entities import CarriedEntities
from training.inference.audit.replay.group_states import GroupStates
from training.inference.audit.replay.own_threads import on_own_threads
from training.inference.audit.replay.read_shards import ReadShards
from training.inference.audit.replay.replay_budget import ReplayBudget
from training.inference.audit.replay.shard_lives import Int64, Vector
from training.inference.audit.replay.stored_events import History, ReadEvents


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


class VectorReplay:
    """Of the groups of one history, which share what is read of the lake."""

    def __init__(self, history: History, events_at_once: int, budget: ReplayBudget) -> None:
        """events_at_once: how many events are in memory at most, where no entity alone has more. budget: what is
        carried counts there.
        """
        self._history, self._events_at_once, self._budget = history, events_at_once, budget
        self._groups = {each.part_name: each for each in history.groups}
        self._states = {name: GroupStates(each) for name, each in self._groups.items()}
        self._entities = CarriedEntities()
        self._since_us = 0
        budget.add(self)

    @property
    def nbytes(self) -> int:
        """Of what is carried."""
        return self._entities.nbytes + sum(each.nbytes for each in self._states.values())

    @property
    def oldest_us(self) -> int | None:
        return self._entities.oldest_us

    def evict_half(self) -> None:
        self._keep(self._entities.all[(len(self._entities.all) + 1) // 2 :])
        for each in self._states.values():
            each.shrink()

    def values(self, asked: AskedRows) -> dict[str, NDArray[np.float64]]:
        """By the name of a group's part float64[n, features of the group]; NaN where nothing could be read."""
        size = len(asked.as_of_us)
        found = {name: np.full((size, len(each.features)), np.nan) for name, each in self._groups.items()}
        rows = np.flatnonzero(np.any([asked.chosen[name] >= 0 for name in self._groups], axis=0))
        if not len(rows):
            return found
        as_of_us, entity = asked.as_of_us[rows], np.full(size, -1)
        self._reach_back(int(as_of_us.min()))
        entity[rows] = self._entities.ask(
            pl.Series(asked.keys).gather(rows), asked.key_columns[rows], int(as_of_us.max())
        )
        shards = {
            name: each.begin(asked.vectors, asked.chosen[name], asked.as_of_us) for name, each in self._states.items()
        }
        for numbers, events in self._read(shards, self._unknown(asked, shards, entity)):
            among = rows[np.isin(entity[rows], numbers)]

            def fill(name: str, among: Int64 = among, events: Sequence[ReadEvents] = events) -> None:
                mine, chosen = among[asked.chosen[name][among] >= 0], asked.chosen[name]
                stored = [each.of(self._groups[name]) for each in events]
                given = entity[mine], chosen[mine], asked.as_of_us[mine]
                found[name][mine] = self._states[name].values(shards[name], *given, stored, self._entities.numbers)

            on_own_threads(fill, self._groups)
        for name, each in self._states.items():
            each.end(shards[name])
        self._keep(self._entities.asked_since(self._since_us))
        return found

    def _keep(self, entities: Int64) -> None:
        """Some of the entities alone, and of those the ones with a state."""
        for each in self._states.values():
            each.keep(entities)
        self._entities.keep(np.concatenate([each.entities for each in self._states.values()]))

    def _reach_back(self, earliest_us: int) -> None:
        """The states lack what is older than what rows before reached: rows that reach further begin again."""
        since_us = self._history.since_us(earliest_us)
        if since_us < self._since_us:
            self._entities = CarriedEntities()
            for each in self._states.values():
                each.forget()
        self._since_us = since_us

    def _unknown(self, asked: AskedRows, shards: Mapping[str, ReadShards], entity: Int64) -> Int64:
        """The entities of rows whose states are not all known."""
        unknown = []
        for name, states in self._states.items():
            mine = np.flatnonzero(asked.chosen[name] >= 0)
            unknown.append(entity[mine[~states.known(shards[name], entity[mine], asked.chosen[name][mine])]])
        return np.concatenate(unknown)

    def _read(self, shards: Mapping[str, ReadShards], unknown: Int64) -> Iterator[tuple[Int64, Sequence[ReadEvents]]]:
        """Entities, and their events of each source: of unknown ones all, of those that continue what is new."""
        numbers, key_columns = self._entities.all, self._entities.key_columns
        others = np.isin(numbers, unknown)
        known = np.concatenate([each.continued(shards[name]) for name, each in self._states.items()])
        new = np.isin(numbers, known) & ~others
        reached = self._reached(list(shards.values()), key_columns.filter(new), key_columns.filter(others))
        numbers, key_columns = numbers[new | others], key_columns.filter(new | others)
        for some in self._slices(key_columns, list(reached.values())):
            if self._budget.is_exceeded:
                for each in self._states.values():
                    each.forget_new()
                    each.shrink()
            yield numbers[some], [ReadEvents(source, frame, key_columns[some]) for source, frame in reached.items()]

    def _slices(self, key_columns: pl.DataFrame, reached: Sequence[pl.LazyFrame]) -> Iterable[Int64]:
        """Indices of entities."""
        if self._history.most(self._since_us) <= self._events_at_once:
            return [np.arange(len(key_columns))]
        return entity_slices(key_columns, reached, self._events_at_once)

    def _reached(
        self, shards: Sequence[ReadShards], known: pl.DataFrame, others: pl.DataFrame
    ) -> dict[EventSource, pl.LazyFrame]:
        """The events of each source: of known entities those that are new."""
        reached, keys = {}, known.columns
        for source in self._history.groups[0].sources:
            ends = _ends(shards, source.topic)
            held = {number: min(each.held(source.topic, number) for each in shards) for number in ends}
            parts = [
                self._history.reached(source, self._since_us, ends, since).join(some.lazy(), on=keys, how="semi")
                for some, since in ((known, held), (others, {}))
                if len(some)
            ]
            reached[source] = pl.concat(parts)
        return reached


def _ends(shards: Iterable[ReadShards], topic: str) -> dict[int, int]:
    """partition of a topic -> the last offset that any vector of any group holds."""
    ends: dict[int, int] = {}
    for each in shards:
        for partition, end in each.ends(topic).items():
            ends[partition] = max(end, ends.get(partition, end))
    return ends
