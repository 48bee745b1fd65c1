"""A feature group: features of one entity that are computed and stored together, under one version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import pairwise
from typing import Literal

from shared_features.definitions.event_source import EventSource
from shared_features.definitions.fingerprint import fingerprint
from shared_features.errors import DefinitionError
from shared_features.kernel.aggregations import Aggregation
from shared_features.kernel.event_time import days, format_duration, hours, minutes, seconds, to_us
from shared_features.kernel.tiles import Column, FeatureSpec, Layout

_NICE_HOPS = (days(1), hours(1), minutes(5), minutes(1), seconds(10), seconds(1))


@dataclass(frozen=True, slots=True)
class Window:
    """The last `length` before `as_of`, its trailing edge moving in steps of `hop`."""

    length: timedelta
    hop: timedelta

    def __post_init__(self) -> None:
        if to_us(self.hop) <= 0 or to_us(self.length) <= 0 or to_us(self.length) % to_us(self.hop):
            raise DefinitionError(f"window {self.length} with hop {self.hop}: the hop must divide the length")


def window(length: timedelta) -> Window:
    """The window of this length with the widest default hop that fits 24 times: 1 d, 1 h, 5 min, 1 min, 10 s or 1 s."""
    for hop in _NICE_HOPS:
        if length >= 24 * hop and to_us(length) % to_us(hop) == 0:
            return Window(length, hop)
    raise DefinitionError(f"window of {length}: no default hop divides it; write Window(length, hop)")


@dataclass(frozen=True, slots=True)
class Entity:
    """What features describe; `keys` are the event fields that identify one."""

    name: str
    keys: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise DefinitionError(f"entity {self.name!r} has no key field; name at least one")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One column (or None: the event itself) under one aggregation over some windows; each window is a feature."""

    column: str | None
    aggregation: Aggregation
    windows: tuple[Window | timedelta, ...]

    def __post_init__(self) -> None:
        if not self.windows:
            raise DefinitionError(f"aggregate {self.aggregation.name} of {self.column!r} has no window; give one")
        if self.aggregation.needs_column and self.column is None:
            raise DefinitionError(f"aggregation {self.aggregation.name} needs a column; name a field of the source")
        whole = tuple(each if isinstance(each, Window) else window(each) for each in self.windows)
        object.__setattr__(self, "windows", whole)

    def feature_name(self, over: Window) -> str:
        parts = (self.column, self.aggregation.name, format_duration(over.length))
        return "_".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Condition:
    """`column operator value`: a group sees only events for which it holds (a missing column: it does not)."""

    column: str
    operator: Literal[">", ">=", "<", "<=", "==", "!="]
    value: float | str | bool


@dataclass(frozen=True, slots=True)
class Feature:
    """One (aggregate, window) of a group. `name` is unique in the group, `full_name` everywhere."""

    group: FeatureGroup
    name: str
    index: int

    @property
    def full_name(self) -> str:
        return f"{self.group.name}__{self.name}"


@dataclass(frozen=True)
class FeatureGroup:
    """Features of one entity from the events of one or several sources.

    `where`: conditions that an event must meet. `shards`: how many slices of the entities are committed on their
    own; fixed for the life of a version.
    """

    name: str
    version: int
    entity: Entity
    sources: tuple[EventSource, ...]
    aggregates: tuple[Aggregate, ...]
    where: tuple[Condition, ...] = ()
    shards: int = 4

    def __post_init__(self) -> None:
        where = f"feature group {self.name!r}"
        if not self.name.isidentifier() or "__" in self.name:
            raise DefinitionError(f"{where}: a name is a Python identifier without a double underscore; rename it")
        if self.version < 1 or self.shards < 1:
            raise DefinitionError(f"{where}: version and shards start at 1")
        if not self.sources or not self.aggregates:
            raise DefinitionError(f"{where}: give at least one source and one aggregate")
        for source in self.sources:
            self._check_source(where, source)
        names = [feature.name for feature in self.features]
        if twice := {name for name in names if names.count(name) > 1}:
            raise DefinitionError(f"{where}: {sorted(twice)} defined twice; drop one aggregate")
        hops = sorted({spec.hop_us for spec in self.layout.features})
        for small, large in pairwise(hops):
            if large % small:
                raise DefinitionError(f"{where}: hop {small} us does not divide hop {large} us; choose nested hops")

    def _check_source(self, where: str, source: EventSource) -> None:
        used = [*self.entity.keys, *self.columns, *(condition.column for condition in self.where)]
        for name in used:
            if not source.has(name):
                raise DefinitionError(f"{where}: source {source.name!r} has no field {name!r}; add it or drop its use")
            if source.field(name).type != self.sources[0].field(name).type:
                raise DefinitionError(f"{where}: field {name!r} has different types in its sources; make them equal")
        for name in self.entity.keys:
            if source.field(name).optional:
                raise DefinitionError(f"{where}: entity key {name!r} is optional in {source.name!r}; make it required")
        for condition in self.where:
            if source.field(condition.column).is_text != isinstance(condition.value, str):
                raise DefinitionError(f"{where}: condition on {condition.column!r} compares it with another type")
            if isinstance(condition.value, str) and condition.operator not in ("==", "!="):
                raise DefinitionError(f"{where}: a text is compared by == or !=, not {condition.operator}")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The source fields whose values are aggregated, in order of first use."""
        return tuple(dict.fromkeys(each.column for each in self.aggregates if each.column is not None))

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        names = [each.feature_name(over) for each in self.aggregates for over in _windows(each)]
        return tuple(Feature(self, name, index) for index, name in enumerate(names))

    def __getitem__(self, name: str) -> Feature:
        for feature in self.features:
            if feature.name == name:
                return feature
        raise DefinitionError(f"{self.name!r} has no feature {name!r}; it has {[each.name for each in self.features]}")

    @cached_property
    def layout(self) -> Layout:
        """What the kernel needs to know: columns with decimals, features with their windows."""
        columns = self.columns
        return Layout(
            columns=tuple(Column(name, self.sources[0].field(name).type.decimals) for name in columns),
            features=tuple(
                FeatureSpec(
                    name=each.feature_name(over),
                    aggregation=each.aggregation,
                    column=None if each.column is None else columns.index(each.column),
                    length_us=to_us(over.length),
                    hop_us=to_us(over.hop),
                )
                for each in self.aggregates
                for over in _windows(each)
            ),
            tolerated_future_us=max(source.tolerated_future_us for source in self.sources),
        )

    @property
    def label(self) -> str:
        """`name:vN`: how keys, tables and logs call this version of the group."""
        return f"{self.name}:v{self.version}"

    @cached_property
    def longest_us(self) -> int:
        """Longest window plus its hop, microseconds: nothing older than this can be read."""
        return max(spec.length_us + spec.hop_us for spec in self.layout.features)

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that change when the meaning of a value of this group changes."""
        return fingerprint(
            (self.name, self.version, self.entity, self.sources, self.aggregates, self.where, self.shards)
        )


def _windows(aggregate: Aggregate) -> list[Window]:
    return [each for each in aggregate.windows if isinstance(each, Window)]
