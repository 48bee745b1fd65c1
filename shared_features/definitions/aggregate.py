"""An aggregate: one column under one aggregation over some windows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from shared_features.errors import DefinitionError
from shared_features.kernel.aggregations import Aggregation
from shared_features.kernel.event_time import days, format_duration, hours, minutes, seconds, to_us

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
class Aggregate:
    """One column (or None: the event itself) under one aggregation over some windows; each window is a feature.

    `description`: said of each of its features, before what is derived (`definitions.description`). It only documents.
    """

    column: str | None
    aggregation: Aggregation
    windows: tuple[Window | timedelta, ...]
    description: str = field(default="", kw_only=True, compare=False)

    def __post_init__(self) -> None:
        if not self.windows:
            raise DefinitionError(f"aggregate {self.aggregation.name} of {self.column!r} has no window; give one")
        if self.aggregation.needs_column and self.column is None:
            raise DefinitionError(f"aggregation {self.aggregation.name} needs a column; name a field of the source")
        whole = tuple(each if isinstance(each, Window) else window(each) for each in self.windows)
        object.__setattr__(self, "windows", whole)

    @property
    def features(self) -> tuple[tuple[str, Window], ...]:
        """Name and window of each feature."""
        return tuple((self.feature_name(over), over) for over in self.windows if isinstance(over, Window))

    def feature_name(self, over: Window) -> str:
        parts = (self.column, self.aggregation.name, format_duration(over.length))
        return "_".join(part for part in parts if part)
