"""Missed ticks: those that fell while no scheduler ran, while the machine slept, or over which its clock jumped.

DBOS waits for the next tick of a schedule by a clock that does not jump, so it notices a jump at that tick only. Here
the clock of the machine is looked at again and again. A tick has one id, so one that was made up is not done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from dbos import DBOSClient

from training.scheduler.repeating import repeating
from training.scheduler.schedules.cron import next_tick, shortly_before
from training.scheduler.schedules.schedules import Schedules

_LOG = structlog.get_logger(part="scheduler")
_LATE = timedelta(seconds=30)
"""A tick that is later than that was missed: DBOS spreads the ticks of several schedulers over ten seconds."""


class MissedTicks:
    """The ticks of all schedules of a database. clock: that of the machine."""

    def __init__(self, client: DBOSClient, clock: Callable[[], datetime]) -> None:
        self._client, self._clock = client, clock
        self._made_up = dict[str, datetime]()

    def make_up(self, late: timedelta = _LATE) -> list[str]:
        """Fire each newest tick that is later than `late`; returns the ids. It stands for those before it."""
        found, now = list[str](), self._clock()
        for each in Schedules(self._client).all():
            if each.next_tick is None or each.last_tick is None:
                continue
            schedule = each.schedule
            last = max(each.last_tick, self._made_up.get(schedule.name, each.last_tick))
            if next_tick(schedule.cron, schedule.time_zone, last) > now - late:
                continue
            since = shortly_before(schedule.cron, schedule.time_zone, now, last)
            made_up = self._client.backfill_schedule(schedule.name, since, now)
            self._made_up[schedule.name] = now
            _LOG.info("made up", schedule=schedule.name, since=last.isoformat(), ticks=len(made_up))
            found += [tick.workflow_id for tick in made_up]
        return found


@contextmanager
def making_up(missed: MissedTicks, look_every_s: float) -> Iterator[None]:
    """Inside the block missed ticks are made up: at once, and again and again."""
    late = timedelta(0)

    def look() -> None:
        nonlocal late
        try:
            missed.make_up(late)
            late = _LATE
        except Exception:  # the database is unavailable, and is asked again soon
            _LOG.exception("looking for missed ticks failed")

    with repeating("missed ticks", look_every_s, look):
        yield
