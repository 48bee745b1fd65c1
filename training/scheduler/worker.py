"""A worker: takes the steps of some queues, and does each in a process of its own, until a signal."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from dbos import DBOS, DBOSClient, DBOSConfig, error
from sqlalchemy.exc import SQLAlchemyError

from training.errors import RequestError, StepError, StepFailedError, TransientStepError
from training.scheduler.database import database_url
from training.scheduler.repeating import repeating
from training.scheduler.worker_files import Worker, living
from training.scheduler.workflow.queued_steps import STEP_WORKFLOW, WORKERS
from training.scheduler.workflow.step_process import StepProcess, end_all
from training.settings import TrainingSettings
from training.steps.run_journal import JOURNAL_FILE
from training.steps.step import Queue

_LOG = structlog.get_logger(part="worker")
_SHORT_S = 300.0
_LOOK_EVERY_S = 0.2
_LEFT_EVERY_S = 10.0


def work(settings: TrainingSettings, queues: Sequence[str], concurrency: int | None, grace_s: int) -> int:
    """Take steps until a signal. Then no further one is taken, and those that are not done within grace_s go back.

    concurrency: of each worker of these queues; None: as it was set before, at first 1. Raises TrainingError for what
    cannot be a worker.
    """
    _check(settings, queues)
    asked = list[int]()  # an Event can be set for ever by a handler that interrupts its own wait
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda number, frame: asked.append(number))
    with StepProcess(lambda: None) as process:
        code = str(process.ask({"do": "code"}, _SHORT_S))
    worker = Worker(f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}", tuple(queues), code)
    with living(settings.training_runs, worker), working(settings, worker, concurrency) as steps:
        _LOG.info("working", queues=list(queues), worker=worker.id, code=code)
        with repeating("left steps", _LEFT_EVERY_S, steps.tell_left):
            while not asked and not steps.changed.is_set():
                time.sleep(_LOOK_EVERY_S)
        _LOG.info("stopping", grace_s=grace_s)
        DBOS.destroy(workflow_completion_timeout_sec=grace_s)
        end_all()
        steps.give_back()
    if steps.changed.is_set():
        _LOG.error("stopped", reason="the code of the pipelines changed since this worker began; start it again")
    else:
        _LOG.info("stopped")
    os._exit(1 if steps.changed.is_set() else 0)  # a step that was given back still has a thread that waits


class WorkerSteps:
    """The steps that this process does. changed: set where the code on the disk is another one by now."""

    def __init__(self, settings: TrainingSettings, worker: Worker, client: DBOSClient) -> None:
        self._settings, self._worker, self._client = settings, worker, client
        self.changed, self._given_back = threading.Event(), threading.Event()
        self._told = set[str]()

    def register(self) -> None:
        """Make the workflow known to DBOS. Before it is launched."""

        @DBOS.workflow(name=STEP_WORKFLOW)
        def queued_step(request: dict[str, Any]) -> dict[str, Any]:
            return self.do(str(DBOS.workflow_id), request)

    def do(self, step_id: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of the step's process: `result`, or `error` and whether that is `transient`."""
        run = self._settings.training_runs / request["folder"]
        if not (run / JOURNAL_FILE).is_file():
            return {
                "error": f"worker {self._worker.id} does not see the run: there is no {run / JOURNAL_FILE} on its "
                "machine. Let MILLRACE_TRAINING_RUNS name the folder that `serve` uses, on storage that both share.",
                "transient": True,  # shared storage may be seen late
            }
        _LOG.info("taking", run=request["run_id"], step=request["step"], queue=request["queue"])
        with StepProcess(lambda: self._look(step_id, request["run_id"])) as process:
            try:
                if process.ask({"do": "code"}, _SHORT_S) != self._worker.code:
                    self.changed.set()
                    self._given_back.wait()  # from then on DBOS takes no outcome from here
                    raise StepFailedError("the code of the pipelines changed")
                asked = {"do": "step", "run": str(run), "step": request["step"], "queue": request["queue"]}
                return {"result": process.ask(asked, request["limit_s"])}
            except StepFailedError as failure:
                return {"error": str(failure), "transient": isinstance(failure, TransientStepError)}

    def tell_left(self) -> None:
        """Log the steps of our queues that are left because they were queued with other code."""
        try:
            found = self._client.list_workflows(
                name=STEP_WORKFLOW, status="ENQUEUED", queue_name=list(self._worker.queues), load_output=False
            )
        except Exception as failure:  # the database is unavailable, and is asked again soon
            _LOG.warning("looking for steps failed", reason=str(failure))
            return
        for each in found:
            if each.app_version != self._worker.code and each.workflow_id not in self._told:
                self._told.add(each.workflow_id)
                _LOG.warning(
                    "left", step=each.workflow_id, queue=each.queue_name, its_code=each.app_version,
                    code=self._worker.code,
                    reason="give both machines the same definitions, then start this worker again",
                )  # fmt: skip

    def give_back(self) -> None:
        """Put what this process has not done back into its queue."""
        try:
            for each in self._client.list_workflows(
                name=STEP_WORKFLOW, status="PENDING", executor_id=self._worker.id, load_output=False
            ):
                self._client.resume_workflow(each.workflow_id, queue_name=each.queue_name)
                _LOG.info("given back", step=each.workflow_id, queue=each.queue_name)
        except SQLAlchemyError as failure:  # the scheduler sees that this worker is gone, and has its steps done again
            _LOG.error("giving back failed", reason=str(failure.args[0]))
        self._given_back.set()

    def _look(self, step_id: str, run_id: str) -> None:
        """Raise where the step is not ours any more, or its run was cancelled. An unavailable database says nothing."""
        try:
            found = {each.workflow_id: each for each in self._client.list_workflows(workflow_ids=[step_id, run_id])}
        except Exception:
            return
        step, run = found.get(step_id), found.get(run_id)
        ours = step is not None and (step.status, step.executor_id) == ("PENDING", self._worker.id)
        if not ours or (run is not None and run.status == "CANCELLED"):
            raise error.DBOSWorkflowCancelledError(f"step {step_id} was cancelled")


def _check(settings: TrainingSettings, queues: Sequence[str]) -> None:
    for name in queues:
        Queue(name)
    if not settings.runs_database:
        raise RequestError(
            "A worker takes steps from a PostgreSQL database, and MILLRACE_RUNS_DATABASE is not set. Set it to the URL "
            "that `serve` has."
        )
    if not settings.training_runs.is_dir():
        raise RequestError(
            f"There is no folder {settings.training_runs.absolute()} on this machine. Let MILLRACE_TRAINING_RUNS name "
            "the folder that `serve` uses, on storage that both share."
        )


@contextmanager
def working(settings: TrainingSettings, worker: Worker, concurrency: int | None) -> Iterator[WorkerSteps]:
    """Inside the block DBOS gives this process steps. The caller ends DBOS."""
    url = database_url(settings)
    client = DBOSClient(system_database_url=url, application_name=WORKERS, lazy=True, retry_connection_errors=False)
    config: DBOSConfig = {
        "name": WORKERS,
        "system_database_url": url,
        "application_version": worker.code,
        "executor_id": worker.id,
        "log_level": "ERROR",  # it warns of each version that is not the newest one, and every worker may have its own
        "enable_otlp": False,
    }
    DBOS(config=config)
    DBOS.listen_queues(list(worker.queues))
    steps = WorkerSteps(settings, worker, client)
    steps.register()
    try:
        DBOS.launch()
        for name in worker.queues:
            DBOS.register_queue(
                name,
                worker_concurrency=concurrency or 1,
                polling_interval_sec=1.0,
                on_conflict="always_update" if concurrency else "never_update",
            )
    except SQLAlchemyError as failure:
        raise StepError(
            f"the database of runs cannot be used: {failure}. Correct MILLRACE_RUNS_DATABASE, or start PostgreSQL."
        ) from failure
    yield steps
