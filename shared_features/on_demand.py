"""On-demand features: functions of the request and of stored features, run alike by serving and training.

A function's name is the feature, its parameters are its inputs: a field of the request, a stored feature by its
short name, or `as_of_us`, the instant of the request. Floats or arrays alike; no I/O, no clock. NaN is unknown.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US


def amount_over_mean_7d(amount: Floats, amount_mean_7d: Floats) -> Any:
    """How many times the customer's usual ticket this one is.

    Unit: ratio. Shape: as `amount`. NaN when the customer has no history; never 0 for "unknown".

    >>> float(amount_over_mean_7d(30.0, 10.0))
    3.0
    """
    return np.divide(amount, amount_mean_7d)


def amount_over_max_30d(amount: Floats, amount_max_30d: Floats) -> Any:
    """How many times the customer's largest ticket of the month this one is. Unit: ratio; NaN without history.

    >>> float(amount_over_max_30d(30.0, 60.0))
    0.5
    """
    return np.divide(amount, amount_max_30d)


def amount_z_score_30d(amount: Floats, amount_mean_30d: Floats, amount_std_30d: Floats) -> Any:
    """How many standard deviations above the customer's mean of the month this ticket is.

    Unit: standard deviations. NaN below two transactions, and where all of them were equal.

    >>> float(amount_z_score_30d(30.0, 10.0, 5.0))
    4.0
    """
    spread = np.where(np.greater(amount_std_30d, 0.0), amount_std_30d, np.nan)
    return np.divide(np.subtract(amount, amount_mean_30d), spread)


def is_night(as_of_us: NDArray[np.int64]) -> Any:
    """1.0 from midnight until six in the morning UTC, else 0.0. In the Fraud Detection Handbook, until seven.

    >>> float(is_night(3 * 3_600_000_000))
    1.0
    """
    return np.where(np.mod(as_of_us, _DAY_US) < 6 * _HOUR_US, 1.0, 0.0)


def is_weekend(as_of_us: NDArray[np.int64]) -> Any:
    """1.0 on a Saturday or Sunday UTC, else 0.0. The epoch was a Thursday.

    >>> [float(is_weekend(day * 86_400_000_000)) for day in range(5)]
    [0.0, 0.0, 1.0, 1.0, 0.0]
    """
    return np.where(np.mod(np.floor_divide(as_of_us, _DAY_US) + 3, 7) >= 5, 1.0, 0.0)


def hour_of_day(as_of_us: NDArray[np.int64]) -> Any:
    """Hours since midnight UTC with their fraction, 0 to below 24.

    >>> float(hour_of_day(5_400_000_000))
    1.5
    """
    return np.divide(np.mod(as_of_us, _DAY_US), float(_HOUR_US))


def is_other_terminal(terminal_id: Floats, terminal_id_last_30d: Floats) -> Any:
    """1.0 when the card is not where it was last presented, 0.0 when it is; NaN without history.

    >>> float(is_other_terminal(7.0, 8.0))
    1.0
    """
    differs = np.where(np.equal(terminal_id, terminal_id_last_30d), 0.0, 1.0)
    return np.where(np.isnan(terminal_id_last_30d), np.nan, differs)


def spending_speed(amount_sum_1d: Floats, amount_sum_30d: Floats) -> Any:
    """The last day's spending over the mean day's of the month. Unit: ratio; NaN when the month is empty.

    >>> float(spending_speed(20.0, 300.0))
    2.0
    """
    daily = np.divide(amount_sum_30d, 30.0)
    return np.divide(amount_sum_1d, np.where(np.greater(daily, 0.0), daily, np.nan))


def share_of_month_in_last_hour(amount_count_1h: Floats, amount_count_30d: Floats) -> Any:
    """Which share of the month's transactions fell into the last hour. Unit: 0 to 1; NaN when the month is empty.

    >>> float(share_of_month_in_last_hour(1.0, 4.0))
    0.25
    """
    return np.divide(amount_count_1h, np.where(np.greater(amount_count_30d, 0.0), amount_count_30d, np.nan))


def amount_cents(amount: Floats) -> Any:
    """The cents of the ticket: round tickets are 0. Unit: cents, 0 to 99.

    >>> float(amount_cents(12.34))
    34.0
    """
    return np.mod(np.rint(np.multiply(amount, 100.0)), 100.0)
