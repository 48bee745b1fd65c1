"""News: what a person wants to be told of runs, models and schedules, found in what is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared_features.formats.model_manifest import CHAMPION
from shared_features.kernel.event_time import spelled_duration
from training.registry.aliases import Aliases
from training.registry.versions import Registry
from training.scheduler.runs.run import Run
from training.scheduler.schedules.past_ticks import FAILED as TICK_FAILED
from training.scheduler.schedules.past_ticks import PastTick
from training.scheduler.schedules.schedules import ScheduleState
from training.scheduler.workflow.queued_steps import QueuedStep
from training.scheduler.workflow.run_states import FAILED, SUCCEEDED

RUN_FAILED, GATE_REFUSED, PROMOTED = "run_failed", "gate_refused", "promoted"
CHAMPION_STALE, SCHEDULE_MISSED, STEP_WAITS = "champion_stale", "schedule_missed", "step_waits"
EXIT_CODES = {RUN_FAILED: 1, GATE_REFUSED: 3, CHAMPION_STALE: 4, SCHEDULE_MISSED: 5, STEP_WAITS: 6}
"""Of `python -m training news`: that of the first kind in this order of which there is some news."""
_OLD = timedelta(days=1)
_LATE = timedelta(minutes=2)
_LONG = timedelta(minutes=5)


@dataclass(frozen=True)
class News:
    """key: what it is about; news of one kind and key is told once. facts: plain data."""

    kind: str
    key: str
    text: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"told-{hashlib.sha256(f'{self.kind} {self.key}'.encode()).hexdigest()[:20]}"

    @property
    def body(self) -> dict[str, Any]:
        """What a webhook gets. Slack shows `text` and ignores the rest."""
        return {"text": self.text, "kind": self.kind, **self.facts}


def of_runs(runs: Iterable[Run], schedules: Iterable[ScheduleState], now: datetime) -> Iterator[News]:
    """Of the runs that ended within a day. A run that was asked for long after its tick tells of a missed one."""
    names = [each.schedule.name for each in schedules]
    for run in runs:
        if datetime.fromisoformat(run.asked_at) > now - _OLD and (missed := _missed_tick(run, names)):
            yield missed
        if run.ended_at_ms is None or datetime.fromtimestamp(run.ended_at_ms / 1000, UTC) < now - _OLD:
            continue
        facts = {"run": run.id, "template": run.template}
        if run.status == FAILED:
            yield News(RUN_FAILED, run.id, f"Run {run.id} failed: {run.error}", {**facts, "error": run.error})
        elif run.status == SUCCEEDED and "promoted" in run.summary and not _was_champion(run.summary):
            yield _decided(run, facts)


def of_champions(registry: Registry, limit: timedelta, now: datetime) -> Iterator[News]:
    """Of each champion that is older than the limit, once a day. No limit: 0."""
    for model in registry.models() if limit else ():
        version = Aliases(registry).of(model).get(CHAMPION)
        if version is None:
            continue
        made_at = datetime.fromtimestamp(registry.manifest(model, version).created_at_us / 1e6, UTC)
        if now - made_at > limit:
            yield News(
                CHAMPION_STALE,
                f"{model} {version} {now:%Y-%m-%d}",
                f"The champion of {model}, version {version}, was made at {made_at.isoformat(timespec='seconds')}, "
                f"longer ago than {spelled_duration(limit)}. See why no newer version was promoted.",
                {"model": model, "version": version, "made_at": made_at.isoformat(timespec="seconds")},
            )


def of_schedules(schedules: Iterable[ScheduleState], now: datetime) -> Iterator[News]:
    """Of each schedule whose tick is over and did not fire."""
    for each in schedules:
        due = each.due(now)
        if due is not None and due < now - _LATE:
            yield _missed(each.schedule.name, due, "No scheduler fired it. See whether `serve` runs.")


def of_ticks(ticks: Iterable[PastTick], now: datetime) -> Iterator[News]:
    """Of each tick within a day that failed, so that it started no run."""
    for each in ticks:
        if each.outcome == TICK_FAILED and each.at > now - _OLD:
            yield _missed(each.schedule, each.at, f"It could not tell whether to start a run: {each.said}")


def of_queues(steps: Iterable[QueuedStep], now: datetime) -> Iterator[News]:
    """Of each step that has waited long for a worker of its queue."""
    for each in steps:
        if each.worker is None and datetime.fromtimestamp(each.since_ms / 1000, UTC) < now - _LONG:
            yield News(
                STEP_WAITS,
                each.id,
                f"Step {each.step} of run {each.run} {each.describe()}. Start one with `python -m training work "
                f"--queue {each.queue}`.",
                {"run": each.run, "step": each.step, "queue": each.queue},
            )


def _was_champion(summary: Mapping[str, Any]) -> bool:
    """Whether the run only made the champion again. An earlier release did not note the champion before it."""
    return bool(summary["promoted"]) and summary.get("champion_before") == summary["version"]


def _decided(run: Run, facts: dict[str, Any]) -> News:
    summary, reasons = run.summary, "; ".join(run.summary["reasons"])
    named = f"{summary['model']} version {summary['version']}"
    known = {name: summary[name] for name in ("model", "version", "metrics", "reasons") if name in summary}
    if summary["promoted"]:
        return News(PROMOTED, run.id, f"{named} is champion: {reasons}", {**facts, **known})
    return News(
        GATE_REFUSED, run.id, f"{named} was refused by the gate, the champion stays: {reasons}", {**facts, **known}
    )


def _missed_tick(run: Run, schedules: list[str]) -> News | None:
    """The tick of a run's id, where it fired late."""
    name, _, stamp = run.id.rpartition("-")
    if name not in schedules:
        return None
    try:
        tick = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None  # a person gave this id
    late = datetime.fromisoformat(run.asked_at) - tick > _LATE
    return _missed(name, tick, f"Run {run.id} made up for it at {run.asked_at[:19]}Z.") if late else None


def _missed(schedule: str, tick: datetime, what: str) -> News:
    at = tick.astimezone(UTC)
    text = f"Schedule {schedule} missed its tick of {at.isoformat(timespec='seconds')}. {what}"
    return News(SCHEDULE_MISSED, f"{schedule} {at.isoformat()}", text, {"schedule": schedule, "tick": at.isoformat()})
