"""What is expected of data: of a training dataset beside its model, of a stream beside its event source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared_features.arguments import Checked
from shared_features.counted import counted
from shared_features.errors import DefinitionError
from shared_features.kernel.event_time import spelled_duration

Value = str | int | float | bool


@dataclass(frozen=True)
class Expect(metaclass=Checked):
    """Of the values of one column: a feature of a dataset, a field of events.

    low, high: both included; a missing value is neither too low nor too high. values: the only ones that a row may
    have, of a category under their own names. missing_share: of the rows, the largest that may lack a value. warn: a
    training run that finds otherwise says so and does not stop. A stream never stops: it logs a warning, else an error.
    """

    column: str
    low: float | None = None
    high: float | None = None
    values: tuple[Value, ...] = ()
    missing_share: float | None = None
    warn: bool = False

    def __post_init__(self) -> None:
        if not self.has_range and not self.values and self.missing_share is None:
            raise self._wrong("nothing is expected; give low, high, values or missing_share")
        if self.has_range and self.values:
            raise self._wrong("a range and values are given; give one of them")
        if self.low is not None and self.high is not None and not self.low <= self.high:
            raise self._wrong(f"low is {self.low:g}, above high, which is {self.high:g}; swap or change them")
        if self.missing_share is not None and not 0 <= self.missing_share < 1:
            raise self._wrong(f"missing_share is {self.missing_share:g}; give 0 or more and less than 1, such as 0.2")

    @property
    def has_range(self) -> bool:
        return self.low is not None or self.high is not None

    def _wrong(self, what: str) -> DefinitionError:
        return DefinitionError(f"Expect({self.column!r}): {what}")


@dataclass(frozen=True)
class Rows(metaclass=Checked):
    """How many labelled rows a dataset has, all windows together.

    every: of a stream, the span of arrival time in which so many events come.
    """

    at_least: int = 1
    at_most: int | None = None
    warn: bool = False
    every: timedelta | None = None

    def __post_init__(self) -> None:
        if self.at_least < 1 or (self.at_most is not None and self.at_most < self.at_least):
            raise DefinitionError(
                f"Rows(at_least={self.at_least}, at_most={self.at_most}): no dataset has so many; give 1 or more, and "
                "an at_most that is not below"
            )
        _refuse_no_time("Rows", self.every)

    def __str__(self) -> str:
        most = "" if self.at_most is None else f" and at most {self.at_most:,}"
        return f"at least {counted(self.at_least, 'row')}{most}{_every(self.every)}"

    def is_met(self, rows: int) -> bool:
        return self.at_least <= rows and (self.at_most is None or rows <= self.at_most)


@dataclass(frozen=True)
class Newest(metaclass=Checked):
    """within: how long before the cut of the tables the newest labelled row may have happened.

    The delay of the label is part of it. Of a stream: how long before the newest arrival time the newest event may have
    happened.
    """

    within: timedelta
    warn: bool = False

    def __post_init__(self) -> None:
        if self.within <= timedelta(0):
            raise DefinitionError(f"Newest(within={self.within}): give more than zero, such as days(2)")

    def __str__(self) -> str:
        return f"newest row within {spelled_duration(self.within)} of the cut"


@dataclass(frozen=True)
class Copies(metaclass=Checked):
    """at_most: how many further positions may hold an event again.

    A dataset leaves them out; many tell of a sender that repeats itself. every: of a stream, the span of arrival time
    in which they are counted.
    """

    at_most: int = 0
    warn: bool = False
    every: timedelta | None = None

    def __post_init__(self) -> None:
        if self.at_most < 0:
            raise DefinitionError(f"Copies(at_most={self.at_most}): give 0 or more")
        _refuse_no_time("Copies", self.every)

    def __str__(self) -> str:
        return f"at most {counted(self.at_most, 'copy', 'copies')} of events{_every(self.every)}"


Expectation = Expect | Rows | Newest | Copies


def _refuse_no_time(what: str, every: timedelta | None) -> None:
    if every is not None and every <= timedelta(0):
        raise DefinitionError(f"{what}(every={every}): give more than zero, such as hours(1)")


def _every(every: timedelta | None) -> str:
    return "" if every is None else f" every {spelled_duration(every)}"
