"""From rows and stored bytes of entities to the model's matrix: which keys to read, and what their values mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.feature_matrix import category_codes, feature_matrix, request_floats
from shared_features.formats.entity_keys import EntityKeys, entity_keys, key_texts, shards_of
from shared_features.formats.entity_reader import EntityFeatures, EntityReader, StoredEntities
from shared_features.stored_features.group_reader import GroupReader, GroupRows, Places, Values
from shared_features.stored_features.told import ToldOf, untold


class RequestColumns(msgspec.Struct, frozen=True):
    """Rows of requests, or of events, as columns of `formats.events`: steps of the field's decimals, text as object."""

    columns: Mapping[str, NDArray[Any]]
    valid: Mapping[str, NDArray[np.bool_]]


class ReadPlan(msgspec.Struct, frozen=True):
    """What to read for `n` rows. Each read is a shard's meta key and the entities of it, taken in one atomic step.

    places: per group.
    """

    columns: RequestColumns
    reads: list[list[bytes]]
    places: list[Places]


class FeatureRows(msgspec.Struct, frozen=True):
    """float32[n, features] in the view's order as of each row's instant, and what each group says of the rows.

    codes: float64[n, categories], `category_codes`; None of a view without categories.
    """

    matrix: NDArray[np.float32]
    as_of_us: NDArray[np.int64]
    groups: list[GroupRows]
    codes: NDArray[np.float64] | None = None
    flawless: bool = False
    """Whether no row has a problem, and no row's instant is too early."""


class FeatureVectors:
    """The feature vectors of one view, for any thread."""

    def __init__(self, view: FeatureView, namespace: str, told: ToldOf = untold) -> None:
        self._view = view
        self._groups = [GroupReader(group, namespace, told(group.label)) for group in view.groups]
        self._layouts = [group.layout for group in view.groups]
        self._readers = [EntityReader(self._layouts)]
        self.shards = [shard for group in self._groups for shard in group.shards]
        """Every shard that a request may touch."""

    def plan(self, columns: RequestColumns) -> ReadPlan:
        """Which keys hold the entities that these rows name."""
        reads: list[list[bytes]] = []
        texts: dict[tuple[str, ...], tuple[EntityKeys, list[bytes]]] = {}
        shards: dict[tuple[tuple[str, ...], int], list[int]] = {}
        places = []
        for reader in self._groups:
            entity, number = reader.group.entity, reader.group.shards
            if entity.keys not in texts:
                keys = entity_keys(entity, self._view.source, columns.columns)
                texts[entity.keys] = keys, [text.encode() for text in key_texts(keys)]
            keys, encoded = texts[entity.keys]
            if (entity.keys, number) not in shards:
                shards[entity.keys, number] = shards_of(keys, number).tolist()
            places.append(reader.plan(encoded, shards[entity.keys, number], reads))
        return ReadPlan(columns, reads, places)

    def compute(self, plan: ReadPlan, values: Sequence[Values], as_of_us: NDArray[np.int64]) -> FeatureRows:
        """The vectors as of each row's instant, from what the plan's reads gave."""
        found = [
            reader.found(plan.reads, places, values) for reader, places in zip(self._groups, plan.places, strict=True)
        ]
        features = self._entities([entities for _, entities in found], as_of_us)
        stored, groups, instants = {}, [], as_of_us.tolist()
        for reader, places, (facts, entities), of_group in zip(self._groups, plan.places, found, features, strict=True):
            groups.append(reader.rows(places, facts, entities, of_group, instants))
            stored[reader.name] = of_group.values
        return self._rows(plan.columns, as_of_us, stored, groups)

    def _entities(self, stored: Sequence[StoredEntities], as_of_us: NDArray[np.int64]) -> list[EntityFeatures]:
        """By a reader that no other thread uses meanwhile. It is kept: states are decoded into its slots."""
        try:
            reader = self._readers.pop()
        except IndexError:
            reader = EntityReader(self._layouts)
        features = reader.read(stored, as_of_us)
        self._readers.append(reader)
        return features

    def without_store(self, columns: RequestColumns, as_of_us: NDArray[np.int64], problem: str) -> FeatureRows:
        """The vectors without stored features: these, and what is computed from them, are NaN."""
        rows = len(as_of_us)
        stored = {each.group.part_name: np.full((rows, len(each.group.features)), np.nan) for each in self._groups}
        nothing: Any = [None] * rows
        no = [False] * rows
        groups = [GroupRows(each.group, nothing, [problem] * rows, no, nothing, no, nothing) for each in self._groups]
        return self._rows(columns, as_of_us, stored, groups)

    def _rows(
        self,
        columns: RequestColumns,
        as_of_us: NDArray[np.int64],
        stored: Mapping[str, NDArray[np.float64]],
        groups: list[GroupRows],
    ) -> FeatureRows:
        request = request_floats(self._view.source, columns.columns, columns.valid)
        codes = category_codes(self._view, request, stored) if self._view.categories else None
        matrix = feature_matrix(self._view, request, as_of_us, stored)
        return FeatureRows(matrix, as_of_us, groups, codes, all(each.flawless for each in groups))
