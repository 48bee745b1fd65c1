"""What is told: failed runs, refused gates, promotions, stale champions and missed ticks, and nothing that is old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.domains.machines import BREAKDOWN
from tests.serving.published_models import publish
from training.registry.versions import Registry
from training.scheduler.news.news import News, of_champions, of_queues, of_runs, of_schedules, of_ticks
from training.scheduler.runs.run import Run
from training.scheduler.schedules.past_ticks import PastTick
from training.scheduler.schedules.schedules import ScheduleState
from training.scheduler.schedules.tick import Schedule
from training.scheduler.workflow.queued_steps import QueuedStep

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOURLY = Schedule("hourly", "retrain", {}, "0 * * * *")


def run(run_id: str, status: str, hours_ago: float = 1.0, error: str = "", **summary: Any) -> Run:
    at = NOW - timedelta(hours=hours_ago)
    ended_at_ms = int(at.timestamp() * 1000)
    return Run(run_id, status, "retrain", {}, at.isoformat(), "f", error, ended_at_ms=ended_at_ms, summary=summary)


def told(*runs: Run) -> list[News]:
    return list(of_runs(runs, [ScheduleState(HOURLY, None, None)], NOW))


def test_the_end_of_a_run_is_told_with_its_reasons() -> None:
    decided: dict[str, Any] = {
        "model": "fraud",
        "version": 3,
        "reasons": ["average_precision 0.4 against 0.6"],
        "metrics": {"roc_auc": 0.7},
    }
    failed, refused, promoted = told(
        run("a", "failed", error="no space left"),
        run("b", "succeeded", promoted=False, **decided),
        run("c", "succeeded", promoted=True, champion_before=2, **decided),
        run("d", "cancelled"),
        run("f", "succeeded", promoted=True, champion_before=3, **decided),  # it made the champion again
        run("e", "failed", hours_ago=25),
    )
    assert failed.body == {
        "text": "Run a failed: no space left",
        "kind": "run_failed",
        "run": "a",
        "template": "retrain",
        "error": "no space left",
    }
    assert (
        refused.text == "fraud version 3 was refused by the gate, the champion stays: average_precision 0.4 against 0.6"
    )
    assert (promoted.kind, promoted.body["metrics"]) == ("promoted", {"roc_auc": 0.7})
    assert len({failed.id, refused.id, promoted.id}) == 3


def test_a_tick_that_fired_late_and_one_that_did_not_fire_are_missed() -> None:
    assert not told(run("hourly-20261129T110000Z", "cancelled", hours_ago=1.0))
    (late,) = told(run("hourly-20261129T090000Z", "cancelled", hours_ago=1.0))
    assert late.text.startswith("Schedule hourly missed its tick of 2026-11-29T09:00:00+00:00. Run hourly-2026")
    on_time = ScheduleState(HOURLY, NOW, NOW - timedelta(hours=1))
    assert not list(of_schedules([on_time], NOW + timedelta(minutes=1)))
    (missed,) = of_schedules([on_time], NOW + timedelta(minutes=3))
    assert missed.kind == "schedule_missed"
    assert not list(of_schedules([ScheduleState(HOURLY, None, on_time.last_tick)], NOW + timedelta(minutes=3)))


def test_a_run_that_a_person_names_like_a_schedule_hides_no_news() -> None:
    """The id was read as that of a tick: nothing was told any more as long as the run was among the newest."""
    failed = run("a", "failed", error="no space left")
    assert [each.key for each in told(run("hourly-again", "succeeded"), failed)] == ["a"]


def test_a_tick_that_failed_is_missed_and_says_why() -> None:
    failed = PastTick("hourly", NOW - timedelta(hours=1), "failed", "there is no lake")
    started = PastTick("hourly", NOW - timedelta(hours=2), "started", "started run a")
    old = PastTick("hourly", NOW - timedelta(hours=25), "failed", "there is no lake")
    (missed,) = of_ticks([failed, started, old], NOW)
    assert (missed.kind, missed.text) == (
        "schedule_missed",
        "Schedule hourly missed its tick of 2026-11-29T11:00:00+00:00. It could not tell whether to start a run: there "
        "is no lake",
    )


def test_a_champion_is_stale_once_a_day_from_its_limit_on_and_a_version_that_does_not_answer_is_not(
    tmp_path: Path,
) -> None:
    made_at_us = int((NOW - timedelta(days=30)).timestamp()) * 1_000_000
    publish(tmp_path, BREAKDOWN, created_at_us=made_at_us)
    publish(tmp_path, BREAKDOWN, 1, promote=False, created_at_us=made_at_us - 1)
    registry = Registry(tmp_path)
    assert not [*of_champions(registry, timedelta(days=30), NOW), *of_champions(registry, timedelta(0), NOW)]
    (stale,) = of_champions(registry, timedelta(days=30), NOW + timedelta(seconds=1))
    assert stale.body == {
        "text": "The champion of breakdown, version 1, was made at 2026-10-30T12:00:00+00:00, longer ago than 30 d. "
        "See why no newer version was promoted.",
        "kind": "champion_stale",
        "model": "breakdown",
        "version": 1,
        "made_at": "2026-10-30T12:00:00+00:00",
    }
    (later,) = of_champions(registry, timedelta(days=30), NOW + timedelta(hours=11))
    (tomorrow,) = of_champions(registry, timedelta(days=30), NOW + timedelta(hours=13))
    assert later.id == stale.id != tomorrow.id


def test_a_step_that_waits_long_for_a_worker_is_told_once() -> None:
    since_ms = int(NOW.timestamp() * 1000)
    waiting = QueuedStep("one/embed/1", "one", "embed", "gpu", since_ms)
    assert not list(of_queues([waiting], NOW + timedelta(minutes=4)))
    (told_of,) = of_queues([waiting], NOW + timedelta(minutes=6))
    assert told_of.body == {
        "text": "Step embed of run one waits for a worker of queue gpu since 2026-11-29 12:00:00 UTC. Start one with "
        "`python -m training work --queue gpu`.",
        "kind": "step_waits", "run": "one", "step": "embed", "queue": "gpu",
    }  # fmt: skip
    (again,) = of_queues([waiting], NOW + timedelta(minutes=60))
    assert again.id == told_of.id
    taken = QueuedStep("one/embed/1", "one", "embed", "gpu", since_ms, worker="gpu-1")
    assert not list(of_queues([taken], NOW + timedelta(minutes=60)))
