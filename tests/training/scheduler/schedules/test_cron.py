"""Cron lines: refused where they cannot fire, and certain where a clock is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from training.errors import RequestError
from training.scheduler.schedules.cron import check_cron, is_second_time, next_tick, shortly_before

BERLIN = "Europe/Berlin"


def ticks(line: str, after: str, count: int) -> list[str]:
    """Local times with their distance from UTC, month, day and hour of each of the next ticks in Berlin."""
    found, at = list[str](), datetime.fromisoformat(after)
    for _ in range(count):
        at = next_tick(line, BERLIN, at)
        found.append(f"{at:%m-%d %H:%M %z}")
    return found


@pytest.mark.parametrize(
    ("line", "zone", "said"),
    [
        ("0 3 * *", "UTC", r"Cron line '0 3 \* \*' cannot be read. Give five fields"),
        ("61 * * * *", "UTC", r"cannot be read"),
        ("", "UTC", r"cannot be read"),
        ("0 0 30 2 *", "UTC", r"Cron line '0 0 30 2 \*' never fires: no such day exists"),
        ("0 3 * * *", "Europe/Berln", r"There is no time zone 'Europe/Berln'.*Did you mean .*Europe/Berlin"),
        ("0 3 * * *", "../../etc/passwd", r"There is no time zone"),
    ],
)
def test_what_can_never_fire_is_refused(line: str, zone: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        check_cron(line, zone)


def test_a_leap_day_fires_though_it_is_years_away() -> None:
    check_cron("0 0 29 2 *", "UTC")


def test_a_time_in_a_skipped_hour_fires_when_the_hour_would_have_been_over() -> None:
    found = ticks("30 2 * * *", "2026-03-27T12:00:00+01:00", 3)
    assert found == ["03-28 02:30 +0100", "03-29 03:00 +0200", "03-30 02:30 +0200"]


def test_a_time_in_an_hour_that_occurs_twice_fires_once() -> None:
    found = ticks("30 2 * * *", "2026-10-24T12:00:00+02:00", 2)
    assert found == ["10-25 02:30 +0200", "10-26 02:30 +0100"]


def test_a_line_for_every_hour_fires_in_both_and_always_an_hour_apart() -> None:
    assert ticks("0 * * * *", "2026-10-25T01:30:00+02:00", 3) == [
        "10-25 02:00 +0200",
        "10-25 02:00 +0100",
        "10-25 03:00 +0100",
    ]
    for day in ("2026-03-28T20:00:00+01:00", "2026-10-24T20:00:00+02:00"):
        found, at = [datetime.fromisoformat(day)], datetime.fromisoformat(day)
        for _ in range(12):
            at = next_tick("0 * * * *", BERLIN, at)
            found.append(at)
        assert {later.astimezone(UTC) - one.astimezone(UTC) for one, later in pairwise(found)} == {
            datetime(2026, 1, 1, 1) - datetime(2026, 1, 1, 0)  # noqa: DTZ001  # an hour
        }


@pytest.mark.parametrize(
    ("line", "zone", "start"),
    [
        # Midnight is skipped: croniter gave the hour before it again and again (PrefectHQ/prefect#5957).
        ("0 0 * * *", "America/Santiago", "2026-08-31T12:00:00-04:00"),
        ("0 0 * * *", "Africa/Cairo", "2026-04-20T12:00:00+02:00"),
        # On the day of a change, before the change: an hour late (PrefectHQ/prefect#10678, taichino/croniter#82).
        ("10 0 * * *", "America/Montreal", "2023-03-12T00:10:02-05:00"),
        ("0 0 * * *", "Europe/Warsaw", "2017-03-26T00:00:00+01:00"),
        # The hour occurs twice: a second run an hour later (PrefectHQ/prefect#7461).
        ("30 0 * * *", "America/Havana", "2026-10-29T12:00:00-04:00"),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-02T12:00:00+11:00"),
    ],
)
def test_a_daily_line_fires_once_a_day_whatever_its_zone_does_to_the_clock(line: str, zone: str, start: str) -> None:
    """DBOS takes one tick after the other, not the one after an instant; without second times they are the same."""
    at = datetime.fromisoformat(start)
    theirs = croniter(line, at.astimezone(ZoneInfo(zone)), second_at_beginning=True)
    found = list[datetime]()
    for _ in range(9):
        at = next_tick(line, zone, at)
        found.append(at)
        tick = theirs.get_next(datetime)
        while is_second_time(line, zone, tick):
            tick = theirs.get_next(datetime)
        assert tick == at
    assert {later.date() - one.date() for one, later in pairwise(found)} == {timedelta(days=1)}


@pytest.mark.parametrize(
    ("line", "days"),
    [("30 2 * * *", 400), ("0 * * * *", 400), ("*/15 1-3 * * *", 400), ("0 0 1 * *", 800), ("15 30 2 * * *", 400)],
)
def test_between_shortly_before_and_now_are_few_ticks_and_the_newest(line: str, days: int) -> None:
    """Over every hour around both clock changes, and over some others of a year."""
    since = datetime(2025, 1, 1, tzinfo=UTC)
    changes = (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC))
    hours = [change + timedelta(minutes=20 * at) for change in changes for at in range(-9, 30)]
    for now in (*hours, *(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=37 * at, minutes=at) for at in range(8))):
        start = shortly_before(line, BERLIN, now, since)
        found, at = list[datetime](), next_tick(line, BERLIN, start)
        while at <= now:
            found.append(at)
            at = next_tick(line, BERLIN, at)
        assert 1 <= len(found) <= 3, (now, start, found)
        assert start >= now - timedelta(days=days)
    assert shortly_before(line, BERLIN, now, now - timedelta(seconds=1)) >= now - timedelta(seconds=1)
