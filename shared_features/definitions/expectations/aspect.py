"""An aspect of a column: one thing that is expected of its values, and which of them fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions.expectations.expectation import Expect, Value

Bools = NDArray[np.bool_]
Fails = Callable[[NDArray[Any], Bools], Bools]


class Scale(Protocol):
    """How a column stores the values that a definition writes."""

    def low(self, bound: float) -> float:
        """The least stored value that is not below a bound."""

    def high(self, bound: float) -> float:
        """The largest stored value that is not above a bound."""

    def among(self, values: Sequence[Value]) -> NDArray[Any]:
        """The stored values that mean one of these. What the column cannot store is left out."""


@dataclass(frozen=True)
class Aspect:
    """name: as in "price range". expects, which: in words. allowed: the share of rows that may fail.

    fails: from stored values [n] and bool[n], which are missing, to bool[n], which fail.
    """

    column: str
    name: str
    expects: str
    which: str
    allowed: float
    warn: bool
    fails: Fails

    def is_met(self, failing: int, rows: int) -> bool:
        return failing <= 0 or failing / rows <= self.allowed


def aspects_of(expectation: Expect, scale: Scale) -> Iterator[Aspect]:
    """Each thing that is expected of a column, on its own."""
    if (share := expectation.missing_share) is not None:
        expects = f"{expectation.column} missing in at most {share:.4g} of the rows"
        yield _aspect(expectation, "missing", expects, "lack it", _missing, share)
    if expectation.has_range:
        yield _aspect(expectation, "range", _range(expectation), "are outside", _outside(expectation, scale))
    if expectation.values:
        expects = f"{expectation.column} one of {', '.join(map(str, expectation.values))}"
        fails = _none_of(scale.among(expectation.values))
        yield _aspect(expectation, "values", expects, "have another value", fails)


def _aspect(expectation: Expect, name: str, expects: str, which: str, fails: Fails, allowed: float = 0.0) -> Aspect:
    column = expectation.column
    return Aspect(column, f"{column} {name}", expects, which, allowed, expectation.warn, fails)


def _missing(_: NDArray[Any], missing: Bools) -> Bools:
    return missing


def _outside(expectation: Expect, scale: Scale) -> Fails:
    low = None if expectation.low is None else scale.low(expectation.low)
    high = None if expectation.high is None else scale.high(expectation.high)

    def fails(values: NDArray[Any], missing: Bools) -> Bools:
        outside = np.zeros(len(values), np.bool_)
        if low is not None:
            outside |= values < low
        if high is not None:
            outside |= values > high
        return outside & ~missing

    return fails


def _none_of(known: NDArray[Any]) -> Fails:
    def fails(values: NDArray[Any], missing: Bools) -> Bools:
        other: Bools = ~missing & ~np.isin(values, known)
        return other

    return fails


def _range(expectation: Expect) -> str:
    low = None if expectation.low is None else f"from {expectation.low:.6g}"
    high = None if expectation.high is None else f"to {expectation.high:.6g}"
    return " ".join(filter(None, (expectation.column, low, high)))
