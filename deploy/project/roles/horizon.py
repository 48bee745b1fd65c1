"""The horizon of a label: how far ahead a column looks that is named so: `load_in_30min`, `failed_within_a_day`."""

from __future__ import annotations

import re

from deploy.project.columns.field_names import words
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US, SECOND_US

_AHEAD = {"next", "tomorrow", "future", "ahead", "upcoming", "following"}
_BEFORE_A_SPAN = ("in", "within", "after", "next")
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), SECOND_US),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), MINUTE_US),
    **dict.fromkeys(("h", "hr", "hour", "hours"), HOUR_US),
    **dict.fromkeys(("d", "day", "days", "tomorrow"), DAY_US),
    **dict.fromkeys(("w", "week", "weeks"), 7 * DAY_US),
}
_SPAN = re.compile(r"\d+")
_ONE = dict.fromkeys(("a", "an", "one"), 1)


def horizon_us(name: str) -> int | None:
    """How far the name looks ahead; 0 where it does not say how far, None where it does not look ahead.

    >>> horizon_us("temperature_in_30min_c"), horizon_us("salesNextDay"), horizon_us("next_value")
    (1800000000, 86400000000, 0)
    >>> horizon_us("price_in_euro"), horizon_us("sales_30d")
    (None, None)
    >>> horizon_us("failed_within_a_minute"), horizon_us("churned_within_90_days")
    (60000000, 7776000000000)
    """
    found = words(name)
    for at, word in enumerate(found):
        rest = found[at + 1 :]
        if word in _BEFORE_A_SPAN and len(rest) > 1 and rest[1] in _UNITS:
            if _SPAN.fullmatch(rest[0]):
                return int(rest[0]) * _UNITS[rest[1]]
            if rest[0] in _ONE:
                return _UNITS[rest[1]]
        if word in _AHEAD:
            return next((_UNITS[each] for each in (word, *rest[:1]) if each in _UNITS), 0)
    return None
