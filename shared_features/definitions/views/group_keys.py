"""The keys of a group that a view reads: each event of the view's source has them."""

from __future__ import annotations

from shared_features.definitions.groups.feature_group import FeatureGroup
from shared_features.definitions.sources.event_source import EventSource
from shared_features.errors import DefinitionError


def check_group_keys(where: str, group: FeatureGroup, spine: EventSource) -> None:
    """Raises DefinitionError where an event of the spine does not say whose features of the group it is read with."""
    for name in group.entity.keys:
        if not spine.has(name):
            raise DefinitionError(
                f"{where}: group {group.name!r} is keyed by {name!r}, which {spine.name!r} lacks; "
                "read the view on a source that carries the key"
            )
        ours, theirs = spine.field(name), group.sources[0].field(name)
        if ours.optional:
            raise DefinitionError(
                f"{where}: group {group.name!r} is keyed by {name!r}, which is optional in {spine.name!r}; "
                "make it required"
            )
        if not ours.type.is_like(theirs.type):
            kinds = " and ".join(
                f"{type(each.type).__name__} in {source.name!r} ({each.type.words})"
                for each, source in ((theirs, group.sources[0]), (ours, spine))
            )
            raise DefinitionError(
                f"{where}: group {group.name!r} is keyed by {name!r}, which is {kinds}; give both one type"
            )
