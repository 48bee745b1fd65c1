"""What is expected of a training dataset, said beside the model that learns from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared_features.arguments import Checked, did_you_mean
from shared_features.counted import counted
from shared_features.definitions import FeatureView
from shared_features.errors import DefinitionError
from shared_features.kernel.event_time import spelled_duration


@dataclass(frozen=True)
class Expect(metaclass=Checked):
    """Of the values of one feature. low, high: both included; a missing value is neither too low nor too high.

    values: the only ones that a row may have, of a category under their own names. missing_share: of the rows, the
    largest that may lack the feature. warn: a run that finds otherwise says so and does not stop.
    """

    feature: str
    low: float | None = None
    high: float | None = None
    values: tuple[str | int | float | bool, ...] = ()
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
        return DefinitionError(f"Expect({self.feature!r}): {what}")


@dataclass(frozen=True)
class Rows(metaclass=Checked):
    """How many labelled rows a dataset has, all windows together."""

    at_least: int = 1
    at_most: int | None = None
    warn: bool = False

    def __post_init__(self) -> None:
        if self.at_least < 1 or (self.at_most is not None and self.at_most < self.at_least):
            raise DefinitionError(
                f"Rows(at_least={self.at_least}, at_most={self.at_most}): no dataset has so many; give 1 or more, and "
                "an at_most that is not below"
            )

    def __str__(self) -> str:
        most = "" if self.at_most is None else f" and at most {self.at_most:,}"
        return f"at least {counted(self.at_least, 'row')}{most}"


@dataclass(frozen=True)
class Newest(metaclass=Checked):
    """within: how long before the cut of the tables the newest labelled row may have happened.

    The delay of the label is part of it.
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

    A dataset leaves them out; many tell of a sender that repeats itself.
    """

    at_most: int = 0
    warn: bool = False

    def __post_init__(self) -> None:
        if self.at_most < 0:
            raise DefinitionError(f"Copies(at_most={self.at_most}): give 0 or more")

    def __str__(self) -> str:
        return f"at most {counted(self.at_most, 'copy', 'copies')} of events"


Expectation = Expect | Rows | Newest | Copies


def expectation_faults(expectations: Sequence[Expectation], view: FeatureView) -> Iterator[str]:
    """What is expected of a view's features and cannot be, and what to do."""
    features, categories = [each.name for each in view.columns], {each.name for _, each in view.categories}
    for each in expectations:
        if not isinstance(each, Expect):
            continue
        name = each.feature
        if name not in features:
            yield (
                f"expectations names {name!r}, which view {view.label} does not have; write a feature of the view."
                f"{did_you_mean(name, features)}"
            )
        elif name in categories and each.has_range:
            yield f"expectations: {name} is a category and has no range; write Expect({name!r}, values=(...))"
        elif name not in categories and any(isinstance(value, str) for value in each.values):
            yield f"expectations: {name} is a number, and its values are texts; write numbers"
