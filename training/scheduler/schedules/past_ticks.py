"""The ticks that fired, and what came of each of them, as the database has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dbos import DBOSClient, WorkflowStatus

from training.scheduler.schedules.tick import STARTED, TICK_WORKFLOW

RAN, SKIPPED, FAILED, FIRING = "started", "skipped", "failed", "firing"
OUTCOMES = (RAN, SKIPPED, FAILED)
NEWEST = 20
"""How many of a schedule are looked at."""


@dataclass(frozen=True)
class PastTick:
    """outcome: started, skipped or failed; firing while it decides. said: which run it started, or why it did not."""

    schedule: str
    at: datetime
    outcome: str
    said: str

    def describe(self) -> str:
        return f"failed: {self.said}" if self.outcome == FAILED else self.said


def past_ticks(client: DBOSClient, schedule: str, limit: int = NEWEST) -> list[PastTick]:
    """Those of a schedule that fired last, newest first."""
    found = client.list_workflows(name=TICK_WORKFLOW, schedule_name=schedule, limit=limit, sort_desc=True)
    return [_tick(schedule, each) for each in found]


def _tick(schedule: str, found: WorkflowStatus) -> PastTick:
    inputs: Any = found.input
    if found.error is not None:
        outcome, said = FAILED, str(found.error)
    elif found.output is None:
        outcome, said = FIRING, ""
    else:
        said = str(found.output)
        outcome = RAN if said.startswith(STARTED) else SKIPPED
    return PastTick(schedule, inputs["args"][0], outcome, said)
