"""Ticks that a clock jumped over are made up by one run, and a clock that jumps back repeats none of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import dbos._scheduler as dbos_scheduler
import pytest

from tests.training.scheduler.workflow.test_durable_run import FakeProcess
from training.scheduler.engine import launched
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.missed_ticks import MissedTicks
from training.scheduler.schedules.schedules import Schedules
from training.scheduler.schedules.tick import TICK_WORKFLOW, Schedule
from training.scheduler.workflow import durable_run
from training.scheduler.workflow.run_states import SUCCEEDED
from training.settings import load_settings

PATIENCE_S = 240.0


def daily(now: datetime) -> Schedule:
    """Six hours from now, so that no tick falls into the test."""
    at = now + timedelta(hours=6)
    return Schedule("nightly", "retrain", {}, f"{at.minute} {at.hour} * * *")


@pytest.fixture
def settings(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(durable_run, "StepProcess", FakeProcess)
    FakeProcess.asked, FakeProcess.errors, FakeProcess.hold, FakeProcess.plan = [], {}, set(), {}
    return load_settings()


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ticks(runs: Runs) -> set[str]:
    return {each.workflow_id for each in runs.client.list_workflows(name=TICK_WORKFLOW)}


def test_two_days_forward_are_made_up_by_one_run_and_an_hour_back_repeats_nothing(settings: Any) -> None:
    real = datetime.now(UTC)
    jump = [timedelta(0)]
    looks = list[int]()

    def clock() -> datetime:
        looks.append(1)
        return datetime.now(UTC) + jump[0]

    with launched(settings, clock, look_every_s=0.2) as runs:
        Schedules(runs.client).put(daily(real))
        wait(lambda: len(looks) > 3)
        assert not ticks(runs), "no tick is due"
        jump[0] = timedelta(days=2)
        wait(lambda: [run.status for run in runs.newest()] == [SUCCEEDED])
        newest = (real + timedelta(days=1, hours=6)).replace(second=0, microsecond=0)
        assert runs.newest()[0].id == f"nightly-{newest:%Y%m%dT%H%M%SZ}"
        before = ticks(runs)
        assert len(before) <= 2
        for step in (timedelta(days=2, hours=-1), timedelta(0), timedelta(days=2)):
            jump[0] = step
            so_far = len(looks)
            wait(lambda: len(looks) > so_far + 4)  # noqa: B023  # called within the loop
        assert ticks(runs) == before
        assert len(runs.newest()) == 1
        jump[0] = timedelta(days=3)
        wait(lambda: len(runs.newest()) == 2)


def test_the_scheduler_of_dbos_repeats_no_tick_when_the_clock_jumps_back(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The class `datetime` of its module is its clock: it waits for the next tick by it."""
    jump = [timedelta(0)]

    class Stepped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + jump[0]

    monkeypatch.setattr(dbos_scheduler, "datetime", Stepped)
    with launched(settings, lambda: datetime.now(UTC) + jump[0], look_every_s=0.2) as runs:
        Schedules(runs.client).put(Schedule("often", "retrain", {}, "* * * * * *"))
        wait(lambda: len(ticks(runs)) >= 3)
        jump[0] = -timedelta(hours=1)
        wait(lambda: quiet(runs))  # the hour that the clock repeats fires nothing, but for the tick that was awaited
        wait(lambda: {run.status for run in runs.newest()} == {SUCCEEDED})
        assert FakeProcess.asked.count("begin") == len(runs.newest())


def quiet(runs: Runs) -> bool:
    """Whether no tick of a schedule of every second fires for three seconds."""
    before = ticks(runs)
    time.sleep(3)
    return ticks(runs) == before


def test_a_schedule_counts_from_when_it_was_put_changed_or_resumed(settings: Any) -> None:
    """Only what DBOS offers to everybody is called, and what was missed before is not made up."""
    real = datetime.now(UTC)
    with launched(settings, look_every_s=3600) as runs:
        schedules = Schedules(runs.client)
        schedule = daily(real)
        schedules.put(schedule)
        (first,) = schedules.all()
        assert first.last_tick is not None
        assert abs(first.last_tick - datetime.now(UTC)) < timedelta(minutes=5)
        schedules.put(schedule)
        assert [each.last_tick for each in schedules.all()] == [first.last_tick], "the same schedule, put again"
        schedules.put(Schedule(schedule.name, "retrain", {"top": 7}, schedule.cron))
        (changed,) = schedules.all()
        schedules.pause(schedule.name)
        schedules.resume(schedule.name)
        (resumed,) = schedules.all()
        assert changed.last_tick is not None
        assert resumed.last_tick is not None
        assert first.last_tick < changed.last_tick < resumed.last_tick
        assert MissedTicks(runs.client, lambda: datetime.now(UTC)).make_up(timedelta(0)) == []
        # An hour ago today: the tick of a line that was not there then (dagster-io/dagster#13597).
        ago = real - timedelta(hours=1)
        schedules.put(Schedule("changed", "retrain", {}, schedule.cron))
        schedules.put(Schedule("changed", "retrain", {}, f"{ago.minute} {ago.hour} * * *"))
        assert MissedTicks(runs.client, lambda: datetime.now(UTC)).make_up(timedelta(0)) == []
        schedules.remove("changed")
        late = MissedTicks(runs.client, lambda: real + timedelta(hours=7))
        assert len(late.make_up()) == 1
        assert late.make_up() == []
