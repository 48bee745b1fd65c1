"""The answers: runs with their steps, schedules and models, as JSON and as the page shows them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from training.scheduler.runs.run import Run
from training.scheduler.schedules.schedules import ScheduleState
from training.scheduler.workflow.run_steps import RunStep


class StepAnswer(BaseModel):
    """A step of a run."""

    name: str = Field(description="Its name.")
    state: str = Field(description="waiting, running, done, skipped, failed or cancelled.")
    reason: str = Field(description="Why it ran or was skipped; of a failed step its error.")
    seconds: float | None = Field(description="What it took, or has taken so far.")
    line: str = Field(description="What it said.")


class RunAnswer(BaseModel):
    """A run, without its steps."""

    id: str = Field(description="Its id.")
    status: str = Field(description="queued, running, succeeded, failed or cancelled.")
    template: str = Field(description="What was run.")
    parameters: dict[str, Any] = Field(description="The parameters that were given.")
    asked_at: str = Field(description="When it was asked for.")
    began_at: str | None = Field(description="When its turn came.")
    ended_at: str | None = Field(description="When it ended.")
    seconds: float | None = Field(description="How long it took, or has taken so far.")
    error: str = Field(description="Why it failed; empty otherwise.")
    reason: str = Field(description="Why it was started, such as `schedule nightly`; empty where nobody said.")
    gate: str | None = Field(
        description="promoted: its version is champion. refused: the champion stays, summary.reasons says why. null: "
        "not decided."
    )
    forked_from: str | None = Field(description="The run whose data it reads.")
    imported: bool = Field(description="It was done elsewhere; it is neither resumed nor forked here.")
    summary: dict[str, Any] = Field(
        description="view, cut_us (the data are complete up to there), code (a digest per step), chosen, metrics, "
        "slices, model, version, promoted, reasons, and scored of a batch scoring: as far as they are known."
    )


class RunWithSteps(RunAnswer):
    """A run with its steps, in order."""

    steps: list[StepAnswer] = Field(description="The steps, in order.")


class FactAnswer(BaseModel):
    """One fact of two runs."""

    section: str = Field(
        description="run, parameters, gate, data, metrics of the chosen model, metrics, slices, rows of slices, "
        "missing values in training, importance of features, code, or features that only one has."
    )
    name: str = Field(description="What it is.")
    first: Any = Field(description="Its value in the first run; null where it is not known.")
    second: Any = Field(description="Its value in the second run; null where it is not known.")
    difference: float | None = Field(description="second less first, where both are numbers.")


class ScheduleAnswer(BaseModel):
    """A schedule."""

    name: str = Field(description="Its name.")
    cron: str = Field(description="Its cron line.")
    time_zone: str = Field(description="The time zone of the cron line.")
    template: str = Field(description="What it runs.")
    parameters: dict[str, Any] = Field(description="The parameters of its runs.")
    new_labels: int = Field(description="The labels that it waits for.")
    new_partition: str = Field(description="Whether it waits for a new day or hour; empty: for neither.")
    waits_for: str = Field(description="Both of these in words; empty: it waits for nothing.")
    next_tick: str | None = Field(description="The next tick; null while it is paused.")
    last_tick: str | None = Field(description="The last tick that fired, or when it was put.")
    said: str = Field(description="What the last tick said: the run that it started, or why it started none.")


class ModelAnswer(BaseModel):
    """A version of a model, with what it was made from."""

    model: str = Field(description="Its name, which is that of its view, unless its definition says another.")
    version: int = Field(description="Its number.")
    aliases: list[str] = Field(description="The aliases that name it, such as champion.")
    estimator: str = Field(description="The kind of estimator.")
    created_at: str = Field(description="When it was made.")
    model_digest: str = Field(description="sha256 of its graph.")
    view: str = Field(description="The view and its version.")
    view_fingerprint: str = Field(description="The definition of the view.")
    groups: dict[str, str] = Field(description="Feature group and version -> fingerprint of its definition.")
    dataset_digest: str = Field(description="The dataset that it was trained on.")
    cut_us: int = Field(description="The arrival watermark up to which that dataset is complete.")
    tables: dict[str, int] = Field(description="The tables of that dataset -> the version that was read.")
    metrics: dict[str, float] = Field(description="Its metrics on the test window.")


def run_answer(run: Run, summary: Any) -> RunAnswer:
    return RunAnswer(**_run(run, summary))


def run_with_steps(run: Run, summary: Any, steps: tuple[RunStep, ...]) -> RunWithSteps:
    return RunWithSteps(**_run(run, summary), steps=[StepAnswer(**vars(each)) for each in steps])


def schedule_answer(state: ScheduleState) -> ScheduleAnswer:
    return ScheduleAnswer(
        **vars(state.schedule),
        waits_for=state.schedule.waits_for.removeprefix(", "),
        next_tick=state.next_tick.isoformat() if state.next_tick else None,
        last_tick=state.last_tick.isoformat() if state.last_tick else None,
        said=state.said,
    )


def _run(run: Run, summary: Any) -> dict[str, Any]:
    until_ms = run.ended_at_ms or time.time_ns() // 1_000_000
    return {
        "id": run.id,
        "status": run.status,
        "template": run.template,
        "parameters": dict(run.parameters),
        "asked_at": run.asked_at,
        "began_at": instant(run.began_at_ms),
        "ended_at": instant(run.ended_at_ms),
        "seconds": None if run.began_at_ms is None else max(0.0, (until_ms - run.began_at_ms) / 1000),
        "error": run.error,
        "reason": run.reason,
        "gate": {True: "promoted", False: "refused"}.get(summary.get("promoted")),
        "forked_from": run.origin,
        "imported": run.imported,
        "summary": {name: value for name, value in summary.items() if name != "folder"},
    }


def instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
