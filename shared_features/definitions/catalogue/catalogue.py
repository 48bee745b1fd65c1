"""All definitions of one domain, found in the module that a setting names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from shared_features.arguments import did_you_mean
from shared_features.definitions.catalogue.definitions_module import import_definitions
from shared_features.definitions.groups.feature_group import FeatureGroup
from shared_features.definitions.groups.grown_group import GrownGroup
from shared_features.definitions.sources.event_source import EventSource
from shared_features.definitions.views.feature_view import FeatureView
from shared_features.errors import DefinitionError


@dataclass(frozen=True)
class Catalogue:
    """The event sources, feature groups and feature views of a domain, each sorted by name and version.

    groups: their parts, that is what is stored on its own.
    """

    views: tuple[FeatureView, ...]
    groups: tuple[FeatureGroup, ...]
    sources: tuple[EventSource, ...]

    def view(self, name: str) -> FeatureView:
        for view in reversed(self.views):  # the newest version of the name
            if name in (view.name, view.label):
                return view
        known = [each.label for each in self.views]
        meant = did_you_mean(name, [each.name for each in self.views] + known)
        raise DefinitionError(f"There is no feature view {name!r}. There are: {', '.join(known)}.{meant}")

    def group(self, label: str) -> FeatureGroup:
        for group in self.groups:
            if group.label == label:
                return group
        known = [each.label for each in self.groups]
        raise DefinitionError(f"no feature group {label!r}; there are {known}.{did_you_mean(label, known)}")

    def source(self, name: str) -> EventSource:
        for source in self.sources:
            if source.name == name:
                return source
        known = [each.name for each in self.sources]
        raise DefinitionError(f"no event source {name!r}; there are {known}.{did_you_mean(name, known)}")

    @cached_property
    def spines(self) -> tuple[tuple[FeatureGroup, EventSource], ...]:
        """Each (group, source whose events its feature rows are read on), once."""
        pairs = {(group.label, view.source.name): (group, view.source) for view in self.views for group in view.groups}
        return tuple(pairs[key] for key in sorted(pairs))


def load_definitions(module_name: str) -> Catalogue:
    """The definitions among the attributes of an importable module, and all that its views and groups refer to.

    Raises DefinitionError when the module cannot be imported, holds no view, or uses a name or a topic twice.
    """
    variables = vars(import_definitions(module_name))
    found = list(variables.values())
    views = [each for each in found if isinstance(each, FeatureView)]
    groups = [part for each in found if isinstance(each, FeatureGroup | GrownGroup) for part in each.parts]
    groups += [group for view in views for group in view.groups]
    sources = [each for each in found if isinstance(each, EventSource)]
    sources += [source for group in groups for source in group.sources]
    sources += [view.source for view in views] + [each.source for view in views for each in view.label_sources]
    if not groups:
        raise DefinitionError(f"definitions module {module_name!r} holds no feature group and no view; define one")
    if not views:
        names = ", ".join(dict.fromkeys(group.name for group in groups))
        raise DefinitionError(
            f"definitions module {module_name!r} holds no feature view, and feature groups {names}: nothing would be "
            "trained or served. Define a FeatureView, or import it into the module"
        )
    catalogue = Catalogue(
        views=_unique("feature view", [((view.name, view.version), view) for view in views], variables),
        groups=_unique("feature group", [((each.name, each.version, each.part), each) for each in groups], variables),
        sources=_unique("event source", [((source.name,), source) for source in sources], variables),
    )
    _refuse_shared_topics(catalogue.sources)
    return catalogue


def _refuse_shared_topics(sources: tuple[EventSource, ...]) -> None:
    of_topic: dict[str, EventSource] = {}
    for source in sources:
        if (other := of_topic.setdefault(source.topic, source)) is not source:
            raise DefinitionError(
                f"event sources {other.name!r} and {source.name!r} both read topic {source.topic!r}; a record belongs "
                "to one source: drop one of them with what reads it, or give it a topic of its own"
            )


Definition = TypeVar("Definition")


def _unique(
    kind: str, items: list[tuple[tuple[Any, ...], Definition]], variables: Mapping[str, Any]
) -> tuple[Definition, ...]:
    found: dict[tuple[Any, ...], Definition] = {}
    for key, item in items:
        if (other := found.setdefault(key, item)) != item:
            called = [name for name, value in variables.items() if value is item or value is other]
            versioned = f" in version {key[1]}" if len(key) > 1 else ""
            raise DefinitionError(
                f"{kind} {key[0]!r} is defined twice{versioned}, differently{_as(called)}; rename one"
                + (", or raise its version" if versioned else "")
            )
    return tuple(found[key] for key in sorted(found))


def _as(variables: list[str]) -> str:
    return f": as {' and as '.join(variables)}" if variables else ""
