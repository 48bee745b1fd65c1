"""The smallest row that fails: one in which as many features as possible are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Answers = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """The two that are compared: what was fitted and what was exported, and how far their answers lie apart."""

    fitted: Callable[[Matrix], Answers]
    exported: Callable[[Matrix], Answers]
    apart: Callable[[Answers, Answers], Answers]

    def difference(self, rows: Matrix) -> Answers:
        """float64[n], or [n, classes]"""
        return self.apart(self.fitted(rows), self.exported(rows))


@dataclass(frozen=True)
class SmallestCase:
    """features: name -> value of those that are there; all others are missing. fitted, exported: what is said of it."""

    features: tuple[tuple[str, float], ...]
    fitted: tuple[float, ...]
    exported: tuple[float, ...]

    def describe(self) -> str:
        """As in "rpm=12.5, all other features missing: fitted 0.25, exported 0.5"."""
        there = ", ".join(f"{name}={value:.9g}" for name, value in self.features) or "no feature"
        fitted, exported = (" ".join(f"{each:.9g}" for each in said) for said in (self.fitted, self.exported))
        return f"{there}, all other features missing: fitted {fitted}, exported {exported}"


def smallest_case(pair: Pair, row: Matrix, tolerance: float, names: tuple[str, ...] = ()) -> SmallestCase:
    """From a row that fails, float32[1, features]. Features are left out one after the other, while it still fails."""
    row = np.array(row)
    for column in range(row.shape[1]):
        without = row.copy()
        without[0, column] = np.nan
        if pair.difference(without).max() > tolerance:
            row = without
    there = np.flatnonzero(~np.isnan(row[0]))
    named = names or tuple(f"feature {at}" for at in range(row.shape[1]))
    return SmallestCase(
        tuple((named[at], float(row[0, at])) for at in there),
        tuple(np.ravel(pair.fitted(row)).tolist()),
        tuple(np.ravel(pair.exported(row)).tolist()),
    )
