"""The definitions that a stack was last up with, and what edited ones change about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shared_features.definitions import (
    Catalogue,
    FeatureGroup,
    FeatureView,
    definition_text,
    difference,
    events_difference,
)
from streaming.operations.check.finding import Finding


@dataclass(frozen=True)
class Changes:
    """As sentences. taken: what the next `up` does. refused: what it cannot do, with what to write instead."""

    taken: tuple[str, ...]
    refused: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.taken or self.refused)


class KeptDefinitions(msgspec.Struct, frozen=True):
    """groups, views: label -> fingerprint and text. sources: name -> text."""

    groups: dict[str, tuple[str, str]]
    views: dict[str, tuple[str, str]]
    sources: dict[str, str]

    @classmethod
    def of(cls, catalogue: Catalogue) -> KeptDefinitions:
        return cls(
            {each.label: (each.fingerprint, definition_text(each)) for each in catalogue.groups},
            {each.label: (each.fingerprint, definition_text(each)) for each in catalogue.views},
            {each.name: each.text for each in catalogue.sources},
        )

    def changes(self, now: Catalogue) -> Changes:
        """What was edited since."""
        refused = (*self._other_events(now), *self._other_groups(now))
        taken = (*self._sources(now), *self._groups(now), *self._views(now))
        return Changes(taken, refused)

    def _other_events(self, now: Catalogue) -> Iterator[str]:
        for source in now.sources:
            if changed := events_difference(self.sources.get(source.name, source.text), source):
                yield (
                    f"source {source.name} means something else than its stored events ({changed}). Give it another "
                    "name, and raise the versions of the groups and views that read it"
                )

    def _other_groups(self, now: Catalogue) -> Iterator[str]:
        for group in now.groups:
            fingerprint, text = self.groups.get(group.label, (group.fingerprint, ""))
            if fingerprint != group.fingerprint:
                yield (
                    f"group {group.label} means something else than its stored values ({difference(text, group)}). "
                    f"Raise its version to {group.version + 1}, and the versions of the views that read it"
                )

    def _sources(self, now: Catalogue) -> Iterator[str]:
        for source in now.sources:
            if source.name not in self.sources:
                yield f"source {source.name} is new: its topic {source.topic} is created"
        for name in _gone(self.sources, [each.name for each in now.sources]):
            yield f"source {name} is gone: nobody reads its topic any more; its events stay"

    def _groups(self, now: Catalogue) -> Iterator[str]:
        for group in now.groups:
            if group.label not in self.groups:
                yield f"group {group.label} {self._how_new(group)}: it is built from the stored events"
        for label in _gone(self.groups, [each.label for each in now.groups]):
            yield f"group {label} is gone: its values stay as they are, until `millrace retire {label}`"

    def _how_new(self, group: FeatureGroup) -> str:
        if group.part:
            return "joins the running group, which continues"
        before = [label for label in self.groups if label.rpartition(":")[0] == group.name and "+" not in label]
        return f"is new, beside {' and '.join(before)}" if before else "is new"

    def _views(self, now: Catalogue) -> Iterator[str]:
        for view in now.views:
            fingerprint, text = self.views.get(view.label, ("", ""))
            if not fingerprint:
                yield f"view {view.label} is new: {self._until_trained(view)}"
            elif fingerprint != view.fingerprint:
                yield (
                    f"view {view.label} has changed ({difference(text, view)}): its models do not fit any more. Train "
                    f"it with `millrace train --view {view.name}`; with version {view.version + 1}, the model of now "
                    "answers until then"
                )
        for label in _gone(self.views, [each.label for each in now.views]):
            yield f"view {label} is gone: nobody is answered for it; its models stay in the registry"

    def _until_trained(self, view: FeatureView) -> str:
        if any(label.rpartition(":")[0] == view.name for label in self.views):
            return f"the model of the version before answers until `millrace train --view {view.name}`"
        return "it is trained once its labels are there" if view.labels else "it has no labels to be trained on"


def _gone(before: Mapping[str, object], now: list[str]) -> list[str]:
    return [each for each in before if each not in now]


def refused_edits(file: Path, now: Catalogue) -> Iterator[Finding]:
    """What `up` refuses of these definitions. Nothing where the file does not exist or is of another release."""
    with suppress(FileNotFoundError, msgspec.DecodeError):
        kept = msgspec.json.decode(file.read_bytes(), type=KeptDefinitions)
        for sentence in kept.changes(now).refused:
            yield Finding("refused", f"the data in {file.parent}", sentence)
