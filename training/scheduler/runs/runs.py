"""The durable runs as people and other programs see them: started, looked at, cancelled, resumed.

This is what a command line, a REST interface and a page stand on. It needs the database only, not a scheduler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from dbos import DBOSClient, WorkflowStatus, error

from training.errors import ConflictError, UnknownNameError
from training.runs.plan.fork import check_fork
from training.runs.plan.step_names import step_names
from training.runs.plan.templates import check_request
from training.runs.records.run_report import RunReport, read_report
from training.runs.records.run_summary import summarize
from training.runs.records.step_log import read_log
from training.scheduler.database import APPLICATION, create_database
from training.scheduler.runs.imported_runs import ImportedRuns, asked_at, is_imported
from training.scheduler.runs.run import Run
from training.scheduler.runs.run_request import run_request
from training.scheduler.worker_files import Worker
from training.scheduler.workflow.durable_run import QUEUE, WORKFLOW
from training.scheduler.workflow.queued_steps import QueuedStep, QueuedSteps
from training.scheduler.workflow.run_states import ENDED, FAILED, QUEUED, RUNNING, STATUS
from training.scheduler.workflow.run_steps import DONE, SKIPPED, RunStep, in_queue, plan_of, steps_of
from training.settings import TrainingSettings

_GIVEN_BACK = ("CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
"""The states of DBOS from which a run continues under its own id."""


class Runs:
    """The runs of one database. imported: those that were done elsewhere."""

    def __init__(self, settings: TrainingSettings) -> None:
        url = create_database(settings)
        self._client = DBOSClient(system_database_url=url, application_name=APPLICATION, retry_connection_errors=False)
        self.imported = ImportedRuns(settings.training_runs)
        self._queued = QueuedSteps(url, settings.training_runs, patient=False)
        self._at_once = settings.training_steps_at_once

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._queued.close()
        self._client.destroy()

    @property
    def client(self) -> DBOSClient:
        return self._client

    def start(self, template: str, parameters: Mapping[str, Any], run_id: str | None = None, reason: str = "") -> str:
        """Queue a run; returns its id. A run of that id that exists already is left as it is: two starts are one run.

        reason: why, for people. Raises RequestError for a template or parameters that cannot be.
        """
        options, request = run_request(template, parameters, run_id, reason)
        self._client.enqueue(options, request)
        return options["workflow_id"]

    def trigger(self, template: str, parameters: Mapping[str, Any], reason: str, run_id: str | None = None) -> str:
        """Start a run, unless one of this template and these parameters waits already: it will read the newest data.

        For whatever notices that a model should be trained again, such as a drift. Returns the id of the run.
        """
        return self.queued(template, parameters) or self.start(template, parameters, run_id, reason)

    def fork(self, origin: str, step: str, parameters: Mapping[str, Any], run_id: str | None = None) -> str:
        """Queue a run on the data of another one, with other parameters for `step` and what follows it.

        The steps before `step` are skipped, because their results are there. Raises RequestError for a parameter that
        an earlier step has used, and ConflictError where the other run has left nothing to begin with.
        """
        self._check_own(origin)
        found = self.show(origin)
        changed = {**found.parameters, **parameters}
        before, after = (check_request(found.template, each) for each in (found.parameters, changed))
        check_fork(step, before, after, self._names(origin))
        folder = self.folder(origin)
        if folder is None or not folder.is_dir():
            raise ConflictError(
                f"Run {origin} has no folder: it has not begun, or its folder was removed. Start a new run instead."
            )
        options, request = run_request(found.template, changed, run_id, f"fork of {origin} from step {step}")
        self._client.enqueue(options, {**request, "fork": {"run": origin, "folder": str(folder), "step": step}})
        return options["workflow_id"]

    def status(self, run_id: str) -> str:
        if is_imported(run_id):
            return self.imported.show(run_id).status
        return STATUS[self._found(run_id).status]

    def show(self, run_id: str) -> Run:
        if is_imported(run_id):
            return self.imported.show(run_id)
        steps = self._client.list_workflow_steps(run_id, load_output=False)
        return Run.of(self._found(run_id), tuple(each["function_name"] for each in steps))

    def steps(self, run_id: str) -> tuple[RunStep, ...]:
        """Every step of a run, with what became of it so far."""
        if is_imported(run_id):
            return self.imported.steps(run_id)
        run = Run.of(self._found(run_id))
        status, names = run.status, step_names(run.template)
        steps = steps_of(status, self._client.list_workflow_steps(run_id), self._at_once, names)
        queued = self._queued.of_run(run_id) if status == RUNNING else {}
        return tuple(in_queue(each, queued.get(each.name)) for each in steps)

    def queued_steps(self) -> list[QueuedStep]:
        """The steps of all runs that wait for a worker of their queue, or are done by one."""
        return self._queued.active()

    def workers(self) -> list[Worker]:
        """Those of all queues that live."""
        return self._queued.workers()

    def plan(self, run_id: str) -> Mapping[str, Sequence[str]]:
        """`plan_of` a run."""
        if is_imported(run_id):
            return self.imported.plan(run_id)
        return plan_of(self._client.list_workflow_steps(run_id))

    def summary(self, run: Run) -> Mapping[str, Any]:
        """What is known of a run's data, code, metrics and model, while it runs and after it failed too."""
        if run.summary or run.imported:
            return run.summary
        folder = self.folder(run.id)
        return {} if folder is None else summarize(folder)

    def report(self, run_id: str) -> RunReport:
        """Its parameters, data, metrics and curves, as far as its folder has them."""
        return read_report(self.folder(run_id))

    def log(self, run_id: str, step: str) -> str:
        """What a step of a run printed. Raises UnknownNameError for a run or a step that does not exist."""
        self.status(run_id)
        if step not in (names := self._names(run_id)):
            raise UnknownNameError(f"There is no step {step!r}. There are: {', '.join(names)}.")
        folder = self.folder(run_id)
        return "" if folder is None else read_log(folder, step)

    def newest(self, limit: int = 50) -> list[Run]:
        """The newest runs that were done here, newest first."""
        found = self._client.list_workflows(name=WORKFLOW, limit=limit, sort_desc=True)
        return [Run.of(each) for each in found]

    def listed(self, limit: int = 50) -> list[Run]:
        """The newest runs, with those that were imported."""
        return sorted([*self.newest(limit), *self.imported.all()], key=asked_at, reverse=True)[:limit]

    def active(self) -> list[Run]:
        """The runs that wait for their turn or are being done."""
        found = self._client.list_workflows(name=WORKFLOW, status=["ENQUEUED", "DELAYED", "PENDING"])
        return [Run.of(each) for each in found]

    def queued(self, template: str, parameters: Mapping[str, Any]) -> str | None:
        """The id of a run of this template and these parameters that will read the newest data when its turn comes.

        A fork reads the data of another run, and one that waits to be continued the data that it began with.
        """
        for run in self.active():
            alike = (run.template, run.parameters, run.origin) == (template, parameters, None)
            if alike and run.status == QUEUED and not self._client.list_workflow_steps(run.id, load_output=False):
                return run.id
        return None

    def cancel(self, run_id: str) -> None:
        """The step that is being done is ended within some seconds. Nothing of it counts."""
        if (status := self.status(run_id)) in ENDED:
            raise ConflictError(f"run {run_id} is {status}; it cannot be cancelled any more.")
        self._client.cancel_workflow(run_id)

    def resume(self, run_id: str) -> str:
        """Continue a run that was cancelled or failed; returns the id of the run that continues it.

        A cancelled run continues itself, with the step that was interrupted. The end of a failed one is on record, so
        a run `ID-resumed` continues it, on the same data, with the step that failed. Two requests are one run.
        """
        self._check_own(run_id)
        found = self._found(run_id)
        if found.status in _GIVEN_BACK:
            self._client.resume_workflow(run_id, queue_name=QUEUE)
            return run_id
        if (status := STATUS[found.status]) != FAILED:
            raise ConflictError(f"run {run_id} is {status}; only a run that was cancelled or failed is resumed.")
        unfinished = (each.name for each in self.steps(run_id) if each.state not in (DONE, SKIPPED))
        return self.fork(run_id, next(unfinished, self._names(run_id)[-1]), {}, f"{run_id}-resumed")

    def _check_own(self, run_id: str) -> None:
        if is_imported(run_id):
            self.status(run_id)
            raise ConflictError(
                f"Run {run_id} was imported. Its data are where it was done, so it is neither resumed nor forked here. "
                "Start a new run."
            )

    def _names(self, run_id: str) -> tuple[str, ...]:
        return tuple(self.plan(run_id)) or step_names(self.show(run_id).template)

    def folder(self, run_id: str) -> Path | None:
        """Where its steps leave their files; None before it begins."""
        if is_imported(run_id):
            return self.imported.folder(run_id)
        steps = self._client.list_workflow_steps(run_id)
        return next(
            (Path(each["output"]) for each in steps if each["function_name"] == "begin" and each["output"]), None
        )

    def _found(self, run_id: str) -> WorkflowStatus:
        try:
            return self._client.retrieve_workflow(run_id).get_status()
        except error.DBOSNonExistentWorkflowError as failure:
            raise UnknownNameError(f"There is no run {run_id!r}. `python -m training runs` lists them.") from failure
