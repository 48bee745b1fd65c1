"""The times of rows that were seen: the first, the newest, and rows so far ahead of all others that they mislead."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from shared_features.kernel.event_time import HOUR_US

_MANY_TIMES = 10
_PART = 20
_DAY_HOURS = 24
_FEW = 1_000
_ENOUGH_ROWS = 20


class Newest(NamedTuple):
    """time_us: of the newest row but stragglers. stragglers: rows far ahead of it. farthest_us: of the last."""

    time_us: int
    stragglers: int
    farthest_us: int


class SeenTimes:
    """Remembers the hours in which rows lie, not each row: a file may be longer than the memory."""

    def __init__(self) -> None:
        self.earliest_us: int | None = None
        self._hours: dict[int, tuple[int, int]] = {}

    def note(self, time_us: int) -> None:
        self.earliest_us = time_us if self.earliest_us is None else min(self.earliest_us, time_us)
        hour = time_us // HOUR_US
        count, newest_us = self._hours.get(hour, (0, time_us))
        self._hours[hour] = count + 1, max(newest_us, time_us)

    @property
    def newest(self) -> Newest | None:
        """None where no row has a time."""
        return newest_of([self])

    def after(self, time_us: int) -> tuple[int, int]:
        """How many rows lie in a later hour than an instant, and the time of the newest row of all."""
        later = [rows for hour, rows in self._hours.items() if hour > time_us // HOUR_US]
        return sum(count for count, _ in later), max((newest_us for _, newest_us in later), default=time_us)

    def hours(self) -> Iterable[tuple[int, tuple[int, int]]]:
        """Hour -> the number of its rows, and the time of the newest of them."""
        return self._hours.items()


def newest_of(many: Iterable[SeenTimes]) -> Newest | None:
    """The newest row of all of them. None where no row has a time.

    A straggler is one row, or at most one of a thousand. It lies ahead of all others by more than a day, by more than
    ten times the longest pause between those, and by more than a twentieth of their span.
    """
    rows: dict[int, tuple[int, int]] = {}
    for each in many:
        for hour, (count, newest_us) in each.hours():
            known = rows.get(hour, (0, newest_us))
            rows[hour] = known[0] + count, max(known[1], newest_us)
    if not rows:
        return None
    hours = sorted(rows)
    kept = _without_stragglers(hours, [rows[hour][0] for hour in hours])
    ahead = sum(rows[hour][0] for hour in hours[kept:])
    return Newest(rows[hours[kept - 1]][1], ahead, rows[hours[-1]][1])


def _without_stragglers(hours: list[int], counts: list[int]) -> int:
    """How many of the hours hold no straggler: the fewest that leave few enough rows behind a long pause."""
    few, pauses = max(1, sum(counts) // _FEW), [after - before for before, after in pairwise(hours)]
    longest = [1]  # up to and with each hour
    for pause in pauses:
        longest.append(max(longest[-1], pause))
    kept, ahead = len(hours), 0
    for at in range(len(hours) - 1, 0, -1) if sum(counts) >= _ENOUGH_ROWS else ():
        ahead += counts[at]
        if ahead > few:
            break
        span = hours[at - 1] - hours[0]
        if pauses[at - 1] > max(_DAY_HOURS, _MANY_TIMES * longest[at - 1], span // _PART):
            kept = at
    return kept
