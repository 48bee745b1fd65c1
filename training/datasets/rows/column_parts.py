"""Which columns of a matrix are computed together, so that the files of a group are read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from shared_features.definitions import Feature, FeatureGroup, FeatureView, ViewFeature

FEATURES_AT_ONCE = 6
"""Of a matrix of 45 features, the rows of six in float64 take a quarter of its room."""
Placed = tuple[int, ViewFeature]
"""A column with its place in the matrix."""


@dataclass(frozen=True)
class ColumnPart:
    """columns: in the order of their places. features: the stored features that they take, each once."""

    columns: tuple[Placed, ...]
    features: tuple[Feature, ...]

    @classmethod
    def of(cls, columns: list[Placed]) -> ColumnPart:
        taken = {_key(each): each for _, column in columns for each in _stored(column)}
        return cls(tuple(columns), tuple(taken.values()))

    @cached_property
    def groups(self) -> list[FeatureGroup]:
        """The groups whose features they take."""
        return list({each.group.part_name: each.group for each in self.features}.values())

    @cached_property
    def places(self) -> list[list[int | None]]:
        """Of each column, the places of what it takes among the stored features; None is something else."""
        place_of = {_key(each): place for place, each in enumerate(self.features)}
        return [
            [None if each.feature is None else place_of[_key(each.feature)] for each in column.inputs]
            for _, column in self.columns
        ]


def column_parts(view: FeatureView) -> Iterator[ColumnPart]:
    """All columns, each once: those of each group, those that take no stored feature, then those of several groups.

    The columns of a part of several groups take few features, so that these can be held for all rows. A column that
    takes more of them is a part of its own.
    """
    of_groups: dict[tuple[str, ...], list[Placed]] = {(group.part_name,): [] for group in view.groups}
    for at, column in enumerate(view.columns):
        names = tuple(dict.fromkeys(each.group.part_name for each in _stored(column)))
        of_groups.setdefault(names if len(names) < 2 else ("several",) * 2, []).append((at, column))
    for names, columns in of_groups.items():
        yield from _few_features(columns) if len(names) > 1 else [ColumnPart.of(columns)] if columns else []


def _key(feature: Feature) -> tuple[str, int]:
    """Quicker to compare than the definition."""
    return feature.group.part_name, feature.index


def _few_features(columns: list[Placed]) -> Iterator[ColumnPart]:
    some: list[Placed] = []
    for each in columns:
        if some and len(ColumnPart.of([*some, each]).features) > FEATURES_AT_ONCE:
            yield ColumnPart.of(some)
            some = []
        some.append(each)
    yield ColumnPart.of(some)


def _stored(column: ViewFeature) -> list[Feature]:
    return [each.feature for each in column.inputs if each.feature is not None]
