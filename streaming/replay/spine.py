"""Spines: a group read on the events of a source, which is one table of feature rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from shared_features.definitions import EventSource, FeatureGroup, definition_text, fingerprint, load_definitions
from shared_features.kernel.event_time import to_us
from streaming.settings import StreamingSettings


@dataclass(frozen=True)
class Spine:
    """A group read on the events of a source.

    lateness_us: how late an event may arrive and still be in a regular row. lag_us: added to arrival times. reports:
    whether this spine reports event ids with two contents (one spine per source is enough).
    """

    group: FeatureGroup
    source: EventSource
    lateness_us: int
    lag_us: int = 0
    reports: bool = True

    @property
    def label(self) -> str:
        return f"{self.group.label}@{self.source.name}"

    @cached_property
    def fingerprint(self) -> str:
        """The meaning of the rows: the definitions, and the allowed lateness, which decides which pass writes a row."""
        return f"{self.group.fingerprint}-{fingerprint((self.source, self.lateness_us, self.lag_us))}"

    @cached_property
    def definition(self) -> str:
        """The definition behind the fingerprint, as text."""
        return definition_text(self.group, spine=self.source, lateness_us=self.lateness_us, lag_us=self.lag_us)

    @property
    def sources(self) -> tuple[EventSource, ...]:
        """The sources whose events update the group, then the spine's source if it is not one of them."""
        return tuple({source.name: source for source in (*self.group.sources, self.source)}.values())


def settings_spines(settings: StreamingSettings) -> dict[str, Spine]:
    """Every group on every spine of the definitions, by its label."""
    lateness_us, lag_us = to_us(settings.allowed_lateness), to_us(settings.pipeline_lag)
    spines: dict[str, Spine] = {}
    for group, source in load_definitions(settings.definitions).spines:
        first = all(spine.source != source for spine in spines.values())
        spine = Spine(group, source, lateness_us, lag_us, reports=first)
        spines[spine.label] = spine
    return spines
