"""The paths of runs: start, list, show, cancel, resume, fork."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import PlainTextResponse

from training.errors import ConflictError
from training.scheduler.runs.run_facts import compared, facts_of
from training.scheduler.runs.runs import Runs
from training.service.routes.answers import FactAnswer, RunAnswer, RunWithSteps, run_answer, run_with_steps
from training.service.routes.request_bodies import ForkBody, StartBody

_KEY = "Two requests with one key are one run: a client that got no answer sends the request again."
IdempotencyKey = Annotated[str | None, Header(description=_KEY, min_length=1, max_length=200)]


def run_router(runs: Runs) -> APIRouter:
    router = APIRouter(prefix="/v1/runs", tags=["runs"])

    @router.post("", status_code=202, summary="Start a run")
    def start(body: StartBody, response: Response, idempotency_key: IdempotencyKey = None) -> RunWithSteps:
        """Queue a run. One run of a template is done at a time; others wait."""
        if body.unless_waiting:
            run_id = runs.trigger(body.template, body.parameters, body.reason, _id_of(idempotency_key))
        else:
            run_id = runs.start(body.template, body.parameters, _id_of(idempotency_key), body.reason)
        return _started(runs, run_id, (body.template, body.parameters, None), response)

    @router.get("", summary="The runs, newest first")
    def newest(limit: Annotated[int, Query(ge=1, le=500, description="How many.")] = 50) -> list[RunAnswer]:
        return [run_answer(each, runs.summary(each)) for each in runs.listed(limit)]

    @router.get("/{run_id}", summary="A run with its steps")
    def show(run_id: str) -> RunWithSteps:
        """What each step did and why, also of a run that has not ended."""
        return shown(runs, run_id)

    @router.get("/{run_id}/compare/{other}", summary="Two runs side by side")
    def compare(run_id: str, other: str) -> list[FactAnswer]:
        """Every fact of either: parameters, data, metrics of each candidate, slices, features, code."""
        first, second = (
            facts_of(run, runs.summary(run), runs.report(run.id)) for run in map(runs.show, (run_id, other))
        )
        return [FactAnswer(**vars(row), difference=row.difference) for row in compared(first, second)]

    @router.get("/{run_id}/logs/{step}", summary="What a step printed", response_class=PlainTextResponse)
    def log(run_id: str, step: str) -> str:
        """The last 64 KiB, also of a step that is being done; empty where it printed nothing or was skipped."""
        return runs.log(run_id, step)

    @router.post("/{run_id}/cancel", status_code=202, summary="Cancel a run")
    def cancel(run_id: str) -> RunWithSteps:
        """The step that is being done is ended within some seconds. Finished steps are kept."""
        runs.cancel(run_id)
        return shown(runs, run_id)

    @router.post("/{run_id}/resume", status_code=202, summary="Resume a run that was cancelled or failed")
    def resume(run_id: str, response: Response) -> RunWithSteps:
        """Continue with the step that was interrupted or failed. A failed run is continued by a run of another id."""
        continued = runs.resume(run_id)
        response.headers["location"] = f"/v1/runs/{continued}"
        return shown(runs, continued)

    @router.post("/{run_id}/fork", status_code=202, summary="Fork a run from a step")
    def fork(run_id: str, body: ForkBody, response: Response, idempotency_key: IdempotencyKey = None) -> RunWithSteps:
        """Start a run on the same data, with other parameters for this step and what follows it."""
        forked = runs.fork(run_id, body.step, body.parameters, _id_of(idempotency_key))
        origin = runs.show(run_id)
        return _started(runs, forked, (origin.template, {**origin.parameters, **body.parameters}, run_id), response)

    return router


def shown(runs: Runs, run_id: str) -> RunWithSteps:
    """A run with its steps, as it stands."""
    run = runs.show(run_id)
    return run_with_steps(run, runs.summary(run), runs.steps(run_id))


def _started(
    runs: Runs, run_id: str, asked: tuple[str, dict[str, object], str | None], response: Response
) -> RunWithSteps:
    """The run that was asked for. Raises ConflictError where its idempotency key began another one."""
    run = runs.show(run_id)
    if (run.template, run.parameters, run.origin) != asked:
        raise ConflictError(
            f"This Idempotency-Key began run {run_id}, of {run.template!r} with other parameters. Use a new key."
        )
    response.headers["location"] = f"/v1/runs/{run_id}"
    return shown(runs, run_id)


def _id_of(idempotency_key: str | None) -> str | None:
    return None if idempotency_key is None else f"run-{hashlib.sha256(idempotency_key.encode()).hexdigest()[:20]}"
