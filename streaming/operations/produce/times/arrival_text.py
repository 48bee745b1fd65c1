"""What `--arrival` says: the column of the time at which rows became known, or how long after that they did."""

from __future__ import annotations

import re
from typing import NamedTuple

from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US, SECOND_US

_UNITS_US = {"s": SECOND_US, "min": MINUTE_US, "h": HOUR_US, "d": DAY_US}
_WRITTEN = re.compile(r"(?P<column>.*?)(?:\+(?P<count>\d{1,9})(?P<unit>s|min|h|d))?", re.DOTALL)


class ArrivalText(NamedTuple):
    """column: None is the event time. after_us: a row became known so much after that time."""

    column: str | None
    after_us: int


def arrival_text(written: str) -> ArrivalText:
    """`noted_at`, `+1h` (after the event time) or `noted_at+2d`. Units: s, min, h, d."""
    found = _WRITTEN.fullmatch(written)
    if found is None or found["count"] is None:
        return ArrivalText(written or None, 0)
    return ArrivalText(found["column"] or None, int(found["count"]) * _UNITS_US[found["unit"]])


def written_after(after_us: int) -> str:
    """How `arrival_text` reads this length, in the largest unit that has it whole: `+1h`. Empty of 0."""
    unit = next((name for name in reversed(_UNITS_US) if after_us and after_us % _UNITS_US[name] == 0), None)
    return "" if unit is None else f"+{after_us // _UNITS_US[unit]}{unit}"
