"""A durable run: a workflow of DBOS whose steps are those of its template.

A process that is killed leaves the run with its finished steps on record. The next process continues with the step
that was interrupted. That step finds its result by content, or does its work again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from dbos import DBOS, StepReservation, error
from sqlalchemy.exc import SQLAlchemyError

from training.errors import StepFailedError
from training.runs.plan.step_names import STEP_NAMES, step_names
from training.scheduler.workflow.queued_steps import QueuedSteps
from training.scheduler.workflow.retried_step import retried
from training.scheduler.workflow.run_steps import waits_of
from training.scheduler.workflow.side_by_side import side_by_side
from training.scheduler.workflow.step_process import StepProcess
from training.scheduler.workflow.step_processes import StepProcesses

WORKFLOW = "training_run"
QUEUE = "training-runs"
"""One run of a template at a time, of whatever view and model: the templates are its partitions."""

VERSION = hashlib.sha256(repr(("request 2", STEP_NAMES)).encode()).hexdigest()[:16]
"""The application version, by which DBOS decides which process may continue a run: one with the same steps in the same
order. Code, libraries and data do not count here: they are in the keys of the steps' results."""

_SHORT_S = 300.0

Look = Callable[[str], None]
Ask = Callable[[dict[str, Any], float], Any]


class DurableRuns:
    """Runs the workflows of this process. limit_s: of a step. look: raises where a run was cancelled.

    at_once: how many steps of a run may be done at the same time. queued: does those that name a queue.
    """

    def __init__(self, limit_s: float, look: Look, at_once: int, queued: QueuedSteps) -> None:
        self._limit_s, self._look, self._at_once, self._queued = limit_s, look, at_once, queued

    def register(self) -> None:
        """Make the workflow known to DBOS. Before it is launched."""

        @DBOS.workflow(name=WORKFLOW)
        def training_run(request: dict[str, Any]) -> dict[str, Any]:
            return self.run(request)

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """All steps of a run; returns the summary of it, which outlives its folder."""
        run_id = str(DBOS.workflow_id)
        with StepProcesses(lambda: StepProcess(lambda: self._look(run_id))) as processes:
            begin = {**request, "do": "begin", "name": folder_name(run_id, request["asked_at"])}
            run = str(self._step("begin", processes.ask, begin, _SHORT_S))
            reason = "it was cancelled"
            try:
                self._steps(processes, request, run)
                reason = ""
            except Exception as failure:
                reason = str(failure)
                raise
            finally:
                summary = processes.ask({"do": "end", "run": run, "error": reason}, _SHORT_S)
        return {"folder": run, **summary}

    def _steps(self, processes: StepProcesses, request: dict[str, Any], run: str) -> None:
        """All of them. Their places on record are in the order of the plan, in whatever order they end."""
        plan, run_id = self._plan(processes, request, run), str(DBOS.workflow_id)
        waits = waits_of(plan, step_names(request["template"]))
        places = {name: DBOS.reserve_step() for name in waits}

        def do(name: str) -> None:
            asked = {"do": "step", "run": run, "step": name}
            self._step(name, ask, asked, self._limit_s, places[name])

        def ask(asked: dict[str, Any], limit_s: float) -> Any:
            answer = processes.ask(asked, limit_s)
            if "queue" not in answer:
                return answer
            return self._queued.perform(run_id, asked, answer, limit_s, lambda: self._look(run_id))

        side_by_side(waits, do, self._at_once)

    def _plan(self, processes: StepProcesses, request: dict[str, Any], run: str) -> dict[str, list[str]]:
        """That of a pipeline is on record, so that a run ends with the steps with which it began; else empty."""
        if not request["parameters"].get("pipeline"):
            return {}
        return dict(self._step("plan", processes.ask, {"do": "plan", "run": run}, _SHORT_S))

    def _step(
        self,
        name: str,
        ask: Ask,
        request: dict[str, Any],
        limit_s: float,
        place: StepReservation | None = None,
    ) -> Any:
        try:
            run_step = DBOS.run_step if place is None else place.run
            return run_step(retried(name), ask, request, limit_s)
        except error.DBOSMaxStepRetriesExceeded as failure:
            raise StepFailedError(
                f"step {name!r} failed {len(failure.errors)} times; the last time: {failure.errors[-1]}"
            ) from failure
        except SQLAlchemyError as failure:
            raise StepFailedError(
                f"the end of step {name!r} could not be written into the database of runs: {failure.args[0]}. Finished "
                "steps are kept. Make room for the database, then resume the run."
            ) from failure


def folder_name(run_id: str, asked_at: str) -> str:
    """The folder of a run, by when it was asked for. Which run is newer, its journal says."""
    short = hashlib.sha256(run_id.encode()).hexdigest()[:8]
    return f"{datetime.fromisoformat(asked_at):%Y%m%dT%H%M%S}-{short}"
