"""Sampled inputs: what on-demand functions were given at some rows of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.datasets.point_in_time import JoinedRows

_ROWS = 2_000


@dataclass(frozen=True)
class SampledInputs:
    """What on-demand functions were given at some of the rows; the certificate computes them again, one by one."""

    request: Mapping[str, NDArray[np.float64]]
    stored: Mapping[str, NDArray[np.float64]]
    as_of_us: NDArray[np.int64]


def sample_inputs(rows: JoinedRows, seed: int) -> SampledInputs:
    """The inputs at up to 2,000 rows, chosen with the seed."""
    count = min(_ROWS, len(rows.offset))
    chosen = np.sort(np.random.default_rng(seed).choice(len(rows.offset), count, replace=False))
    return SampledInputs(
        request={name: values[chosen] for name, values in rows.request.items()},
        stored={name: values[chosen] for name, values in rows.stored.items()},
        as_of_us=rows.event_time_us[chosen],
    )
