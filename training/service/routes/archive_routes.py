"""The paths of archives: a run as a file, and a run from a file."""

from __future__ import annotations

import re
import tempfile
import urllib.parse
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from shared_features.access.api_keys import ADMIN
from shared_features.formats.run_archive import IMPORTED_FOLDER
from shared_features.formats.training_run import NEW_PREFIX
from training.scheduler.runs.run_export import export_run
from training.scheduler.runs.runs import Runs
from training.service.access import Access
from training.service.routes.answers import RunWithSteps
from training.service.routes.run_routes import shown
from training.settings import TrainingSettings

_TYPE = "application/gzip"
_IN_MEMORY = 2**20
_FILE: Any = {"content": {_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
_ANSWERS: Any = {200: {**_FILE, "description": "The archive."}}


def archive_router(settings: TrainingSettings, runs: Runs, access: Access) -> APIRouter:
    router = APIRouter(prefix="/v1/runs", tags=["runs"])

    @router.get("/{run_id}/archive", summary="A run as one file", response_class=FileResponse, responses=_ANSWERS)
    def archive(run_id: str) -> FileResponse:
        """Parameters, metrics, reports, logs, graph and the description of its dataset, without rows of any entity."""
        return _archive(settings, runs, run_id, data=False)

    @router.get(
        "/{run_id}/archive/with-data",
        summary="A run as one file, with its data",
        response_class=FileResponse,
        responses=_ANSWERS,
        dependencies=[Security(access.check, scopes=[ADMIN])],
    )
    def archive_with_data(run_id: str) -> FileResponse:
        """With the rows of its dataset and the files of its own steps, too. This needs the scope `admin`."""
        return _archive(settings, runs, run_id, data=True)

    @router.post(
        "/import", status_code=201, summary="Import a run", openapi_extra={"requestBody": {**_FILE, "required": True}}
    )
    async def add(request: Request, response: Response) -> RunWithSteps:
        """The body is an archive of a run. The run is listed, shown and compared, and never resumed or forked."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(settings.training_runs)) as file:
            async for chunk in request.stream():
                await run_in_threadpool(file.write, chunk)
            file.seek(0)
            run_id = await run_in_threadpool(runs.imported.add, file, "The body")
        response.headers["location"] = f"/v1/runs/{urllib.parse.quote(run_id, safe='')}"
        return await run_in_threadpool(shown, runs, run_id)

    return router


def _archive(settings: TrainingSettings, runs: Runs, run_id: str, *, data: bool) -> FileResponse:
    # Where the next import removes what a kill leaves: the archive may hold rows.
    folder = settings.training_runs / IMPORTED_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    place = tempfile.TemporaryDirectory(dir=folder, prefix=NEW_PREFIX)
    try:
        file = Path(place.name) / "run.tar.gz"
        written = export_run(settings, runs, run_id, file, data=data)
    except BaseException:
        place.cleanup()
        raise
    name = f"{re.sub(r'[^A-Za-z0-9._-]', '-', written.id)}.tar.gz"
    return FileResponse(file, media_type=_TYPE, filename=name, background=BackgroundTask(place.cleanup))
