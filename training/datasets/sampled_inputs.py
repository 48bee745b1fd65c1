"""Sampled inputs: what on-demand functions were given at some rows of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROWS = 2_000


@dataclass(frozen=True)
class SampledInputs:
    """What on-demand functions were given at some of the rows; the certificate computes them again, one by one.

    A stored feature that no column of the view takes may be NaN.
    """

    request: Mapping[str, NDArray[np.float64]]
    stored: Mapping[str, NDArray[np.float64]]
    as_of_us: NDArray[np.int64]


def sampled_rows(count: int, seed: int) -> NDArray[np.int64]:
    """Up to 2,000 of so many rows, chosen with the seed, in order."""
    return np.sort(np.random.default_rng(seed).choice(count, min(_ROWS, count), replace=False))
