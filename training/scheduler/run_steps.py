"""The steps of a durable run as they stand: which ended and how, which one is being done, which ones wait."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.runs.step_names import STEP_NAMES
from training.scheduler.run_states import CANCELLED, FAILED, RUNNING

WAITING, SKIPPED, DONE = "waiting", "skipped", "done"
_STATE = {"run": DONE, "skipped": SKIPPED, "effect": DONE}


@dataclass(frozen=True)
class RunStep:
    """state: waiting, running, done, skipped, failed or cancelled. reason: why it ran or was skipped, or its error.

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


def steps_of(status: str, recorded: Recorded, began_at_ms: int | None) -> tuple[RunStep, ...]:
    """began_at_ms: when the run began."""
    by_name = {each["function_name"]: each for each in recorded}
    since_ms, found = began_at_ms, list[RunStep]()
    if "begin" in by_name:
        since_ms = by_name["begin"]["completed_at_epoch_ms"]
    for name in plan_of(recorded) or STEP_NAMES:
        if name in by_name:
            found.append(_ended(name, by_name[name]))
            since_ms = by_name[name]["completed_at_epoch_ms"]
            status = FAILED if by_name[name]["error"] is not None else status
        else:
            found.append(_unended(name, status, since_ms, "begin" in by_name))
            status = WAITING
    return tuple(found)


def _ended(name: str, recorded: Mapping[str, Any]) -> RunStep:
    seconds = ((recorded["completed_at_epoch_ms"] or 0) - (recorded["started_at_epoch_ms"] or 0)) / 1000
    if recorded["error"] is not None:
        return RunStep(name, FAILED, str(recorded["error"]), seconds)
    said = recorded["output"]
    return RunStep(name, _STATE[said["done"]], said["reason"], said["seconds"], said["line"])


def _unended(name: str, status: str, since_ms: int | None, begun: bool) -> RunStep:
    if status == RUNNING and begun and since_ms is not None:
        return RunStep(name, RUNNING, seconds=max(0.0, time.time() - since_ms / 1000))
    return RunStep(name, CANCELLED if status == CANCELLED and begun else WAITING)
