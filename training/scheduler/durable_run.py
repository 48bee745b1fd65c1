"""A durable run: a workflow of DBOS whose steps are those of retraining.

A process that is killed leaves the run with its finished steps on record. The next process continues with the step
that was interrupted. That step finds its result by content, or does its work again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from dbos import DBOS, StepOptions, error

from training.errors import StepFailedError, TransientStepError
from training.runs.step_names import STEP_NAMES
from training.scheduler.step_process import StepProcess

WORKFLOW = "training_run"
QUEUE = "training-runs"
"""One run of a template and view at a time: they are its partitions."""

VERSION = hashlib.sha256(repr(("request 2", STEP_NAMES)).encode()).hexdigest()[:16]
"""The application version, by which DBOS decides which process may continue a run: one with the same steps in the same
order. Code, libraries and data do not count here: they are in the keys of the steps' results."""

_ATTEMPTS = 4
FIRST_WAIT_S = 2.0
_SHORT_S = 300.0

Look = Callable[[str], None]


class DurableRuns:
    """Runs the workflows of this process. limit_s: of a step. look: raises where a run was cancelled."""

    def __init__(self, limit_s: float, look: Look) -> None:
        self._limit_s, self._look = limit_s, look

    def register(self) -> None:
        """Make the workflow known to DBOS. Before it is launched."""

        @DBOS.workflow(name=WORKFLOW)
        def training_run(request: dict[str, Any]) -> dict[str, Any]:
            return self.run(request)

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """All steps of a run; returns the summary of it, which outlives its folder."""
        run_id = str(DBOS.workflow_id)
        with StepProcess(lambda: self._look(run_id)) as process:
            begin = {**request, "do": "begin", "name": folder_name(run_id, request["asked_at"])}
            run = str(self._step("begin", process, begin, _SHORT_S))
            reason = "it was cancelled"
            try:
                for name in self._names(process, request, run):
                    self._step(name, process, {"do": "step", "run": run, "step": name}, self._limit_s)
                reason = ""
            except Exception as failure:
                reason = str(failure)
                raise
            finally:
                summary = process.ask({"do": "end", "run": run, "error": reason}, _SHORT_S)
        return {"folder": run, **summary}

    def _names(self, process: StepProcess, request: dict[str, Any], run: str) -> tuple[str, ...]:
        """Of the steps. Those of a pipeline are on record, so that a run ends with the steps with which it began."""
        if not request["parameters"].get("pipeline"):
            return STEP_NAMES
        return tuple(self._step("plan", process, {"do": "plan", "run": run}, _SHORT_S))

    def _step(self, name: str, process: StepProcess, request: dict[str, Any], limit_s: float) -> Any:
        options: StepOptions = {
            "name": name,
            "retries_allowed": True,
            "max_attempts": _ATTEMPTS,
            "interval_seconds": FIRST_WAIT_S,
            "backoff_rate": 3.0,
            "should_retry": lambda failure: isinstance(failure, TransientStepError),
        }
        try:
            return DBOS.run_step(options, process.ask, request, limit_s)
        except error.DBOSMaxStepRetriesExceeded as failure:
            raise StepFailedError(
                f"step {name!r} failed {len(failure.errors)} times; the last time: {failure.errors[-1]}"
            ) from failure


def folder_name(run_id: str, asked_at: str) -> str:
    """The folder of a run: by name they are in the order in which the runs were asked for."""
    short = hashlib.sha256(run_id.encode()).hexdigest()[:8]
    return f"{datetime.fromisoformat(asked_at):%Y%m%dT%H%M%S}-{short}"
