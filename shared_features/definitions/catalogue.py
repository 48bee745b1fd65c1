"""All definitions of one domain, found in the module that a setting names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from shared_features.definitions.definitions_module import import_definitions
from shared_features.definitions.event_source import EventSource
from shared_features.definitions.feature_group import FeatureGroup
from shared_features.definitions.feature_view import FeatureView
from shared_features.definitions.grown_group import GrownGroup
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
        raise DefinitionError(f"no feature view {name!r}; there are {[each.label for each in self.views]}")

    def group(self, label: str) -> FeatureGroup:
        for group in self.groups:
            if group.label == label:
                return group
        raise DefinitionError(f"no feature group {label!r}; there are {[each.label for each in self.groups]}")

    def source(self, name: str) -> EventSource:
        for source in self.sources:
            if source.name == name:
                return source
        raise DefinitionError(f"no event source {name!r}; there are {[each.name for each in self.sources]}")

    @cached_property
    def spines(self) -> tuple[tuple[FeatureGroup, EventSource], ...]:
        """Each (group, source whose events its feature rows are read on), once."""
        pairs = {(group.label, view.source.name): (group, view.source) for view in self.views for group in view.groups}
        return tuple(pairs[key] for key in sorted(pairs))


def load_definitions(module_name: str) -> Catalogue:
    """The definitions among the attributes of an importable module, and all that its views and groups refer to.

    Raises DefinitionError when the module cannot be imported, holds no view or group, or uses a name or a topic twice.
    """
    found = list(vars(import_definitions(module_name)).values())
    views = [each for each in found if isinstance(each, FeatureView)]
    groups = [part for each in found if isinstance(each, FeatureGroup | GrownGroup) for part in each.parts]
    groups += [group for view in views for group in view.groups]
    sources = [each for each in found if isinstance(each, EventSource)]
    sources += [source for group in groups for source in group.sources]
    sources += [view.source for view in views] + [view.labels.source for view in views if view.labels]
    if not groups:
        raise DefinitionError(f"definitions module {module_name!r} holds no feature group and no view; define one")
    catalogue = Catalogue(
        views=_unique([((view.name, view.version), view) for view in views]),
        groups=_unique([((group.name, group.version, group.part), group) for group in groups]),
        sources=_unique([((source.name,), source) for source in sources]),
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


def _unique(items: list[tuple[tuple[Any, ...], Definition]]) -> tuple[Definition, ...]:
    found: dict[tuple[Any, ...], Definition] = {}
    for key, item in items:
        if found.setdefault(key, item) != item:
            raise DefinitionError(f"{key[0]!r} is defined twice, differently, under one version; raise one's version")
    return tuple(found[key] for key in sorted(found))
