"""Reads stored features of one group: which keys hold the entities of rows, and what their bytes say of each row."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_keys import EntityKeys, shards_of
from shared_features.formats.entity_reader import EntityReader
from shared_features.stored_features.exact_instant import exact_from_us
from shared_features.stored_features.feature_age import FeatureAge
from shared_features.stored_features.shards import Shard, ShardFacts
from shared_features.stored_features.told import Told

Values = Sequence[bytes | None]
"""What one read gave: a value for each of its keys, None where there is none."""


@dataclass(frozen=True, slots=True)
class GroupRows:
    """What one group says of each row. Where `problems` has a sentence, the features are NaN.

    unreadable: whether the bytes of the entity, or of its shard's meta, are damaged; then there is a problem too.
    exact_from_us: where the row's instant is too early, the first that is not; else None.
    """

    group: FeatureGroup
    facts: Sequence[ShardFacts | None]
    problems: Sequence[str | None]
    unreadable: Sequence[bool]
    ages_s: Sequence[float | None]
    missing: Sequence[bool]
    exact_from_us: Sequence[int | None]

    @property
    def name(self) -> str:
        return self.group.part_name


class GroupReader:
    """One group: its shards, and the reader of its entities."""

    def __init__(self, group: FeatureGroup, namespace: str, told: Told) -> None:
        self.group = group
        self.shards = [Shard(namespace, group, number, told) for number in range(group.shards)]
        self._entities = EntityReader(group.layout)
        self._told = told
        self._age = FeatureAge(group)

    def plan(self, keys: EntityKeys, texts: list[bytes], reads: list[list[bytes]]) -> list[tuple[Shard, int, int]]:
        """Append this group's reads; where each row's entity will be."""
        of_shard: dict[int, int] = {}
        places = []
        for text, number in zip(texts, shards_of(keys, self.group.shards).tolist(), strict=True):
            shard = self.shards[number]
            if number not in of_shard:
                of_shard[number] = len(reads)
                reads.append([shard.meta_key])
            index = of_shard[number]
            places.append((shard, index, len(reads[index])))
            reads[index].append(shard.entity_prefix + text)
        return places

    def compute(
        self,
        reads: Sequence[Sequence[bytes]],
        places: list[tuple[Shard, int, int]],
        values: Sequence[Values],
        as_of_us: NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], GroupRows]:
        """float64[n, features of the group], and what the group says of the rows."""
        facts = [shard.facts(values[index][0]) for shard, index, _ in places]
        problems, unreadable = [each.problem for each in facts], [each.unreadable for each in facts]
        keys = [reads[index][place] for _, index, place in places]
        stored = [
            None if problem else values[index][place]
            for (_, index, place), problem in zip(places, problems, strict=True)
        ]
        floats, found, newest_us, before_us, damaged = self._entities.read(
            keys, stored, [each.build_id for each in facts], as_of_us
        )
        for row, error in damaged.items():
            unreadable[row], problems[row] = True, self._damaged(keys[row], places[row][0], error)
        now_us = time.time_ns() // 1000
        ages: list[float | None] = []
        early: list[int | None] = []
        for row, instant_us in enumerate(as_of_us.tolist()):
            exact_us = exact_from_us(self.group, newest_us[row], facts[row], now_us)
            early.append(exact_us if instant_us < exact_us else None)
            ages.append(self._age.seconds(newest_us[row], before_us[row], instant_us, floats[row]))
        if any(problems):
            floats[[problem is not None for problem in problems]] = np.nan
        missing = [not there and problem is None for there, problem in zip(found, problems, strict=True)]
        return floats, GroupRows(self.group, facts, problems, unreadable, ages, missing, early)

    def _damaged(self, key: bytes, shard: Shard, error: str) -> str:
        """The problem of an entity whose state cannot be read."""
        name, meta = key.decode(errors="backslashreplace"), shard.meta_key.decode()
        self._told.unreadable_state(key, shard.meta_key, error)
        return (
            f"an entity of {self.group.label} cannot be read. {error} To rebuild it at once, delete the keys {name!r} "
            f"and {meta!r} in Redis while the stream job runs."
        )
