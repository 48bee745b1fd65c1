"""A feature group with aggregates that joined it later, under the same version."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from shared_features.arguments import Checked
from shared_features.definitions.groups.aggregate import Aggregate
from shared_features.definitions.groups.feature_group import Feature, FeatureGroup, find_feature
from shared_features.errors import DefinitionError


@dataclass(frozen=True)
class GrownGroup(metaclass=Checked):
    """A group that is running, and the aggregates that were added to it since.

    Each entry of `added` is kept on its own, as a *part*: a FeatureGroup with its own states, positions, tables and
    fingerprint. So an addition leaves everything else as it is. What is stored, streamed and read are the `parts`;
    a grown group as a whole has no layout and no fingerprint, and a type checker says so.
    """

    group: FeatureGroup
    added: tuple[Aggregate, ...]

    def __post_init__(self) -> None:
        names = [feature.name for feature in self.features]
        if twice := {name for name in names if names.count(name) > 1}:
            raise DefinitionError(f"feature group {self.name!r}: {sorted(twice)} defined twice; drop one aggregate")

    @property
    def name(self) -> str:
        return self.group.name

    @property
    def version(self) -> int:
        return self.group.version

    @property
    def label(self) -> str:
        """`name:vN`, as of the group without additions."""
        return self.group.label

    @cached_property
    def parts(self) -> tuple[FeatureGroup, ...]:
        """What is stored on its own: the group without additions, then each addition."""
        additions = enumerate(self.added, start=1)
        return self.group, *(replace(self.group, aggregates=(each,), part=number) for number, each in additions)

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """Those of all parts, in order."""
        return tuple(feature for part in self.parts for feature in part.features)

    def __getitem__(self, name: str) -> Feature:
        return find_feature(self.name, self.features, name)
