"""From requests and stored bytes of entities to the model's matrix: which keys to read, and what their values mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.online_store import Values
from serving.request_body import RequestColumns
from serving.shards import Shard, ShardFacts
from shared_features.definitions import FeatureGroup, FeatureView
from shared_features.errors import FormatVersionError
from shared_features.feature_matrix import feature_matrix, request_floats
from shared_features.formats.entity_keys import EntityKeys, entity_keys, key_texts, shards_of
from shared_features.formats.entity_state import decode_states
from shared_features.kernel.replay import read
from shared_features.kernel.tile_state import NEVER_US, TileState

_FIRST_SLOTS = 64


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What to read for `n` rows. Each read is a shard's meta key and the entities of it, taken in one atomic step.

    places: per group, for each row, its shard, the index of the read and the place of the entity in it.
    """

    columns: RequestColumns
    reads: list[list[bytes]]
    places: list[list[tuple[Shard, int, int]]]


@dataclass(frozen=True, slots=True)
class GroupRows:
    """What one group says of each row. Where `problems` has a sentence, the features are NaN."""

    name: str
    facts: Sequence[ShardFacts | None]
    problems: Sequence[str | None]
    ages_s: Sequence[float | None]
    missing: Sequence[bool]
    ahead: Sequence[bool]


@dataclass(frozen=True, slots=True)
class FeatureRows:
    """float32[n, features] in the view's order, and what each group says of the rows."""

    matrix: NDArray[np.float32]
    groups: list[GroupRows]


class FeatureVectors:
    """The feature vectors of one view. Used by one thread at a time: states are decoded into slots that are kept."""

    def __init__(self, view: FeatureView, namespace: str) -> None:
        self._view = view
        self._groups = [_GroupReader(group, namespace) for group in view.groups]
        self.shards = [shard for group in self._groups for shard in group.shards]
        """Every shard that a request may touch."""

    def plan(self, columns: RequestColumns) -> ReadPlan:
        """Which keys hold the entities that these rows name."""
        keys: dict[tuple[str, ...], tuple[EntityKeys, list[bytes]]] = {}
        reads: list[list[bytes]] = []
        places = []
        for reader in self._groups:
            entity = reader.group.entity
            if entity.keys not in keys:
                found = entity_keys(entity, self._view.source, columns.columns)
                keys[entity.keys] = found, [text.encode() for text in key_texts(found)]
            places.append(reader.plan(*keys[entity.keys], reads))
        return ReadPlan(columns, reads, places)

    def compute(self, plan: ReadPlan, values: Sequence[Values], as_of_us: NDArray[np.int64]) -> FeatureRows:
        """The vectors as of each row's instant, from what the plan's reads gave."""
        stored, groups = {}, []
        for reader, places in zip(self._groups, plan.places, strict=True):
            stored[reader.group.part_name], rows = reader.compute(places, values, as_of_us)
            groups.append(rows)
        return FeatureRows(self._matrix(plan.columns, as_of_us, stored), groups)

    def without_store(self, columns: RequestColumns, as_of_us: NDArray[np.int64], problem: str) -> FeatureRows:
        """The vectors without stored features: these, and what is computed from them, are NaN."""
        rows = len(as_of_us)
        stored = {each.group.part_name: np.full((rows, len(each.group.features)), np.nan) for each in self._groups}
        nothing: Any = [None] * rows
        groups = [
            GroupRows(each.group.part_name, nothing, [problem] * rows, nothing, [False] * rows, [False] * rows)
            for each in self._groups
        ]
        return FeatureRows(self._matrix(columns, as_of_us, stored), groups)

    def _matrix(
        self, columns: RequestColumns, as_of_us: NDArray[np.int64], stored: Mapping[str, NDArray[np.float64]]
    ) -> NDArray[np.float32]:
        request = request_floats(self._view.source, columns.columns, columns.valid)
        return feature_matrix(self._view, request, as_of_us, stored)


class _GroupReader:
    """One group: its shards, and the slots its entities are decoded into."""

    def __init__(self, group: FeatureGroup, namespace: str) -> None:
        self.group = group
        self.shards = [Shard(namespace, group, number) for number in range(group.shards)]
        self._state = TileState(group.layout)
        self._slots = self._state.add(_FIRST_SLOTS)

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
        self, places: list[tuple[Shard, int, int]], values: Sequence[Values], as_of_us: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], GroupRows]:
        """float64[n, features of the group], and what the group says of the rows."""
        count = len(places)
        if count > len(self._slots):
            self._slots = np.concatenate([self._slots, self._state.add(count - len(self._slots))])
        slots = self._slots[:count]
        facts = [shard.facts(values[index][0]) for shard, index, _ in places]
        problems = [each.problem for each in facts]
        found = self._decode(slots, [values[index][place] for _, index, place in places], facts, problems)
        floats = read(self._state, slots, as_of_us)
        ages: list[float | None] = []
        ahead: list[bool] = []
        for newest_us, instant_us in zip(self._state.newest_us(slots).tolist(), as_of_us.tolist(), strict=True):
            before = newest_us < instant_us
            ages.append((instant_us - newest_us) / 1e6 if before and newest_us != NEVER_US else None)
            ahead.append(not before)
        if any(problems):
            floats[[problem is not None for problem in problems]] = np.nan
        missing = [not there and problem is None for there, problem in zip(found, problems, strict=True)]
        return floats, GroupRows(self.group.part_name, facts, problems, ages, missing, ahead)

    def _decode(
        self, slots: NDArray[np.int64], values: Values, facts: list[ShardFacts], problems: list[str | None]
    ) -> list[bool]:
        """Fill the slots; which entities were found. A row whose bytes are damaged gets a problem of its own."""
        for row, each in enumerate(facts):
            if each.problem is not None:
                values[row] = None
        builds = np.array([each.build_id for each in facts], np.uint64)
        try:
            found: list[bool] = decode_states(self._state, slots, values, builds).tolist()
        except FormatVersionError:
            return [self._decode_one(slots, values, row, facts[row].build_id, problems) for row in range(len(values))]
        return found

    def _decode_one(
        self, slots: NDArray[np.int64], values: Values, row: int, build_id: int, problems: list[str | None]
    ) -> bool:
        try:
            return bool(decode_states(self._state, slots[row : row + 1], [values[row]], build_id)[0])
        except FormatVersionError as error:
            self._state.clear(slots[row : row + 1])
            problems[row] = f"an entity of {self.group.label} cannot be read: {error}"
            return False
