"""The durable runs as people and other programs see them: started, looked at, cancelled, resumed.

This is what a command line, a REST interface and a page stand on. It needs the database only, not a scheduler.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from dbos import DBOSClient, EnqueueOptions, WorkflowStatus, error

from training.errors import RequestError
from training.runs.templates import check_request
from training.scheduler.database import APPLICATION, create_database
from training.scheduler.durable_run import QUEUE, VERSION, WORKFLOW, folder_name
from training.settings import TrainingSettings

QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED = "queued", "running", "succeeded", "failed", "cancelled"
ENDED = (SUCCEEDED, FAILED, CANCELLED)
_STATUS = {
    "ENQUEUED": QUEUED,
    "DELAYED": QUEUED,
    "PENDING": RUNNING,
    "SUCCESS": SUCCEEDED,
    "CANCELLED": CANCELLED,
    "ERROR": FAILED,
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": FAILED,
}


@dataclass(frozen=True)
class Run:
    """One run. folder: its name below the folder of its view. steps: those that have ended, in order."""

    id: str
    status: str
    template: str
    parameters: Mapping[str, Any]
    asked_at: str
    folder: str
    error: str
    steps: tuple[str, ...] = ()


class Runs:
    """The runs of one database."""

    def __init__(self, settings: TrainingSettings) -> None:
        url = create_database(settings)
        self._client = DBOSClient(system_database_url=url, application_name=APPLICATION, retry_connection_errors=False)

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.destroy()

    @property
    def client(self) -> DBOSClient:
        return self._client

    def start(self, template: str, parameters: Mapping[str, Any], run_id: str | None = None) -> str:
        """Queue a run; returns its id. A run of that id that exists already is left as it is: two starts are one run.

        Raises RequestError for a template or parameters that cannot be.
        """
        options, request = enqueue(template, parameters, run_id or f"{template}-{uuid.uuid4().hex[:12]}")
        self._client.enqueue(options, request)
        return options["workflow_id"]

    def status(self, run_id: str) -> str:
        return _STATUS[self._found(run_id).status]

    def show(self, run_id: str) -> Run:
        steps = self._client.list_workflow_steps(run_id, load_output=False)
        return _run(self._found(run_id), tuple(each["function_name"] for each in steps))

    def newest(self, limit: int = 50) -> list[Run]:
        """The newest runs, newest first."""
        found = self._client.list_workflows(name=WORKFLOW, limit=limit, sort_desc=True)
        return [_run(each, ()) for each in found]

    def queued(self, template: str, parameters: Mapping[str, Any]) -> str | None:
        """The id of a run of this template and these parameters that waits for its turn, if there is one."""
        found = self._client.list_workflows(name=WORKFLOW, status=["ENQUEUED", "DELAYED"])
        runs = (_run(each, ()) for each in found)
        return next((run.id for run in runs if (run.template, run.parameters) == (template, parameters)), None)

    def cancel(self, run_id: str) -> None:
        """The step that is being done is ended within some seconds. Nothing of it counts."""
        self._found(run_id)
        self._client.cancel_workflow(run_id)

    def resume(self, run_id: str) -> None:
        """Continue a cancelled run with the step that was interrupted."""
        if (status := self.status(run_id)) != CANCELLED:
            raise RequestError(
                f"run {run_id} is {status}; only a cancelled one is resumed. Start a new run: it skips finished steps."
            )
        self._client.resume_workflow(run_id, queue_name=QUEUE)

    def _found(self, run_id: str) -> WorkflowStatus:
        try:
            return self._client.retrieve_workflow(run_id).get_status()
        except error.DBOSNonExistentWorkflowError as failure:
            raise RequestError(f"There is no run {run_id!r}. `python -m training runs` lists them.") from failure


def enqueue(template: str, parameters: Mapping[str, Any], run_id: str) -> tuple[EnqueueOptions, dict[str, Any]]:
    """How DBOS is asked for a run, and the request that the run gets."""
    checked = check_request(template, parameters)
    options: EnqueueOptions = {
        "queue_name": QUEUE,
        "workflow_name": WORKFLOW,
        "workflow_id": run_id,
        "app_version": VERSION,
        "queue_partition_key": f"{template} {checked.view or ''}",
    }
    request = {"template": template, "parameters": dict(parameters), "asked_at": datetime.now(UTC).isoformat()}
    return options, request


def _run(found: WorkflowStatus, steps: tuple[str, ...]) -> Run:
    arguments = (found.input or {"args": ({},)})["args"]
    request = arguments[0]
    return Run(
        found.workflow_id,
        _STATUS[found.status],
        request["template"],
        request["parameters"],
        request["asked_at"],
        folder_name(found.workflow_id, request["asked_at"]),
        "" if found.error is None else str(found.error),
        steps,
    )
