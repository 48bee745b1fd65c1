"""A leak: a feature whose value changes with what nobody could know at its instant, and what that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.kernel.event_time import to_text
from training.errors import LeakError

LATER_EVENTS = "events that happened later"
OWN_INSTANT = "events of the same instant, its own among them"
NOT_ARRIVED = "events that had not arrived yet"
LATER_VALUES = "what later events say"
LATER_ROWS = "rows that come later"
OWN_ROW = "rows of the same instant, itself among them"
NEIGHBOURS = "the rows it is computed with"
UNKNOWN_LABELS = "labels that were not known yet"
STATE = "what was computed before"
CLOCK = "the clock"
FILE = "a file or connection"

Values = Mapping[str, NDArray[Any]]
"""Feature -> the value of each row."""

_ROUNDING = 1e-9
"""Of the largest value of a feature: sums of floats may be taken in another order when there are fewer rows."""


@dataclass(frozen=True)
class Leak:
    """One feature that leaks. cause: what its value changes with. as_of_us: the instant of the first such row.

    value, other: of that row, as it is and with less of the future. rows: how many of `compared` rows change.
    """

    feature: str
    cause: str
    as_of_us: int = 0
    value: str = ""
    other: str = ""
    rows: int = 0
    compared: int = 0

    def describe(self) -> str:
        """One sentence."""
        if not self.compared:
            return f"{self.feature} reads {self.cause}"
        return (
            f"{self.feature} changes with {self.cause}: as of {to_text(self.as_of_us)} it is {self.value}, in the "
            f"trial {self.other} ({self.rows:,} of {counted(self.compared, 'row')})"
        )


@dataclass(frozen=True)
class LeakReport:
    """What the gate found. checked: kind of check -> how many features. too_good: feature -> how well it alone tells.

    unchecked: what could not be looked at, with the reason.
    """

    leaks: tuple[Leak, ...] = ()
    checked: Mapping[str, int] = field(default_factory=dict)
    too_good: Mapping[str, str] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()

    def joined(self, other: LeakReport) -> LeakReport:
        """Both reports as one."""
        return LeakReport(
            (*self.leaks, *other.leaks),
            {**self.checked, **other.checked},
            {**self.too_good, **other.too_good},
            (*self.unchecked, *other.unchecked),
        )

    @property
    def plain(self) -> dict[str, Any]:
        """As one JSON document."""
        return {
            "leaks": [asdict(each) for each in self.leaks],
            "checked": dict(self.checked),
            "too_good_alone": dict(self.too_good),
            "unchecked": list(self.unchecked),
        }

    def lines(self) -> list[str]:
        """For people: the leaks first."""
        found = [f"LEAK  {each.describe()}" for each in self.leaks]
        found += [f"look  {name} alone {says}. Is it known before the label?" for name, says in self.too_good.items()]
        found += [f"note  {each}" for each in self.unchecked]
        return [*found, f"checked: {self.counts}"]

    @property
    def counts(self) -> str:
        """What was looked at, in a few words."""
        return ", ".join(_counted(count, kinds) for kinds, count in self.checked.items()) or "nothing"


def _counted(count: int, kinds: str) -> str:
    """kinds: a plural, and of what they are, as in `columns of step good`."""
    name, of, what = kinds.partition(" of ")
    return f"{count:,} {name.removesuffix('s') if count == 1 else name}{of}{what}"


def require_no_leak(report: LeakReport) -> None:
    """Raises LeakError that names each leak."""
    if report.leaks:
        said = ". ".join(each.describe() for each in report.leaks)
        raise LeakError(
            f"{counted(len(report.leaks), 'leak')} of the future: {said}. Compute the feature from what is known "
            "before its instant, or take it out of the view."
        )


def changed_features(
    whole: Values, again: Values, as_of_us: NDArray[np.int64], cause: str, rounding: float | None = None
) -> list[Leak]:
    """The features whose values differ. whole, again: of the same rows, with and without a part of the future.

    rounding: by which part of the largest value numbers may differ; None: what another order of sums of float64 makes.
    """
    found = []
    for name, values in whole.items():
        other = again.get(name)
        differs = (
            np.ones(len(values), np.bool_)
            if other is None
            else different(values, other, _ROUNDING if rounding is None else rounding)
        )
        if differs.any():
            row = int(np.flatnonzero(differs)[0])
            says = "missing" if other is None else _said(other[row])
            rows, compared = int(differs.sum()), len(differs)
            found.append(Leak(name, cause, int(as_of_us[row]), _said(values[row]), says, rows, compared))
    return found


def different(values: NDArray[Any], other: NDArray[Any], rounding: float = _ROUNDING) -> NDArray[np.bool_]:
    """bool[n]: where the values are not the same. Two missing values are; numbers may differ by a rounding."""
    if values.dtype.kind not in "biuf" or other.dtype.kind not in "biuf":
        pairs = zip(values.tolist(), other.tolist(), strict=True)
        return np.fromiter((a != b and not (a != a and b != b) for a, b in pairs), np.bool_, len(values))
    ours, theirs = values.astype(np.float64), other.astype(np.float64)
    finite = np.abs(ours[np.isfinite(ours)])
    room = rounding * float(finite.max(initial=0.0))
    with np.errstate(invalid="ignore"):
        same: NDArray[np.bool_] = (ours == theirs) | (np.abs(ours - theirs) <= room)
    same |= np.isnan(ours) & np.isnan(theirs)
    return ~same


def first_of_each(leaks: Sequence[Leak]) -> tuple[Leak, ...]:
    """One leak per feature and cause: of several instants the first.

    What follows a state is told as that alone, and so is what follows the clock: its values differ in every other trial
    too, whatever the trial changes.
    """
    kept: dict[tuple[str, str], Leak] = {}
    for each in leaks:
        kept.setdefault((each.feature, each.cause), each)
    alone = {feature: cause for hides in (CLOCK, STATE) for feature, cause in kept if cause == hides}
    return tuple(each for each in kept.values() if alone.get(each.feature, each.cause) == each.cause)


def _said(value: Any) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    return "missing" if plain is None or plain != plain else f"{plain:.9g}" if isinstance(plain, float) else repr(plain)
