"""The prediction endpoint: from the body of a request to the bytes of its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from serving.body_faults import shortened
from serving.errors import (
    BrokenViewError,
    InvalidRequestError,
    SlowRequestError,
    TooManyInstancesError,
    UnknownViewError,
)
from serving.feature_vector import FeatureVectors
from serving.metrics import Metrics
from serving.models import Models
from serving.prediction import Predictor
from serving.problems import problem_answer
from serving.request_body import RequestBody
from shared_features.definitions import FeatureView

_BODY_WITHIN_S = 10.0
_BYTES_PER_INSTANCE = 16_384  # room for dozens of long fields

Clock = Callable[[], int]


@dataclass(frozen=True)
class ServedView:
    """A view and the parts that answer for it. `broken`: why no request for it is answered; empty otherwise."""

    view: FeatureView
    body: RequestBody
    vectors: FeatureVectors
    predictor: Predictor
    most_bytes: int
    broken: str = ""

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
            raise UnknownViewError(
                f"Unknown feature view {shortened(name)!r}. Send the request to one of {', '.join(known)}.", views=known
            )
        if served.broken:
            raise BrokenViewError(served.broken)
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
        raise SlowRequestError(
            f"The body was not complete within {_BODY_WITHIN_S:g} seconds. Send it faster, or send fewer instances."
        ) from error
    if message["type"] == "http.disconnect":
        raise InvalidRequestError(
            "The client closed the connection before the body was complete. Send the whole request.", path="$"
        )
    return b"".join(parts)


def _too_long(most_bytes: int) -> TooManyInstancesError:
    return TooManyInstancesError(f"The body is longer than {most_bytes} bytes. Send fewer instances.", limit=most_bytes)
