"""The horizon of a label: how far ahead a column looks that is named so, as in `load_in_30min` or `next_day_sales`."""

from __future__ import annotations

import re

from deploy.project.field_names import words
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US, SECOND_US

_AHEAD = {"next", "tomorrow", "future", "ahead", "upcoming", "following"}
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), SECOND_US),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), MINUTE_US),
    **dict.fromkeys(("h", "hr", "hour", "hours"), HOUR_US),
    **dict.fromkeys(("d", "day", "days", "tomorrow"), DAY_US),
    **dict.fromkeys(("w", "week", "weeks"), 7 * DAY_US),
}
_SPAN = re.compile(r"\d+")


def horizon_us(name: str) -> int | None:
    """How far the name looks ahead; 0 where it does not say how far, None where it does not look ahead.

    >>> horizon_us("temperature_in_30min_c"), horizon_us("salesNextDay"), horizon_us("next_value")
    (1800000000, 86400000000, 0)
    >>> horizon_us("price_in_euro"), horizon_us("sales_30d")
    (None, None)
    """
    found = words(name)
    for at, word in enumerate(found):
        rest = found[at + 1 :]
        if word in ("in", "after", "next") and len(rest) > 1 and _SPAN.fullmatch(rest[0]) and rest[1] in _UNITS:
            return int(rest[0]) * _UNITS[rest[1]]
        if word in _AHEAD:
            return next((_UNITS[each] for each in (word, *rest[:1]) if each in _UNITS), 0)
    return None
