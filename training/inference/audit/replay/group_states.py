"""The states of one group's entities, as rows read them; the next rows begin there, and apply what came since.

An entity has a state of its own in each life of its shard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import EntityKeys, shards_of
from shared_features.kernel.replay import replay
from shared_features.kernel.tile_state import TileState
from training.inference.audit.replay.read_shards import Ended, ReadShards
from training.inference.audit.replay.shard_lives import Int64, Vector
from training.inference.audit.replay.stored_events import StoredEvents

_LIVES = 1 << 31
_SPARSE = 16  # numbers for each state, from which on they are searched for
Bools = NDArray[np.bool_]


class GroupStates:
    """`begin` with rows, take the `values` of some entities after the others, and `end`. Entities are numbers."""

    def __init__(self, group: FeatureGroup) -> None:
        self._group = group
        self.forget()

    def forget(self) -> None:
        """All that was applied."""
        self._state = TileState(self._group.layout)
        self._number(np.empty(0, np.int64))  # of each state, by entity and life
        self._slots = np.empty(0, np.int64)
        self._is_new = np.empty(0, np.bool_)
        self._ended: Mapping[int, Ended] = {}
        self._unused = 0

    @property
    def nbytes(self) -> int:
        return self._state.nbytes

    @property
    def entities(self) -> Int64:
        """Those that have a state, each once."""
        return np.unique(self._codes // _LIVES)

    def begin(self, vectors: Sequence[tuple[int, Vector]], asked: Int64, as_of_us: Int64) -> ReadShards:
        """The shards of rows. asked, as_of_us: of each row which vector it was read at, -1 for none, and as of when."""
        self._is_new[:] = False
        return ReadShards(vectors, asked, as_of_us, self._ended, self._unused)

    def end(self, shards: ReadShards) -> None:
        """Of each shard the states of one life are kept."""
        self._ended, self._unused = shards.ended, shards.unused
        self._release(~np.isin(self._codes % _LIVES, [each.number for each in self._ended.values()]))

    def keep(self, entities: Int64) -> None:
        """The states of some entities alone. A shard where none is left is as if nobody had asked for it."""
        self._release(~np.isin(self._codes // _LIVES, entities))
        lives = {*np.unique(self._codes % _LIVES).tolist()}
        self._ended = {shard: each for shard, each in self._ended.items() if each.number in lives}

    def forget_new(self) -> None:
        """The states that these rows added."""
        self._release(self._is_new)

    def shrink(self) -> None:
        """Give back the memory of what was forgotten."""
        self._state = self._state.part(self._slots)
        self._slots = np.arange(len(self._slots))

    def continued(self, shards: ReadShards) -> Int64:
        """The entities with a state in a life that continues with these rows, each once."""
        return np.unique(self._codes[np.isin(self._codes % _LIVES, shards.continued)] // _LIVES)

    def known(self, shards: ReadShards, entity: Int64, vector: Int64) -> Bools:
        """bool of each row: whether its state has what its life held at the end of the rows before."""
        return self._find(_code(entity, shards.life_of[vector]))[1]

    def values(
        self,
        shards: ReadShards,
        entity: Int64,
        vector: Int64,
        as_of_us: Int64,
        stored: Sequence[StoredEvents],
        numbers: Callable[[EntityKeys], Int64],
    ) -> NDArray[np.float64]:
        """float64[n, features of the group]: of rows of some entities.

        stored: all that their lives hold, or what is new in them where each of the states is known. numbers: of
        entities by their keys.
        """
        codes = _code(entity, shards.life_of[vector])
        self._add(np.unique(codes))
        slots = self._slots[self._find(codes)[0]]
        parts = [self._updates(each, shards, numbers) for each in stored]
        updated, places, event_time_us, digest, values, valid = map(np.concatenate, zip(*parts, strict=True))
        read_at = shards.place_of[vector]
        return replay(self._state, updated, places, event_time_us, digest, values, valid, slots, read_at, as_of_us)

    def _updates(
        self, stored: StoredEvents, shards: ReadShards, numbers: Callable[[EntityKeys], Int64]
    ) -> tuple[NDArray[Any], ...]:
        """Slots, places and columns of the events of one source."""
        events = stored.events
        shard = shards_of(events.keys, self._group.shards) if len(events) else np.empty(0, np.int64)
        first = shards.first_places(stored, shard)
        at, there = self._find(_code(numbers(events.keys)[first.event], first.life))
        some = np.flatnonzero(there)
        some = some[(first.is_new[some] == 1) | self._is_new[at[some]]]
        of = first.event[some]
        columns = events.event_time_us, events.digest, events.values, events.valid
        return self._slots[at[some]], first.place[some], *(column[of] for column in columns)

    def _find(self, codes: Int64) -> tuple[Int64, Bools]:
        """Where the state of each is, and whether there is one."""
        if not len(self._codes):
            return np.zeros(len(codes), np.int64), np.zeros(len(codes), np.bool_)
        at = self._firsts[np.clip(codes // _LIVES - self._codes[0] // _LIVES, 0, len(self._firsts) - 1)]
        there = self._codes[at] == codes
        others = np.flatnonzero(~there)  # most entities have one state, the first
        at[others] = np.minimum(np.searchsorted(self._codes, codes[others]), len(self._codes) - 1)
        there[others] = self._codes[at[others]] == codes[others]
        return at, there

    def _add(self, codes: Int64) -> None:
        """codes: those that are asked for, each once."""
        new = codes[~self._find(codes)[1]]
        if not len(new):
            return
        both = np.concatenate([self._codes, new])
        order = np.argsort(both, kind="stable")
        self._slots = np.concatenate([self._slots, self._state.add(len(new))])[order]
        self._is_new = np.concatenate([self._is_new, np.ones(len(new), np.bool_)])[order]
        self._number(both[order])

    def _release(self, chosen: Bools) -> None:
        if not chosen.any():
            return
        self._state.release(self._slots[chosen])
        kept = ~chosen
        self._slots, self._is_new = self._slots[kept], self._is_new[kept]
        self._number(self._codes[kept])

    def _number(self, codes: Int64) -> None:
        """codes: those of all states, sorted."""
        self._codes, entity = codes, codes // _LIVES
        wide = int(entity[-1] - entity[0]) + 1 if len(codes) else 0
        self._firsts = np.zeros(wide if wide <= _SPARSE * len(codes) else 1, np.int64)
        if wide and len(self._firsts) == wide:
            self._firsts[entity[::-1] - entity[0]] = np.arange(len(codes))[::-1]


def _code(entity: Int64, life: Int64) -> Int64:
    return entity * _LIVES + life
