"""The routes: predictions, health, metrics, and the pages that describe them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response
from starlette.types import Receive, Scope, Send

from serving.errors import (
    MEDIA_TYPE,
    InvalidRequestError,
    NoModelError,
    OnlineStoreError,
    ServingError,
    SlowRequestError,
    TooManyInstancesError,
    UnknownViewError,
    problem_body,
    problem_of,
)
from serving.feature_vector import FeatureVectors
from serving.live_features import problems_of
from serving.log import get_log
from serving.metrics import CONTENT_TYPE, Metrics
from serving.models import Models
from serving.online_store import OnlineStore
from serving.prediction import Predictor
from serving.request_body import RequestBody
from shared_features.definitions import FeatureView

PREDICT_START, PREDICT_END = "/v1/views/", ":predict"
PREDICT_PATH = PREDICT_START + "{view}" + PREDICT_END
_BODY_WITHIN_S = 10.0
_BYTES_PER_INSTANCE = 16_384  # some dozens of fields at their longest
_LOG = get_log("serving")

Clock = Callable[[], int]


@dataclass(frozen=True)
class ServedView:
    """A view and all that answers for it."""

    view: FeatureView
    body: RequestBody
    vectors: FeatureVectors
    predictor: Predictor
    most_bytes: int

    @staticmethod
    def most_bytes_of(max_instances: int) -> int:
        """The longest body that is read."""
        return 4096 + max_instances * _BYTES_PER_INSTANCE


class PredictEndpoint:
    """`POST /v1/views/{view}:predict`, as an ASGI application that answers every error itself."""

    def __init__(self, served: Mapping[str, ServedView], models: Models, metrics: Metrics, clock: Clock) -> None:
        self._served = served
        self._models, self._metrics, self._clock = models, metrics, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.predict(scope["path_params"]["view"], receive, send)

    async def predict(self, name: str, receive: Receive, send: Send) -> None:
        """Answer a request for the view of this label, or for the version of this name that answers now."""
        began = time.perf_counter()
        view = self._models.answering(name)
        served = self._served.get(name if view is None else view.label)
        try:
            body = await self._answer(name, receive, served)
            status, headers = 200, [(b"content-type", b"application/json")]
        except Exception as error:
            status, headers, body = problem_answer(error)
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self._metrics.answered("" if served is None else served.view.label, status, time.perf_counter() - began)

    async def _answer(self, name: str, receive: Receive, served: ServedView | None) -> bytes:
        if served is None:
            known = sorted({each.view.name for each in self._served.values()})
            raise UnknownViewError(f"there is no feature view {name!r}; there are {known}", views=known)
        request = served.body.decode(await _body(receive, served.most_bytes))
        as_of_us = self._clock() if request.as_of_us is None else request.as_of_us
        model = self._models.current(served.view)
        return await served.predictor.predict(request, as_of_us, model)


async def _body(receive: Receive, most_bytes: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > most_bytes:
            raise _too_long(most_bytes)
        return body
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            parts, length = [body], len(body)
            while message.get("more_body", False):
                message = await receive()
                parts.append(message.get("body", b""))
                length += len(parts[-1])
                if length > most_bytes:
                    raise _too_long(most_bytes)
    except TimeoutError as error:
        raise SlowRequestError(f"the request's body was not complete within {_BODY_WITHIN_S:g} s") from error
    if message["type"] == "http.disconnect":
        raise InvalidRequestError("the client left before its request was complete", path="$")
    return b"".join(parts)


def _too_long(most_bytes: int) -> TooManyInstancesError:
    return TooManyInstancesError(f"the body is longer than {most_bytes} bytes; send fewer instances", limit=most_bytes)


def problem_answer(error: Exception) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of the answer to an error, by the one table; what is not in it is logged."""
    problem = problem_of(error)
    headers = [(b"content-type", MEDIA_TYPE.encode())]
    if problem.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % problem.retry_after_s))
    if isinstance(error, ServingError):
        return problem.status, headers, problem_body(problem, error.detail, error.extra)
    _LOG.error("a request failed unexpectedly", exc_info=error)
    return problem.status, headers, problem_body(problem, "the service's log has the cause")


def build_router(
    served: Sequence[ServedView],
    store: OnlineStore,
    models: Models,
    metrics: Metrics,
    docs: Callable[[], bytes],
) -> APIRouter:
    """All routes but the prediction."""
    router = APIRouter()

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @router.get("/health/ready")
    async def ready(response: Response) -> dict[str, Any]:
        used = _in_use(served, models)
        missing = await _missing_in_store(used, store)
        missing += _missing_models(used, models, also_waiting=not missing)
        response.status_code = 503 if missing else 200
        status = "not ready" if missing else "ready"
        return {"status": status, "missing": missing, "waiting": models.waiting()}

    @router.get("/metrics")
    async def exposition() -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    @router.get("/docs", include_in_schema=False)
    async def describe() -> Response:
        return Response(docs(), media_type="text/html; charset=utf-8")

    return router


def _in_use(served: Sequence[ServedView], models: Models) -> list[ServedView]:
    """Of each view the version that answers to its name, before there is one the newest: others may lack anything."""
    by_name = {each.view.name: each for each in sorted(served, key=lambda each: each.view.version)}
    answering = {name: models.answering(name) or each.view for name, each in by_name.items()}
    return [each for each in served if each.view == answering[each.view.name]]


async def _missing_in_store(used: Sequence[ServedView], store: OnlineStore) -> list[str]:
    shards = {shard.meta_key: shard for each in used for shard in each.vectors.shards}
    try:
        problems = await problems_of(store, list(shards.values()))
    except OnlineStoreError as error:
        return [error.detail]
    return list(dict.fromkeys(problem for _, problem in problems))


def _missing_models(used: Sequence[ServedView], models: Models, *, also_waiting: bool) -> list[str]:
    """also_waiting: those that wait for their features, where the store did not tell shard by shard."""
    missing = []
    for each in used:
        try:
            models.current(each.view)
        except NoModelError as error:
            missing.append(error.detail)
        except ServingError as error:
            missing += [error.detail] if also_waiting else []
    return missing
