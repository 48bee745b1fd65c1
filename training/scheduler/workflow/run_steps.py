"""The steps of a durable run as they stand: which ended and how, which ones are being done, which ones wait."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.runs.plan.step_names import STEP_NAMES
from training.scheduler.workflow.queued_steps import QueuedStep
from training.scheduler.workflow.run_states import CANCELLED, FAILED, RUNNING

WAITING, SKIPPED, DONE = "waiting", "skipped", "done"
_STATE = {"run": DONE, "skipped": SKIPPED, "effect": DONE}


@dataclass(frozen=True)
class RunStep:
    """state: waiting, running, done, skipped, failed or cancelled. reason: why it ran or was skipped, its error,
    or the queue that it waits in.

    seconds: what it took, or has taken so far; None while it waits. line: what it said.
    """

    name: str
    state: str
    reason: str = ""
    seconds: float | None = None
    line: str = ""


Recorded = Sequence[Mapping[str, Any]]
"""The steps that DBOS has on record, which are those that ended."""


def plan_of(recorded: Recorded) -> Mapping[str, Sequence[str]]:
    """Each step of a pipeline with the steps that it waits for; empty without a pipeline, or before the run begins."""
    plans = (each["output"] for each in recorded if each["function_name"] == "plan")
    return next(plans, None) or {}


def waits_of(plan: Mapping[str, Sequence[str]], names: Sequence[str] = STEP_NAMES) -> dict[str, tuple[str, ...]]:
    """Each step, in its order, with all that it waits for: built-in ones keep their order. names: without a plan."""
    found, last = dict[str, tuple[str, ...]](), list[str]()
    for name, needs in (plan or dict.fromkeys(names, ())).items():
        builtin = [name] if name in STEP_NAMES else []
        found[name] = tuple(dict.fromkeys((*needs, *(last if builtin else ()))))
        last = builtin or last
    return found


def steps_of(status: str, recorded: Recorded, at_once: int, names: Sequence[str] = STEP_NAMES) -> tuple[RunStep, ...]:
    """at_once: how many steps of a run may be done at the same time. names: those of its template."""
    by_name = {each["function_name"]: each for each in recorded}
    failed_ms = min((_end_ms(each) for each in recorded if each["error"] is not None), default=None)
    found, doing = list[RunStep](), 0
    for name, waits in waits_of(plan_of(recorded), names).items():
        ready_ms = _ready_ms(("begin", *waits), by_name)
        if name in by_name:
            found.append(_ended(name, by_name[name]))
        elif ready_ms is None or (failed_ms is not None and ready_ms > failed_ms) or doing == at_once:
            found.append(RunStep(name, WAITING))
        else:
            doing += 1
            found.append(_begun(name, status, ready_ms))
    return tuple(found)


def in_queue(step: RunStep, queued: QueuedStep | None) -> RunStep:
    """A step that was begun, as it stands in its queue. queued: None where it is in none."""
    if queued is None or step.state != RUNNING:
        return step
    if queued.worker is None:
        return RunStep(step.name, WAITING, queued.describe())
    return RunStep(step.name, RUNNING, queued.describe(), max(0.0, time.time() - queued.since_ms / 1000))


def _ready_ms(waits: Sequence[str], by_name: Mapping[str, Mapping[str, Any]]) -> int | None:
    """When the last of these steps ended well; None: it has not."""
    if any(each not in by_name or by_name[each]["error"] is not None for each in waits):
        return None
    return max(_end_ms(by_name[each]) for each in waits)


def _end_ms(recorded: Mapping[str, Any]) -> int:
    return int(recorded["completed_at_epoch_ms"] or 0)


def _ended(name: str, recorded: Mapping[str, Any]) -> RunStep:
    seconds = (_end_ms(recorded) - (recorded["started_at_epoch_ms"] or 0)) / 1000
    if recorded["error"] is not None:
        return RunStep(name, FAILED, str(recorded["error"]), seconds)
    said = recorded["output"]
    return RunStep(name, _STATE[said["done"]], said["reason"], said["seconds"], said["line"])


def _begun(name: str, status: str, since_ms: int) -> RunStep:
    if status == RUNNING:
        return RunStep(name, RUNNING, seconds=max(0.0, time.time() - since_ms / 1000))
    return RunStep(name, CANCELLED if status == CANCELLED else WAITING)
