"""The pinball loss: how good a value is as a quantile, as in "no more than this in nine cases of ten".

Koenker and Bassett, *Regression Quantiles* (Econometrica, 1978). Its mean is the least where that share of the labels
lies below the value. At 50 percent it is half of the absolute error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def pinball(label: NDArray[np.float64], value: NDArray[Any], percent: int) -> NDArray[np.float64]:
    """Of each row, in the unit of the label: what a label above its value costs, `percent` of the distance, or else the
    rest of it.
    """
    short = label - np.asarray(value, np.float64)
    loss: NDArray[np.float64] = np.where(short >= 0, percent, percent - 100) / 100 * short
    return loss
