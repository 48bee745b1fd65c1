"""Steps in queues, as a scheduler sees them: put there, waited for, looked at.

A step in a queue is a workflow of DBOS that belongs to the application of the workers. Their application version is the
code of their pipelines, so that DBOS gives a step only to a worker with the same code. A step is tried again as a
workflow of another number, and DBOS takes one outcome of a workflow, from the worker that has it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from dbos import DBOSClient, EnqueueOptions, WorkflowStatus

from training.errors import StepFailedError, TransientStepError
from training.scheduler.worker_files import Worker, lives, living_workers

WORKERS = "millrace-training-workers"
"""The application of the workers. They do not touch the runs, schedules and queues of the scheduler."""
STEP_WORKFLOW = "queued_step"
_LOOK_S = 1.0
_SLACK_S = 60.0
"""What a worker may take longer than the limit of a step, before it is taken for one that hangs."""
_GONE_LOOKS = 3
"""So often a worker must look gone: a shared folder may be seen late."""
_WAITS = ("ENQUEUED", "DELAYED")
_ENDED_ILL = ("CANCELLED", "ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_LOG = structlog.get_logger(part="scheduler")


@dataclass(frozen=True)
class QueuedStep:
    """A step that waits in a queue, or is done by a worker. id: of its workflow. worker: None while it waits."""

    id: str
    run: str
    step: str
    queue: str
    since_ms: int
    worker: str | None = None
    others: int = 0
    """How many workers of the queue live that have other code."""

    def describe(self) -> str:
        since = f"{datetime.fromtimestamp(self.since_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
        if self.worker is not None:
            return f"done by worker {self.worker} of queue {self.queue} since {since}"
        other = f"; {self.others} of its workers have other code of the pipelines" if self.others else ""
        return f"waits for a worker of queue {self.queue} since {since}{other}"


class QueuedSteps:
    """The steps in the queues of a database. directory: of the runs, which workers share.

    patient: wait for a database that is unavailable. look_s: between two looks.
    """

    def __init__(self, url: str, directory: Path, *, patient: bool, look_s: float = _LOOK_S) -> None:
        self._client = DBOSClient(
            system_database_url=url, application_name=WORKERS, lazy=True, retry_connection_errors=patient
        )
        self._directory, self._look_s = directory, look_s

    def close(self) -> None:
        self._client.destroy()

    def perform(
        self,
        run_id: str,
        request: Mapping[str, Any],
        wanted: Mapping[str, Any],
        limit_s: float,
        look: Callable[[], None],
    ) -> Any:
        """What a worker answers to the request of a step. wanted: the queue, its code, how long the step may wait.

        Another call for the same step, by another scheduler too, waits for the same worker. look: raises where the run
        was cancelled. Raises StepFailedError, or TransientStepError where another try may help.
        """
        step_id = self._begun(run_id, request, wanted, limit_s)
        try:
            answer = self._wait(step_id, wanted, limit_s, look)
        except BaseException:
            self._client.cancel_workflow(step_id)
            raise
        if "error" in answer:
            raise (TransientStepError if answer["transient"] else StepFailedError)(answer["error"])
        return answer["result"]

    def of_run(self, run_id: str) -> dict[str, QueuedStep]:
        """Step -> where it stands, of those that wait or are being done."""
        return {each.step: each for each in self._active(f"{run_id}/") if each.run == run_id}

    def active(self) -> list[QueuedStep]:
        """Those of all runs."""
        return list(self._active(None))

    def workers(self) -> list[Worker]:
        """Those of all queues that live."""
        return living_workers(self._directory)

    def _begun(self, run_id: str, request: Mapping[str, Any], wanted: Mapping[str, Any], limit_s: float) -> str:
        """The workflow of the newest try, or of the next one where that has ended and another try may help."""
        stem = f"{run_id}/{request['step']}/"
        tried = [
            each
            for each in self._client.list_workflows(name=STEP_WORKFLOW, workflow_id_prefix=stem)
            if each.workflow_id.removeprefix(stem).isdecimal()
        ]
        newest = max(tried, key=lambda each: int(each.workflow_id.removeprefix(stem)), default=None)
        if newest is not None and not _may_be_tried_again(newest):
            return newest.workflow_id
        options: EnqueueOptions = {
            "queue_name": wanted["queue"],
            "workflow_name": STEP_WORKFLOW,
            "workflow_id": f"{stem}{len(tried) + 1}",
            "app_version": wanted["code"],
        }
        # Its folder by name: a worker may have the directory of the runs at another place.
        folder = "/".join(Path(request["run"]).parts[-2:])
        asked = {"run_id": run_id, "folder": folder, "step": request["step"], "limit_s": limit_s}
        self._client.enqueue(options, {**asked, "queue": wanted["queue"]})
        _LOG.info("queued", run=run_id, step=request["step"], queue=wanted["queue"], code=wanted["code"])
        return options["workflow_id"]

    def _wait(
        self, step_id: str, wanted: Mapping[str, Any], limit_s: float, look: Callable[[], None]
    ) -> dict[str, Any]:
        stood: tuple[object, ...] = ()
        since_s, gone = time.monotonic(), 0
        while True:
            found = self._client.retrieve_workflow(step_id).get_status()
            if found.status == "SUCCESS":
                return dict(found.output or {})
            if found.status in _ENDED_ILL:
                raise TransientStepError(f"step {step_id} of queue {wanted['queue']!r} was ended from outside")
            look()
            stands = (found.status, found.executor_id, found.dequeued_at)
            if stands != stood:
                stood, since_s, gone = stands, time.monotonic(), 0
            took_s = time.monotonic() - since_s
            if found.status in _WAITS:
                self._check_waits(step_id, wanted, took_s)
            else:
                gone = 0 if lives(self._directory, str(found.executor_id)) else gone + 1
                _check_done(found, gone, took_s, limit_s)
            time.sleep(self._look_s)

    def _check_waits(self, step_id: str, wanted: Mapping[str, Any], took_s: float) -> None:
        if took_s > wanted["waits_at_most_seconds"]:
            others = self._others(wanted["queue"], wanted["code"])
            why = f"{others} of its workers have other code of the pipelines" if others else "none took it"
            raise StepFailedError(
                f"step {step_id.split('/')[-2]!r} waited {took_s:.0f} s for a worker of queue {wanted['queue']!r}, and "
                f"{why}. Start one with `python -m training work --queue {wanted['queue']}`, or raise "
                "waits_at_most_seconds of its target."
            )

    def _active(self, prefix: str | None) -> Iterator[QueuedStep]:
        found = self._client.list_workflows(
            name=STEP_WORKFLOW, status=[*_WAITS, "PENDING"], workflow_id_prefix=prefix, load_output=False
        )
        for each in found:
            asked = (each.input or {"args": ({},)})["args"][0]
            waits, queue = each.status in _WAITS, asked["queue"]
            yield QueuedStep(
                each.workflow_id,
                asked["run_id"],
                asked["step"],
                queue,
                int((each.updated_at if waits else each.dequeued_at) or 0),
                None if waits else each.executor_id,
                self._others(queue, str(each.app_version)) if waits else 0,
            )

    def _others(self, queue: str, code: str) -> int:
        return len([each for each in living_workers(self._directory) if queue in each.queues and each.code != code])


def _may_be_tried_again(found: WorkflowStatus) -> bool:
    if found.status == "SUCCESS":
        return bool((found.output or {}).get("transient"))
    return found.status in _ENDED_ILL


def _check_done(found: WorkflowStatus, gone: int, took_s: float, limit_s: float) -> None:
    run, step, _ = found.workflow_id.rsplit("/", 2)
    if gone >= _GONE_LOOKS:
        raise TransientStepError(f"worker {found.executor_id} ended in the middle of step {step!r} of run {run}")
    if took_s > limit_s + _SLACK_S:
        raise StepFailedError(
            f"step {step!r} took longer than {limit_s:g} s on worker {found.executor_id}, which does not answer. See "
            "its machine, or raise MILLRACE_TRAINING_STEP_LIMIT."
        )
