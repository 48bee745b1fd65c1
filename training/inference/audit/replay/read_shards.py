"""The shards that some rows were read from, and where in their lives each event first counts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from training.inference.audit.replay.shard_lives import Int64, Life, Vector, lives
from training.inference.audit.replay.stored_events import StoredEvents


class Ended(NamedTuple):
    """A life of a shard that may continue: its number, the vector up to which it has come, and as of when the last row
    is that was read at it.
    """

    number: int
    vector: Vector
    as_of_us: int

    def held(self, topic: str, partition: int) -> int:
        """The last offset of a partition, as `Life.held` has it."""
        own = (offset for (name, _, number), offset in self.vector.items() if (name, number) == (topic, partition))
        return max(own, default=-1)

    def is_held_by(self, vector: Vector) -> bool:
        return all(vector.get(position, -1) >= offset for position, offset in self.vector.items())


class FirstPlaces(NamedTuple):
    """One for each event and life that holds it. place: the first in the life that does. is_new: 1 where the life did
    not hold it yet at the end of the rows before, else 0.
    """

    event: Int64
    life: Int64
    place: Int64
    is_new: Int64


class ReadShards:
    """The lives of the shards that some vectors are of, by number. One that continues has the number that it had.

    life_of, place_of: int64[vectors], the life of each, and its place there; -1 where it does not count.
    """

    def __init__(
        self,
        vectors: Sequence[tuple[int, Vector]],
        asked: Int64,
        as_of_us: Int64,
        ended: Mapping[int, Ended],
        unused: int,
    ) -> None:
        """asked, as_of_us: of each row which vector it was read at, -1 for none, and as of when it is. ended: by shard.
        unused: the first number that no life has.
        """
        self.life_of, self.place_of = np.full(len(vectors), -1), np.full(len(vectors), -1)
        self._latest_us = np.zeros(len(vectors), np.int64)
        np.maximum.at(self._latest_us, asked[asked >= 0], as_of_us[asked >= 0])
        self._vectors, self._before, self._unused = vectors, ended, unused
        self._lives: dict[int, Life] = {}
        self._numbers: dict[int, list[int]] = {}
        self._continued: dict[int, Ended] = {}
        by_shard: dict[int, list[int]] = {}
        for at in np.unique(asked[asked >= 0]).tolist():
            by_shard.setdefault(vectors[at][0], []).append(at)
        for shard, members in by_shard.items():
            before = ended.get(shard)
            later = [at for at in members if before is not None and before.is_held_by(vectors[at][1])]
            self._add(shard, later, before)
            self._add(shard, sorted({*members} - {*later}), None)

    @property
    def unused(self) -> int:
        """The first number that no life has."""
        return self._unused

    @property
    def ended(self) -> dict[int, Ended]:
        """By shard the life that the latest row was read at: one that was rolled back continues from there."""
        found = {**self._before}
        for shard, numbers in self._numbers.items():
            others = [found[shard]] if shard in found and found[shard].number not in numbers else []
            found[shard] = max([*map(self._end, numbers), *others], key=lambda each: each.as_of_us)
        return found

    @property
    def continued(self) -> Int64:
        """The number of each life that does."""
        return np.array(list(self._continued), np.int64)

    def held(self, topic: str, partition: int) -> int:
        """Up to which offset of a partition all lives that continue had come before."""
        return min((each.held(topic, partition) for each in self._continued.values()), default=sys.maxsize)

    def ends(self, topic: str) -> Mapping[int, int]:
        """partition of a topic -> the last offset that any vector holds."""
        lives = self._lives.values()
        numbers = {number for life in lives for name, _, number in life.positions if name == topic}
        return {number: max(int(life.held(topic, number).max()) for life in lives) for number in numbers}

    def first_places(self, stored: StoredEvents, shards: Int64) -> FirstPlaces:
        """shards: of each event."""
        found = [np.empty((4, 0), np.int64), *self._first_places(stored, shards)]
        return FirstPlaces(*np.concatenate(found, axis=1))

    def _first_places(self, stored: StoredEvents, shards: Int64) -> Iterator[Int64]:
        topic, order = stored.source.topic, np.lexsort((stored.partition, shards))
        ends = np.flatnonzero(np.diff(shards[order]) | np.diff(stored.partition[order])) + 1
        for some in np.split(order, ends) if len(order) else ():
            partition, offset = int(stored.partition[some[0]]), stored.offset[some]
            for number in self._numbers.get(int(shards[some[0]]), ()):
                held = self._lives[number].held(topic, partition)
                places = np.searchsorted(held, offset, side="left")
                inside = places < len(held)
                before = self._continued[number].held(topic, partition) if number in self._continued else -1
                life = np.full(np.count_nonzero(inside), number)
                yield np.stack([some[inside], life, places[inside], offset[inside] > before])

    def _end(self, number: int) -> Ended:
        life_us = self._latest_us[self.life_of == number]
        before_us = self._continued[number].as_of_us if number in self._continued else 0
        return Ended(number, self._lives[number].last, max(before_us, int(life_us.max())))

    def _add(self, shard: int, members: Sequence[int], before: Ended | None) -> None:
        """The lives of some vectors of a shard; the first of them continues `before`."""
        for life in lives([self._vectors[at][1] for at in members]) if members else ():
            number = self._unused if before is None else before.number
            if before is None:
                self._unused += 1
            else:
                self._continued[number], before = before, None
            chosen = np.array(members)[life.members]
            self.life_of[chosen], self.place_of[chosen] = number, np.arange(len(chosen))
            self._numbers.setdefault(shard, []).append(number)
            self._lives[number] = life
