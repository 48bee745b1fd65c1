"""Why a tick starts a run, and why it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from training.errors import RequestError
from training.scheduler.schedules.tick import Schedule, Ticks, checked

DAILY = Schedule("nightly", "retrain", {"top": 5}, "30 2 * * *", "Europe/Berlin")
TICK = datetime.fromisoformat("2026-11-28T02:30:00+01:00")


class FakeRuns:
    """In place of the database: what waits, and what was started."""

    def __init__(self, waiting: str | None = None) -> None:
        self.waiting, self.started = waiting, list[tuple[Any, ...]]()

    def queued(self, template: str, parameters: dict[str, Any]) -> str | None:
        return self.waiting

    def start(self, template: str, parameters: dict[str, Any], run_id: str, reason: str) -> str:
        self.started.append((template, parameters, run_id, reason))
        return run_id


def decided(
    schedule: Schedule = DAILY,
    tick: datetime = TICK,
    late: timedelta = timedelta(0),
    waiting: str = "",
    labels: int = 0,
    partitions: dict[str, str] | None = None,
) -> str:
    """partitions: unit -> the newest one."""

    def ask(request: dict[str, Any]) -> Any:
        assert (request["template"], request["parameters"]) == (schedule.template, schedule.parameters)
        return {"new_labels": lambda: labels, "new_partition": lambda: (partitions or {})[request["unit"]]}[
            request["do"]
        ]()

    ticks = Ticks(FakeRuns(waiting or None), ask, lambda: tick + late)  # type: ignore[arg-type]
    return ticks._decide(schedule, tick)


def test_a_tick_starts_a_run_named_after_it() -> None:
    assert decided() == ""
    runs = FakeRuns()
    ticks = Ticks(runs, lambda asked: 0)  # type: ignore[arg-type]
    assert ticks._start(DAILY, TICK) == "nightly-20261128T013000Z"
    assert runs.started == [("retrain", {"top": 5}, "nightly-20261128T013000Z", "schedule nightly")]


def test_of_missed_ticks_the_newest_stands_for_all() -> None:
    assert decided(late=timedelta(hours=23)) == ""
    assert decided(late=timedelta(hours=25)).startswith(
        "skipped: it was missed, and the tick of 2026-11-29T02:30:00+01"
    )


def test_a_second_time_of_a_doubled_hour_starts_nothing() -> None:
    again = datetime.fromisoformat("2026-10-25T02:30:00+01:00")
    assert decided(tick=again).startswith("skipped: this hour occurs twice")
    assert decided(tick=again - timedelta(hours=1)) == ""


def test_no_second_run_waits_behind_one_that_waits() -> None:
    assert decided(waiting="nightly-1") == (
        "skipped: run nightly-1 of the same template waits already, and will read the newest data"
    )


def test_a_schedule_may_wait_for_labels() -> None:
    schedule = Schedule("labels", "retrain", {}, "*/5 * * * *", new_labels=100)
    assert decided(schedule, labels=99) == "skipped: 99 new labels, fewer than 100"
    assert decided(schedule, labels=100) == ""


@pytest.mark.parametrize("unit", ["day", "hour"])
def test_a_schedule_may_wait_for_a_new_partition_and_for_labels_too(unit: str) -> None:
    schedule = Schedule("fresh", "retrain", {}, "*/5 * * * *", new_partition=unit)
    assert decided(schedule, partitions={unit: ""}) == (
        f"skipped: no {unit} with events has ended, and is stored whole, since the last run that succeeded"
    )
    assert decided(schedule, partitions={unit: "2026-11-27"}) == ""
    both = replace(schedule, new_labels=100)
    assert decided(both, labels=99, partitions={unit: "2026-11-27"}) == "skipped: 99 new labels, fewer than 100"
    assert decided(both, labels=100, partitions={unit: ""}).startswith(f"skipped: no {unit}")
    assert decided(both, labels=100, partitions={unit: "2026-11-27"}) == ""
    assert (schedule.waits_for, both.waits_for) == (
        f", after a new {unit}",
        f", after 100 new labels, after a new {unit}",
    )


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (Schedule("", "retrain", {}, "* * * * *"), "'' is not a name of a schedule"),
        (Schedule("a b", "retrain", {}, "* * * * *"), "'a b' is not a name of a schedule"),
        (Schedule("a", "retrain", {}, "* * * * *", new_labels=-1), "-1 new labels cannot be asked for"),
        (Schedule("a", "retrain", {}, "* * * * *", new_partition="days"), "'days' is not a partition .* mean 'day'"),
        (Schedule("a", "score", {}, "* * * * *"), "There is no run template 'score'"),
        (Schedule("a", "retrain", {"seed": "x"}, "* * * * *"), "Expected `int`, got `str`"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(schedule: Schedule, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        checked(schedule)


def test_the_clock_is_that_of_the_world() -> None:
    ticks = Ticks(FakeRuns(), lambda asked: 0)  # type: ignore[arg-type]
    assert abs(ticks._clock() - datetime.now(UTC)) < timedelta(seconds=5)
