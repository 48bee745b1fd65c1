"""The route `/metrics`: the text that Prometheus scrapes.

With several workers, `PROMETHEUS_MULTIPROC_DIR` (which `python -m serving` sets) makes each worker write its values
to files, and whichever worker is scraped answers for all.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from serving.endpoints.access import Access
from serving.metrics import Metrics
from shared_features.access.api_keys import READ

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def metrics_router(of: Metrics, measure: Callable[[], Awaitable[None]], access: Access) -> APIRouter:
    """The route. measure: what is measured only when somebody looks."""
    router = APIRouter()

    @router.api_route("/metrics", methods=["GET", "HEAD"])
    async def metrics(request: Request) -> Response:
        access.key(request.scope["headers"], READ)
        await measure()
        return Response(exposition(of), media_type=CONTENT_TYPE_LATEST)

    return router


def exposition(metrics: Metrics) -> bytes:
    """The text that Prometheus scrapes: of these metrics, or of all workers where there are several."""
    metrics.settle()
    if directory := os.environ.get(MULTIPROCESS_VARIABLE):
        _forget_dead_workers(Path(directory))
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]  # has no types
        return generate_latest(everyone)
    return generate_latest(metrics.registry)


def _forget_dead_workers(directory: Path) -> None:
    """A model that answered in a worker that has ended answers no longer. Counts of such a worker stay."""
    for file in directory.glob("gauge_live*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdecimal() and not _is_alive(int(pid)):
            file.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
