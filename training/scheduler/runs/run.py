"""A durable run as people and other programs see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dbos import WorkflowStatus

from training.scheduler.workflow.durable_run import folder_name
from training.scheduler.workflow.run_states import STATUS


@dataclass(frozen=True)
class Run:
    """One run. folder: its name below the folder of its view. steps: those that have ended, in order.

    began_at_ms: None while it waits. ended_at_ms: None until it ended. origin: the run that it was forked from.
    summary: `run_summary`, once it succeeded. imported: it was done elsewhere. reason: why it was started.
    """

    id: str
    status: str
    template: str
    parameters: Mapping[str, Any]
    asked_at: str
    folder: str
    error: str
    steps: tuple[str, ...] = ()
    began_at_ms: int | None = None
    ended_at_ms: int | None = None
    origin: str | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    imported: bool = False
    reason: str = ""

    @classmethod
    def of(cls, found: WorkflowStatus, steps: tuple[str, ...] = ()) -> Run:
        """The run that DBOS knows by this status. steps: those that have ended."""
        arguments = (found.input or {"args": ({},)})["args"]
        request = arguments[0]
        return cls(
            found.workflow_id,
            STATUS[found.status],
            request["template"],
            request["parameters"],
            request["asked_at"],
            folder_name(found.workflow_id, request["asked_at"]),
            "" if found.error is None else str(found.error),
            steps,
            found.dequeued_at,
            found.completed_at,
            request.get("fork", {}).get("run"),
            found.output or {},
            reason=request.get("reason", ""),
        )
