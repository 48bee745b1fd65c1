"""The application: wiring only."""

from __future__ import annotations

import importlib.metadata
from typing import Any

from fastapi import Depends, FastAPI

from shared_features.access.callers import Callers
from training.registry.versions import Registry
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.schedules import Schedules
from training.service.access import Access
from training.service.docs_page import docs_router
from training.service.page.router import page_router
from training.service.problems import ProblemDetails, answer_problems
from training.service.routes.archive_routes import archive_router
from training.service.routes.model_routes import model_router
from training.service.routes.run_routes import run_router
from training.service.routes.schedule_routes import schedule_router
from training.service.run_metrics import metrics_router
from training.settings import TrainingSettings

_DESCRIPTION = (
    "Training runs: start them, look at them, schedule them. A refused request gets problem details (RFC 9457)."
)
_PROBLEM: dict[str, Any] = {"model": ProblemDetails, "content": {"application/problem+json": {}}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    401: {**_PROBLEM, "description": "No valid API key."},
    403: {**_PROBLEM, "description": "The key lacks the scope."},
    404: {**_PROBLEM, "description": "There is no such run or schedule."},
    409: {**_PROBLEM, "description": "The run is not in a state in which that can be done."},
    422: {**_PROBLEM, "description": "The request cannot be carried out; `path` says where it is wrong."},
    429: {**_PROBLEM, "description": "The key has reached its limit; `Retry-After` says when to ask again."},
    503: {**_PROBLEM, "description": "The database of runs, or something else that is needed, cannot be used now."},
}


def create_app(settings: TrainingSettings, runs: Runs, callers: Callers | None = None) -> FastAPI:
    """The service over the runs of a database. callers: who may ask."""
    access = Access(callers)
    app = FastAPI(
        title="Millrace training runs",
        description=_DESCRIPTION,
        version=importlib.metadata.version("millrace"),
        docs_url=None,  # that page of FastAPI loads from the network
        redoc_url=None,
        responses=_RESPONSES,
        dependencies=[Depends(access.check)],
    )
    answer_problems(app)
    app.include_router(run_router(runs))
    app.include_router(archive_router(settings, runs, access))
    app.include_router(schedule_router(Schedules(runs.client)))
    app.include_router(model_router(Registry(settings.registry)))
    app.include_router(metrics_router(runs, Registry(settings.registry)))
    app.include_router(docs_router(app))
    app.include_router(page_router(runs, Schedules(runs.client), Registry(settings.registry)))
    return app
