"""Lengths of time, as a module and as people write them."""

from __future__ import annotations

from shared_features.kernel.event_time import DAY_US, SECOND_US

_UNITS = (("days", DAY_US), ("hours", 3_600 * SECOND_US), ("minutes", 60 * SECOND_US))


def delay(length_us: int) -> str:
    """A length rounded up, as it is written in a module: days where it is two days or more, or one day and no more.

    >>> delay(107_000_000_000), delay(60_000_000)
    ('hours(30)', 'minutes(1)')
    """
    for name, unit_us in _UNITS:
        if length_us >= 2 * unit_us or length_us == unit_us:
            return f"{name}({-(-length_us // unit_us)})"
    return f"seconds({-(-length_us // SECOND_US)})"


def spelled_length(length_us: int) -> str:
    """A length as people say it.

    >>> spelled_length(90_000_000)
    '1.5 minutes'
    """
    for name, unit_us in _UNITS:
        if length_us >= unit_us:
            return f"{length_us / unit_us:.2g} {name}"
    return f"{length_us / SECOND_US:.2g} seconds"
