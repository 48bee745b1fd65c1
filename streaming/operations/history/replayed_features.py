"""The feature matrix of a request as served at an instant, by replay of each entity's stored events."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Self

import numpy as np
from deltalake.exceptions import DeltaError
from numpy.typing import NDArray
from redis.exceptions import RedisError

from shared_features.definitions import Catalogue, FeatureGroup, FeatureView
from shared_features.feature_matrix import category_codes, feature_matrix, request_floats
from shared_features.formats.entity_keys import entity_keys, key_texts
from shared_features.formats.shard_meta import Partition
from shared_features.kernel.event_time import to_us
from streaming.errors import RefusedError
from streaming.online_store.link import RedisLink
from streaming.operations.erasure.subjects.subject import Subject
from streaming.operations.history.category_values import Value, category_values
from streaming.operations.history.request import HistoryRequest
from streaming.operations.inspect.comparison import first_edge_us
from streaming.operations.inspect.entity_key import named_entity
from streaming.operations.inspect.history import lacks, was_erased
from streaming.operations.inspect.lake_entity import read_lake
from streaming.operations.inspect.redis_entity import read_entity
from streaming.settings import StreamingSettings

_WITHIN_S = 2.0


class Replayed(NamedTuple):
    """Of n instances. categories: of each the values of its categories, which are NaN in the matrix.

    lacks: of each what the lake lacks, so that its values may not be exact.
    """

    matrix: NDArray[np.float32]  # [n, features]
    categories: list[dict[str, Value]]
    lacks: list[list[str]]


class ReplayedFeatures:
    """Of one view. Use it as a context manager.

    Redis is asked for one thing only: which partitions the shards have read, so that gaps of these are known.
    unknown: why gaps are not known; empty where they are.
    """

    def __init__(self, settings: StreamingSettings, catalogue: Catalogue, view: FeatureView) -> None:
        self._lake, self._lag_us = settings.lake, to_us(settings.pipeline_lag)
        self._catalogue, self._view = catalogue, view
        self._namespace, self._link = settings.redis_namespace, RedisLink(settings, within_s=_WITHIN_S)
        self.unknown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._link.close()

    def of(self, request: HistoryRequest) -> Replayed:
        """Raises RefusedError where the lake cannot be read."""
        rows = len(request.as_of_us)
        missing: list[list[str]] = [[] for _ in range(rows)]
        stored: dict[str, NDArray[np.float64]] = {}
        for group in self._view.groups:
            stored[group.part_name] = np.empty((rows, len(group.features)))
            keys = key_texts(entity_keys(group.entity, self._view.source, request.columns))
            for row, (key, as_of_us) in enumerate(zip(keys, request.as_of_us.tolist(), strict=True)):
                values, why = self._entity(group, key, as_of_us)
                stored[group.part_name][row] = values
                missing[row] += [each for each in why if each not in missing[row]]
        floats = request_floats(self._view.source, request.columns, request.valid)
        texts = {name: column for name, column in request.columns.items() if self._view.source.field(name).is_text}
        codes = category_codes(self._view, floats, stored)
        categories = list(category_values(self._view, texts, codes)) if self._view.categories else [{}] * rows
        return Replayed(feature_matrix(self._view, floats, request.as_of_us, stored), categories, missing)

    def _entity(self, group: FeatureGroup, key: str, as_of_us: int) -> tuple[NDArray[np.float64], Sequence[str]]:
        subject = self._subject(group, key)
        try:
            partitions = self._partitions(group, subject)
            entity = read_lake(self._lake, group, subject, partitions, first_edge_us(group, as_of_us), 1)
            erased = was_erased(self._lake, subject)
        except (OSError, DeltaError) as error:
            raise RefusedError(
                f"The lake {self._lake} cannot be read: {error}. Mount it, and run this again"
            ) from error
        values = entity.values(entity.served(as_of_us, self._lag_us), as_of_us)
        why = lacks(entity, as_of_us, self._lag_us)
        if erased:
            why.append(f"{subject.entity.name} {subject.key} was erased on request, with its events up to then")
        return values, why

    def _partitions(self, group: FeatureGroup, subject: Subject) -> Collection[Partition]:
        if self.unknown:
            return ()
        try:
            meta = read_entity(self._link, self._namespace, group, subject).meta
        except (RedisError, OSError) as error:
            self.unknown = f"Redis is unavailable: {error}"
            return ()
        return () if meta is None else meta.vector

    def _subject(self, group: FeatureGroup, key: str) -> Subject:
        found = named_entity(self._catalogue, group.entity.name, key)
        return next(each for each in found if each.entity == group.entity)
