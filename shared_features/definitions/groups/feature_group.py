"""A feature group: features of one entity that are computed and stored together, under one version."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from shared_features.arguments import Checked, did_you_mean
from shared_features.definitions.fingerprints import fingerprint, meant_options
from shared_features.definitions.groups.aggregate import Aggregate, Window
from shared_features.definitions.sources.condition import Condition
from shared_features.definitions.sources.entity import Entity
from shared_features.definitions.sources.event_source import EventSource
from shared_features.errors import DefinitionError
from shared_features.kernel.event_time import minutes, spelled_duration, to_us
from shared_features.kernel.feature_spec import Column, FeatureSpec
from shared_features.kernel.layout import Layout


@dataclass(frozen=True, slots=True)
class Feature:
    """One (aggregate, window) of a group. `name` is unique in the group, `full_name` everywhere.

    group: the part that keeps it. index: its place among the features of that part.
    """

    group: FeatureGroup
    name: str
    index: int

    @property
    def full_name(self) -> str:
        return f"{self.group.name}__{self.name}"

    @property
    def aggregate(self) -> Aggregate:
        return self._made_of[0]

    @property
    def window(self) -> Window:
        return self._made_of[1]

    @property
    def is_text(self) -> bool:
        """Whether its value is a text, kept as its code: the latest or the first of a text field."""
        aggregate = self.aggregate
        if aggregate.column is None or aggregate.aggregation.unit is not None:
            return False
        return self.group.sources[0].field(aggregate.column).is_text

    @property
    def _made_of(self) -> tuple[Aggregate, Window]:
        return [(each, over) for each in self.group.aggregates for _, over in each.features][self.index]


@dataclass(frozen=True)
class FeatureGroup(metaclass=Checked):
    """Features of one entity from the events of one or several sources.

    `where`: conditions that an event must meet. `shards`: how many slices of the entities are committed on their
    own; fixed for the life of a version. `head`: how far before now `as_of` may lie; the events of an entity's head are
    kept one by one, so that a value is exact as of any instant in it. `part`: 0, or the number of an addition, which
    only `GrownGroup` sets. What is stored, streamed and read is a FeatureGroup: a group without additions, or one
    addition of a `GrownGroup`.
    """

    name: str
    version: int
    entity: Entity
    sources: tuple[EventSource, ...]
    aggregates: tuple[Aggregate, ...]
    where: tuple[Condition, ...] = ()
    shards: int = 4
    head: timedelta = minutes(2)
    part: int = field(default=0, kw_only=True)
    description: str = field(default="", kw_only=True, compare=False)

    def __post_init__(self) -> None:
        where = f"feature group {self.name!r}"
        if not self.name.isidentifier() or "__" in self.name:
            raise DefinitionError(f"{where}: a name is a Python identifier without a double underscore; rename it")
        if self.version < 1 or self.shards < 1:
            raise DefinitionError(f"{where}: version is {self.version} and shards is {self.shards}; both start at 1")
        if to_us(self.head) < 0:
            raise DefinitionError(f"{where}: head is negative; give zero or more")
        if not self.sources or not self.aggregates:
            raise DefinitionError(f"{where}: give at least one source and one aggregate")
        names = [feature.name for feature in self.features]
        if twice := {name for name in names if names.count(name) > 1}:
            raise DefinitionError(f"{where}: {sorted(twice)} defined twice; drop one aggregate")
        for source in self.sources:
            if self.sources.count(source) > 1:
                raise DefinitionError(f"{where}: source {source.name!r} stands twice in sources; drop one")
            self._check_source(where, source)
        hops = sorted({over.hop for each in self.aggregates for _, over in each.features})
        for small, large in pairwise(hops):
            if large % small:
                raise DefinitionError(
                    f"{where}: a hop of {spelled_duration(small)} does not divide a hop of {spelled_duration(large)}; "
                    "choose nested hops, such as 5 min and 1 h"
                )

    def _check_source(self, where: str, source: EventSource) -> None:
        self.entity.check(where, source)
        for aggregate in self.aggregates:
            aggregate.check(where, source)
        for condition in self.where:
            condition.check(where, source)
        first = self.sources[0]
        for name in dict.fromkeys([*self.entity.keys, *self.columns, *(each.column for each in self.where)]):
            here, there = source.field(name).type, first.field(name).type
            if here != there:
                raise DefinitionError(
                    f"{where}: field {name!r} has different types in its sources: {there.words} in {first.name!r}, "
                    f"{here.words} in {source.name!r}; make them equal"
                )

    @property
    def parts(self) -> tuple[FeatureGroup, ...]:
        """What is stored on its own: the group itself. (Of a `GrownGroup`, its additions too.)"""
        return (self,)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The source fields whose values are aggregated, in order of first use."""
        return tuple(dict.fromkeys(each.column for each in self.aggregates if each.column is not None))

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """One for each window of each aggregate, in order."""
        names = [name for each in self.aggregates for name, _ in each.features]
        return tuple(Feature(self, name, index) for index, name in enumerate(names))

    def __getitem__(self, name: str) -> Feature:
        return find_feature(self.name, self.features, name)

    @cached_property
    def layout(self) -> Layout:
        """What the kernel needs to know: columns with decimals, features with their windows."""
        columns = self.columns
        return Layout(
            columns=tuple(Column(name, self.sources[0].field(name).type.step_decimals) for name in columns),
            features=tuple(
                FeatureSpec(
                    name=name,
                    aggregation=each.aggregation,
                    column=None if each.column is None else columns.index(each.column),
                    length_us=to_us(over.length),
                    hop_us=to_us(over.hop),
                )
                for each in self.aggregates
                for name, over in each.features
            ),
            head_us=self.tolerated_future_us + to_us(self.head),
        )

    @property
    def tolerated_future_us(self) -> int:
        """How far ahead of its record an event of any of the sources may be, microseconds."""
        return max(source.tolerated_future_us for source in self.sources)

    @cached_property
    def label(self) -> str:
        """`name:vN`, `name:vN+1` for its first addition: how keys and logs call this version of the group."""
        return f"{self.name}:v{self.version}" + (f"+{self.part}" if self.part else "")

    @cached_property
    def part_name(self) -> str:
        """`name`, `name+1` for its first addition: unique among what a view reads, which is one version of a group."""
        return self.name + (f"+{self.part}" if self.part else "")

    @cached_property
    def longest_us(self) -> int:
        """Longest window plus its hop, microseconds: nothing older than this can be read."""
        return max(spec.length_us + spec.hop_us for spec in self.layout.features)

    @property
    def readable_us(self) -> int:
        """Microseconds after which an entity's newest event, even one dated ahead, is older than anything read."""
        return self.longest_us + self.layout.head_us

    @property
    def kept_us(self) -> int:
        """Microseconds after its last commit when an entity's key expires in the online store: twice `readable_us`."""
        return 2 * self.readable_us

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that change when the meaning of a value of this group changes."""
        return fingerprint(self.meaning)

    @property
    def meaning(self) -> dict[str, Any]:
        """All that a value of this group follows from, by name; what has its default is left out."""
        return meant_options(self)


def find_feature(group: str, features: tuple[Feature, ...], name: str) -> Feature:
    """The feature of this name. Raises DefinitionError when there is none."""
    for feature in features:
        if feature.name == name:
            return feature
    names = [each.name for each in features]
    raise DefinitionError(f"{group!r} has no feature {name!r}.{did_you_mean(name, names)} It has {', '.join(names)}")
