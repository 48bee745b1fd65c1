"""The view of one feature group: all of its features and nothing else, so that a group is read as a view is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from shared_features.definitions import Category, FeatureGroup, FeatureView


class GroupView(FeatureView):
    """The features of one version of a group, with its additions."""

    @cached_property
    def label(self) -> str:
        """That of the group."""
        return self.groups[0].label


def group_views(groups: Iterable[FeatureGroup]) -> list[GroupView]:
    """One for each version of each group. groups: their parts."""
    versions: dict[tuple[str, int], list[FeatureGroup]] = {}
    for part in groups:
        versions.setdefault((part.name, part.version), []).append(part)
    return [_view(parts) for _, parts in sorted(versions.items())]


def _view(parts: list[FeatureGroup]) -> GroupView:
    first = min(parts, key=lambda each: each.part)
    every = [feature for part in sorted(parts, key=lambda each: each.part) for feature in part.features]
    # A text is kept as its code, which a view refuses as a number: here it is read as a category.
    features = tuple(Category(each) if each.is_text else each for each in every)
    return GroupView(f"group.{first.name}", first.version, first.sources[0], features, description=first.description)
