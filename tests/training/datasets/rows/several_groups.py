"""A view with columns that take stored features of several groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tests.domains.machines import BREAKDOWN


def over_plant(celsius_mean_1h: Any, celsius_max_1d: Any) -> Any:
    """The machine's mean of the hour over the plant's maximum of the day. NaN without history."""
    return np.divide(celsius_mean_1h, celsius_max_1d)


def over_spread(celsius_mean_1h: Any, celsius_max_1d: Any, celsius_std_1h: Any) -> Any:
    """How far the plant's maximum of the day is from the machine's mean of the hour, in its deviations."""
    return np.divide(np.subtract(celsius_max_1d, celsius_mean_1h), celsius_std_1h)


HOTTER_PLANT = replace(BREAKDOWN, features=(*BREAKDOWN.features, over_plant, over_spread))
