"""The prediction endpoint: from the body of a request to the bytes of its answer."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from serving.connections.asking_client import AskingClient
from serving.endpoints.access import Access, count_request, count_rows
from serving.endpoints.served_view import ServedView
from serving.errors import BrokenViewError, ContentEncodingError, RefusedRequestError, UnknownViewError
from serving.metrics import Metrics
from serving.models.model import Model
from serving.models.model_choice import MODEL_HEADER, ModelChoice
from serving.problems import NO_STORE, problem_answer, problem_of
from serving.request.body_faults import shortened
from serving.request.incoming_body import IncomingBody
from serving.request.request_body import PredictionRequest
from serving.tracing.stages import PARSE, RECEIVE, lap_of
from shared_features.access.api_keys import PREDICT
from shared_features.access.key_ring import KnownKey
from shared_features.definitions import FeatureView

if TYPE_CHECKING:
    from serving.tracing.tracing import Tracing

_UNKNOWN_VIEW_BYTES = 1_048_576
MODEL_HEADER_NAME = MODEL_HEADER.lower().encode()

Clock = Callable[[], int]
Headers = list[tuple[bytes, bytes]]


class PredictEndpoint:
    """`POST /v1/views/{view}:predict`, as an ASGI application that answers every error itself."""

    needs = PREDICT
    """What a key must permit."""
    name = "predict"
    """How its spans are called."""

    def __init__(
        self,
        served: Mapping[str, ServedView],
        models: ModelChoice,
        metrics: Metrics,
        clock: Clock,
        receive_s: float,
        access: Access,
        tracing: Tracing | None = None,
    ) -> None:
        self._access, self._tracing = access, tracing
        self._served, self._receive_s = served, receive_s
        self._models, self._metrics, self._clock = models, metrics, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.predict(scope["path_params"]["view"], scope, receive, send)

    async def predict(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for the view of this label, or for the version of this name that answers now."""
        began = time.perf_counter()
        served = self.served(name)
        client = self.traced(AskingClient.of(scope), scope["headers"])
        incoming = IncomingBody(receive, self._receive_s, is_here=client.body_is_here)
        try:
            headers, body = self._written(scope, await self._answer(name, scope, client, incoming, served))
            status, problem = 200, ""
        except Exception as error:
            status, headers, body = self._refused(error)
            problem = problem_of(error).name
        headers.append((b"content-length", b"%d" % len(body)))
        if incoming.is_complete:
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:
            headers.append((b"connection", b"close"))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await incoming.drop()
            await send({"type": "http.response.body", "body": b""})
        self.count(client, served, status, time.perf_counter() - began, problem)

    async def _answer(
        self, name: str, scope: Scope, client: AskingClient, incoming: IncomingBody, served: ServedView | None
    ) -> bytes:
        key = self.key(scope["headers"])  # before anything is kept for the client
        laps = lap_of(client)
        raw = await incoming.read(served.most_bytes if served else _UNKNOWN_VIEW_BYTES)
        named = None
        for header, value in scope["headers"]:
            if header == MODEL_HEADER_NAME:
                named = value.decode("latin-1")
            elif header == b"content-encoding" and value.lower() != b"identity":
                raise ContentEncodingError(
                    f"The body has the Content-Encoding {shortened(value.decode('latin-1'))}. Send plain JSON."
                )
        laps.ended(RECEIVE)
        return await self.answer(name, served, partial(self._body, scope, raw), key, client, named)

    # What every way in has in common, whatever the protocol of its connections.

    def served(self, name: str) -> ServedView | None:
        """Who answers for the view of this label, or for the version of this name that answers now."""
        view = self._answering(name)
        return self._served.get(name if view is None else view.label)

    def traced(self, client: AskingClient, headers: Headers) -> AskingClient:
        """The client with the trace of its request, where it is traced. headers: names in lower case."""
        trace = None if self._tracing is None else self._tracing.begin(self.name, headers)
        return client if trace is None else client.with_trace(trace)

    def key(self, headers: Headers) -> KnownKey | None:
        """The key that a request gives; None where nobody needs one. Raises UnknownKeyError, ForbiddenError."""
        return self._access.key(headers, self.needs)

    def answer(
        self,
        name: str,
        served: ServedView | None,
        body: Callable[[ServedView], bytes],
        key: KnownKey | None,
        client: AskingClient,
        named: str | None,
    ) -> Awaitable[bytes]:
        """The answer's JSON, soon. body: of the prediction request. named: the model that is asked for.

        Raises RefusedRequestError, now or when it is awaited.
        """
        count_request(key)
        if served is None:
            raise self._unknown(name)
        if served.broken:
            raise BrokenViewError(served.broken)
        if key is not None:
            client = client.with_key(key.name)
        served.predictor.check_load(client)
        laps = lap_of(client)
        request = served.body.decode(body(served))
        laps.ended(PARSE)
        count_rows(key, len(request.instances))
        as_of_us = self._clock() if request.as_of_us is None else request.as_of_us
        model, challenger = self._model(served, request, named)
        if client.trace is not None:
            client.trace.facts |= _facts(request, model)
        return served.predictor.predict(request, as_of_us, model, client, challenger)

    def count(self, client: AskingClient, served: ServedView | None, status: int, seconds: float, problem: str) -> None:
        """A request was answered. status: of HTTP. problem: the name of its type; empty where it was predicted."""
        view = "" if served is None else served.view.label
        self._count(view, status, seconds, problem)
        if self._tracing is not None and client.trace is not None:
            client.trace.facts["millrace.view"] = view
            self._tracing.end(client.trace, status, problem)

    def _answering(self, name: str) -> FeatureView | None:
        return self._models.answering(name)

    def _count(self, view: str, status: int, seconds: float, problem: str) -> None:
        self._metrics.answered(view, status, seconds, problem)

    def _model(
        self, served: ServedView, request: PredictionRequest, named: str | None
    ) -> tuple[Model | None, Model | None]:
        """The model that answers, and the one that is compared with it."""
        model = self._models.of(served.view, named, partial(served.body.entity, request))
        return model, self._models.challenger(served.view, model)

    def _body(self, scope: Scope, raw: bytes, served: ServedView) -> bytes:
        return raw

    def _written(self, scope: Scope, answer: bytes) -> tuple[Headers, bytes]:
        """What is said with the answer, and how it is written."""
        return [(b"content-type", b"application/json"), NO_STORE], answer

    def _refused(self, error: Exception) -> tuple[int, Headers, bytes]:
        return problem_answer(error)

    def _unknown(self, name: str) -> RefusedRequestError:
        known = sorted({each.view.name for each in self._served.values()})
        return UnknownViewError(
            f"Unknown feature view {shortened(name)!r}. Send the request to one of {', '.join(known)}.", views=known
        )


def _facts(request: PredictionRequest, model: Model | None) -> dict[str, str | int]:
    """What a span says of a request, and of the model that answers: no value of a field."""
    facts: dict[str, str | int] = {"millrace.rows": len(request.instances)}
    return facts if model is None else facts | {"millrace.model": model.name, "millrace.version": model.version}
