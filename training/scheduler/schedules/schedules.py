"""The schedules as people and other programs see them: added, listed, paused, removed, fired by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dbos import DBOSClient

from training.errors import UnknownNameError
from training.scheduler.schedules.cron import check_cron, next_tick
from training.scheduler.schedules.past_ticks import FIRING, past_ticks
from training.scheduler.schedules.tick import SINCE, TICK_WORKFLOW, Schedule, checked, schedule_of

_ACTIVE = "ACTIVE"
_FEW = 3


@dataclass(frozen=True)
class ScheduleState:
    """next_tick: None while it is paused. last_tick: the last one that fired, or when it was put or resumed later.

    said: what the last one that fired has said, or why it failed; empty before the first one.
    """

    schedule: Schedule
    next_tick: datetime | None
    last_tick: datetime | None
    said: str = ""

    def due(self, now: datetime) -> datetime | None:
        """The tick that should have fired by now and has not; None: there is none."""
        if self.next_tick is None or self.last_tick is None:
            return None
        following = next_tick(self.schedule.cron, self.schedule.time_zone, self.last_tick)
        return following if following <= now else None


class Schedules:
    """The schedules of a database of runs. They survive restarts; a scheduler notices a change within seconds."""

    def __init__(self, client: DBOSClient) -> None:
        self._client = client

    def put(self, schedule: Schedule) -> None:
        """Add a schedule, or replace the one of that name. Raises RequestError for one that cannot be."""
        plain = checked(schedule)
        check_cron(schedule.cron, schedule.time_zone)
        found = self._client.get_schedule(schedule.name)
        same = found is not None and schedule_of(found["context"]) == schedule
        since = found["context"].get(SINCE) if found is not None and same else None
        self._apply(schedule, {**plain, SINCE: since or _now()})

    def _apply(self, schedule: Schedule, context: dict[str, Any]) -> None:
        """Missed ticks are made up by `missed_ticks`, also those before the first one that fires."""
        self._client.apply_schedules(
            [
                {
                    "schedule_name": schedule.name,
                    "workflow_name": TICK_WORKFLOW,
                    "schedule": schedule.cron,
                    "cron_timezone": schedule.time_zone,
                    "context": context,
                    "automatic_backfill": False,
                }
            ]
        )

    def all(self) -> Iterator[ScheduleState]:
        """By name."""
        for each in sorted(self._client.list_schedules(), key=lambda found: found["schedule_name"]):
            schedule = schedule_of(each["context"])
            since = each["context"].get(SINCE)
            last = [datetime.fromisoformat(at) for at in (each["last_fired_at"], since) if at]
            ticks = past_ticks(self._client, schedule.name, _FEW)  # also those that were made up
            ticks = [tick for tick in ticks if not since or tick.at > datetime.fromisoformat(since)]
            last += [tick.at for tick in ticks]
            active = each["status"] == _ACTIVE
            yield ScheduleState(
                schedule,
                next_tick(schedule.cron, schedule.time_zone, datetime.now(UTC)) if active else None,
                max(last, default=None),
                next((tick.describe() for tick in ticks if tick.outcome != FIRING), ""),
            )

    def remove(self, name: str) -> None:
        self._client.delete_schedule(self._known(name))

    def pause(self, name: str) -> None:
        self._client.pause_schedule(self._known(name))

    def resume(self, name: str) -> None:
        """The ticks of the pause are not made up."""
        self._known(name)
        found = self._client.get_schedule(name)
        if found is not None:
            self._apply(schedule_of(found["context"]), {**found["context"], SINCE: _now()})
        self._client.resume_schedule(name)

    def _known(self, name: str) -> str:
        if self._client.get_schedule(name) is None:
            known = ", ".join(each["schedule_name"] for each in self._client.list_schedules()) or "none"
            raise UnknownNameError(f"There is no schedule {name!r}. There are: {known}.")
        return name


def _now() -> str:
    return datetime.now(UTC).isoformat()
