"""Trials of a computation over rows in order of time: without what comes later, and with another clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.proofs.leaks.held_clock import LATER_US, NOON_US, clock_at
from training.proofs.leaks.leak import (
    CLOCK,
    FILE,
    LATER_ROWS,
    LATER_VALUES,
    NEIGHBOURS,
    STATE,
    Leak,
    Values,
    changed_features,
)
from training.proofs.leaks.outside import WATCH, foreign_files

Rows = NDArray[np.int64]
Compute = Callable[[Rows, NDArray[np.bool_]], Values]
"""From the places of rows, and which of them have altered inputs, to the values of these rows."""

_ALONE = 12
"""Rows that are computed one by one."""


def outside_leaks(
    compute: Callable[[], Values],
    as_of_us: NDArray[np.int64],
    allowed: tuple[Path, ...] = (),
    rounding: float | None = None,
) -> tuple[Values, list[Leak]]:
    """The values, and the features that follow a state, the clock or a file. compute: of all rows.

    allowed: files and folders that it may read. rounding: as of `changed_features`.
    """
    with WATCH.on() as opened, clock_at(NOON_US):
        whole = compute()
    with clock_at(NOON_US):
        leaks = changed_features(whole, compute(), as_of_us, STATE, rounding)
    with clock_at(LATER_US):
        leaks += changed_features(whole, compute(), as_of_us, CLOCK, rounding)
    for file in foreign_files(opened, allowed):
        leaks += [Leak(name, f"{FILE}: {file}") for name in whole]
    return whole, leaks


def row_leaks(
    compute: Compute, as_of_us: NDArray[np.int64], cuts_us: Rows, rounding: float | None = None
) -> list[Leak]:
    """The features of a row that change with other rows, with the clock, or with a file.

    as_of_us: of the rows, in order. cuts_us: instants after which rows are left out, or have other values.
    """
    every = np.arange(len(as_of_us))
    nothing = np.zeros(len(every), np.bool_)
    whole, leaks = outside_leaks(lambda: compute(every, nothing), as_of_us, rounding=rounding)
    for kept, later in cut_rows(as_of_us, cuts_us):
        known = {name: values[kept] for name, values in whole.items()}
        leaks += changed_features(known, compute(kept, nothing[kept]), as_of_us[kept], LATER_ROWS, rounding)
        altered = {name: values[kept] for name, values in compute(every, later).items()}
        leaks += changed_features(known, altered, as_of_us[kept], LATER_VALUES, rounding)
    for row in every[:: max(1, len(every) // _ALONE)]:
        alone = {name: values[row : row + 1] for name, values in whole.items()}
        found = compute(every[row : row + 1], nothing[:1])
        leaks += changed_features(alone, found, as_of_us[row : row + 1], NEIGHBOURS, rounding)
    return leaks


def cut_rows(as_of_us: NDArray[np.int64], cuts_us: Rows) -> Iterator[tuple[Rows, NDArray[np.bool_]]]:
    """For each cut, the rows up to it, and which come later. A cut behind the last row cuts nothing and is left out."""
    for cut_us in cuts_us:
        later = as_of_us > cut_us
        if later.any() and not later.all():
            yield np.flatnonzero(~later), later


def choose_cuts(as_of_us: NDArray[np.int64], count: int, seed: int) -> Rows:
    """Instants of rows, so that each cut has a row at its very instant, and some behind it."""
    distinct = np.unique(as_of_us)[:-1]
    chosen = np.random.default_rng(seed).choice(distinct, min(count, len(distinct)), replace=False)
    return np.sort(chosen)
