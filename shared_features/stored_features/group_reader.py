"""Reads stored features of one group: which keys hold the entities of rows, and what their bytes say of each row."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
import numpy as np

from shared_features.definitions import FeatureGroup
from shared_features.formats.entity_reader import EntityFeatures, StoredEntities
from shared_features.stored_features.exact_instant import exact_from_us
from shared_features.stored_features.feature_age import FeatureAge
from shared_features.stored_features.shards import Shard, ShardFacts
from shared_features.stored_features.told import Told

Places = list[tuple[Shard, int, int]]
"""Of each row: its shard, the index of the read, and the place of the entity in it."""

Values = Sequence[bytes | None]
"""What one read gave: a value for each of its keys, None where there is none."""


class GroupRows(msgspec.Struct, frozen=True):
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
    flawless: bool = False
    """Whether no row has a problem, and no row's instant is too early."""

    @property
    def name(self) -> str:
        """The group's part."""
        return self.group.part_name


class GroupReader:
    """One group: its shards, and what the bytes of its entities say."""

    def __init__(self, group: FeatureGroup, namespace: str, told: Told) -> None:
        self.group, self.name = group, group.part_name
        self.shards = [Shard(namespace, group, number, told) for number in range(group.shards)]
        self._told = told
        self._age = FeatureAge(group)

    def plan(self, texts: list[bytes], shards: list[int], reads: list[list[bytes]]) -> Places:
        """Append this group's reads; where each row's entity will be. shards: of each row, its number."""
        of_shard: dict[int, int] = {}
        places = []
        for text, number in zip(texts, shards, strict=True):
            shard = self.shards[number]
            index = of_shard.get(number)
            if index is None:
                index = of_shard[number] = len(reads)
                reads.append([shard.meta_key])
            read = reads[index]
            places.append((shard, index, len(read)))
            read.append(shard.entity_prefix + text)
        return places

    def found(
        self, reads: Sequence[Sequence[bytes]], places: Places, values: Sequence[Values]
    ) -> tuple[list[ShardFacts], StoredEntities]:
        """Of each row what its shard says, and its entity; none where the shard cannot be used."""
        facts = [shard.facts(values[index][0]) for shard, index, _ in places]
        keys = [reads[index][place] for _, index, place in places]
        stored = [
            None if each.problem else values[index][place]
            for (_, index, place), each in zip(places, facts, strict=True)
        ]
        return facts, StoredEntities(keys, stored, [each.build_id for each in facts])

    def rows(
        self,
        places: Places,
        facts: list[ShardFacts],
        entities: StoredEntities,
        features: EntityFeatures,
        as_of_us: Sequence[int],
    ) -> GroupRows:
        """What the group says of the rows. The features of rows with a problem become NaN."""
        floats, found, newest_us, before_us, damaged = features
        problems, unreadable = [each.problem for each in facts], [each.unreadable for each in facts]
        for row, error in damaged.items():
            unreadable[row], problems[row] = True, self._damaged(entities.keys[row], places[row][0], error)
        now_us = time.time_ns() // 1000
        ages: list[float | None] = []
        early: list[int | None] = []
        for row, instant_us in enumerate(as_of_us):
            exact_us = exact_from_us(self.group, newest_us[row], facts[row], now_us)
            early.append(exact_us if instant_us < exact_us else None)
            ages.append(self._age.seconds(newest_us[row], before_us[row], instant_us, floats[row]))
        has_problem = [problem is not None for problem in problems]
        if any(has_problem):
            floats[has_problem] = np.nan
        missing = [not (there or problem) for there, problem in zip(found, has_problem, strict=True)]
        flawless = not any(has_problem) and early.count(None) == len(early)
        return GroupRows(self.group, facts, problems, unreadable, ages, missing, early, flawless)

    def _damaged(self, key: bytes, shard: Shard, error: str) -> str:
        """The problem of an entity whose state cannot be read."""
        name, meta = key.decode(errors="backslashreplace"), shard.meta_key.decode()
        self._told.unreadable_state(key, shard.meta_key, error)
        return (
            f"an entity of {self.group.label} cannot be read. {error} To rebuild it at once, delete the keys {name!r} "
            f"and {meta!r} in Redis while the stream job runs."
        )
