"""Cron lines in a time zone: checked, and what they mean where a clock is changed.

As DBOS reads them: five fields, or six with seconds first. An hour that a clock change skips: a time in it fires when
the hour would have been over. An hour that occurs twice: a line that names hours fires in the first one only; a line
with `*` for the hour fires in both.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from croniter import croniter
from croniter.croniter import CroniterBadDateError

from shared_features.arguments import did_you_mean
from training.errors import RequestError

_WITH_SECONDS = 6
_FEW = 10
_HALF = timedelta(milliseconds=500)


def check_cron(line: str, time_zone: str) -> None:
    """Raises RequestError for a line or a time zone that does not exist, and for a line that never fires."""
    zone(time_zone)
    if not croniter.is_valid(line, second_at_beginning=True):
        raise RequestError(
            f"Cron line {line!r} cannot be read. Give five fields (minute hour day month weekday), such as '0 3 * * *' "
            "for each day at 3:00.",
            "$.cron",
        )
    try:
        next_tick(line, time_zone, datetime.now(UTC))
    except CroniterBadDateError as error:
        raise RequestError(
            f"Cron line {line!r} never fires: no such day exists. Correct its day and month.", "$.cron"
        ) from error


def next_tick(line: str, time_zone: str, after: datetime) -> datetime:
    """The first instant after `after` at which a line fires, in its time zone."""
    ticks = croniter(line, after.astimezone(zone(time_zone)), second_at_beginning=True)
    while True:
        tick: datetime = ticks.get_next(datetime)
        if not is_second_time(line, time_zone, tick):
            return tick


def shortly_before(line: str, time_zone: str, now: datetime, since: datetime) -> datetime:
    """An instant from `since` on, between which and now there are few ticks, and the newest one.

    There must be a tick between `since` and now.
    """
    ticks = croniter(line, now.astimezone(zone(time_zone)), second_at_beginning=True)
    for _ in range(_FEW):
        # Where a clock is changed, what lies behind may be a tick that `next_tick` has elsewhere.
        before: datetime = ticks.get_prev(datetime) - _HALF
        if before <= since or next_tick(line, time_zone, before) <= now:
            return max(before, since)
    return since


def is_second_time(line: str, time_zone: str, tick: datetime) -> bool:
    """Whether a tick is the second one of an hour that occurs twice, of a line that names its hours."""
    fields = line.split()
    hour = fields[2 if len(fields) == _WITH_SECONDS else 1] if len(fields) > 1 else "*"
    return not hour.startswith("*") and tick.astimezone(zone(time_zone)).fold == 1


@cache
def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RequestError(
            f"There is no time zone {name!r}. Give a name such as Europe/Berlin or UTC."
            f"{did_you_mean(name, available_timezones())}",
            "$.time_zone",
        ) from error
