"""An aggregate: one column under one aggregation over some windows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from shared_features.arguments import Checked
from shared_features.definitions.sources.event_source import EventSource
from shared_features.errors import DefinitionError
from shared_features.kernel.aggregations import Aggregation
from shared_features.kernel.event_time import days, format_duration, hours, minutes, seconds, spelled_duration, to_us

_NICE_HOPS = (days(1), hours(1), minutes(5), minutes(1), seconds(10), seconds(1))


@dataclass(frozen=True, slots=True)
class Window(metaclass=Checked):
    """The last `length` before `as_of`, its trailing edge moving in steps of `hop`."""

    length: timedelta
    hop: timedelta

    def __post_init__(self) -> None:
        if to_us(self.hop) <= 0 or to_us(self.length) <= 0 or to_us(self.length) % to_us(self.hop):
            length, hop = spelled_duration(self.length), spelled_duration(self.hop)
            raise DefinitionError(
                f"window of {length} with a hop of {hop}: the hop must divide the length, and both be positive; "
                "give another hop"
            )


def window(length: timedelta) -> Window:
    """The window of this length with the widest default hop that fits 24 times: 1 d, 1 h, 5 min, 1 min, 10 s or 1 s."""
    for hop in _NICE_HOPS:
        if length >= 24 * hop and to_us(length) % to_us(hop) == 0:
            return Window(length, hop)
    raise DefinitionError(
        f"window of {spelled_duration(length)}: no default hop fits 24 times; write Window(length, hop)"
    )


@dataclass(frozen=True, slots=True)
class Aggregate(metaclass=Checked):
    """One column (or None: the event itself) under one aggregation over some windows; each window is a feature.

    `description`: said of each of its features, before what is derived (`definitions.description`). It only documents.
    """

    column: str | None
    aggregation: Aggregation
    windows: tuple[Window | timedelta, ...]
    description: str = field(default="", kw_only=True, compare=False)

    def __post_init__(self) -> None:
        if not self.windows:
            raise DefinitionError(
                f"aggregate {self.aggregation.name} of {self.column!r} has no window; give one, as in "
                "windows=(days(7),)"
            )
        if self.aggregation.needs_column and self.column is None:
            raise DefinitionError(f"aggregation {self.aggregation.name} needs a column; name a field of the source")
        whole = tuple(each if isinstance(each, Window) else window(each) for each in self.windows)
        object.__setattr__(self, "windows", whole)

    def check(self, where: str, source: EventSource) -> None:
        """Raises DefinitionError where the source has no such column, or one that the aggregation cannot take."""
        if self.column is None:
            return
        field, kind = source.field(self.column, where), type(self.aggregation).__name__
        if field.is_text and not self.aggregation.of_texts:
            raise DefinitionError(
                f"{where}: {kind} of {self.column!r}, which is a text in {source.name!r}; {kind} needs a number. "
                f"Write {_of_texts()}, or name a column of numbers"
            )

    @property
    def features(self) -> tuple[tuple[str, Window], ...]:
        """Name and window of each feature."""
        return tuple((self.feature_name(over), over) for over in self.windows if isinstance(over, Window))

    def feature_name(self, over: Window) -> str:
        parts = (self.column, self.aggregation.name, format_duration(over.length))
        return "_".join(part for part in parts if part)


def _of_texts() -> str:
    *others, last = (f"{each.__name__}()" for each in Aggregation.__subclasses__() if each.of_texts)
    return f"{', '.join(others)} or {last}"
