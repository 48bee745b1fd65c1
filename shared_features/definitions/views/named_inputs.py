"""What a name in a feature view stands for: a field of the request, a stored feature, or the instant of the request."""

from __future__ import annotations

from collections.abc import Sequence

from shared_features.arguments import did_you_mean
from shared_features.definitions.groups.feature_group import Feature
from shared_features.definitions.sources.event_source import EventSource
from shared_features.definitions.views.view_feature import Input
from shared_features.errors import DefinitionError

AS_OF = "as_of_us"
"""Name of the parameter by which an on-demand function asks for the instant of the request."""


class NamedInputs:
    """view: its name, for refusals. features: the stored features that a name may stand for."""

    def __init__(self, view: str, source: EventSource, features: Sequence[Feature]) -> None:
        self._view, self._source, self._features = view, source, features

    def input(self, name: str, asked_by: str) -> Input:
        """asked_by: the function whose parameter it is; the name itself where it is a feature of the view.

        Raises DefinitionError where the name stands for nothing, or for more than one thing.
        """
        found: dict[str, Input] = {}
        if name == AS_OF:
            found[AS_OF] = Input()
        for given in self._source.fields:
            if name in (given.name, self._full_name(given.name)):
                found[self._full_name(given.name)] = Input(field=given.name, is_text=given.is_text)
        for feature in self._features:
            if name in (feature.full_name, feature.name):
                found[feature.full_name] = Input(feature=feature, is_text=feature.is_text)
        if len(found) == 1:
            return next(iter(found.values()))
        asked = f"feature {name!r}" if name == asked_by else f"input {name!r} of {asked_by!r}"
        where = f"feature view {self._view!r}: {asked}"
        if found:
            raise DefinitionError(f"{where} is ambiguous: write one of {list(found)}")
        fields, choices = [each.name for each in self._source.fields], [each.full_name for each in self._features]
        meant = did_you_mean(name, [*fields, *(each.name for each in self._features), *choices])
        other = " If a group that the view does not read has it, add that group to also_reads of the view."
        if stranger := self._stranger(name):  # a near name would be that of another group, with another meaning
            constant = stranger.upper()
            other, meant = (
                f" The view does not read a group {stranger!r}: write also_reads=({constant},) in the view.",
                "",
            )
        if choices:
            groups = ", ".join(dict.fromkeys(each.group.name for each in self._features))
            raise DefinitionError(
                f"{where} is neither a field of {self._source.name!r} nor a feature of {groups}, which the view reads: "
                f"{choices}.{other}{meant}"
            )
        raise DefinitionError(
            f"{where} is not a field of {self._source.name!r}, which has {', '.join(fields)}, and the view reads no "
            f"group.{other}{meant}"
        )

    def _stranger(self, name: str) -> str:
        """The group that a full name begins with, where the view does not read it; else empty."""
        group, _, feature = name.partition("__")
        known = {self._source.name, *(each.group.name for each in self._features)}
        return group if feature and group not in known else ""

    def _full_name(self, field: str) -> str:
        """A field under a name that no stored feature has."""
        return f"{self._source.name}__{field}"
