"""The routes of the protocol over REST."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.endpoints.inference.infer_endpoint import InferEndpoint, refusal
from serving.endpoints.inference.inference_server import InferenceServer

_MODEL = "/v2/models/{model}"
_VERSION = _MODEL + "/versions/{version}"
Answer = Callable[[Request], Awaitable[Response]]


class ServerLive(msgspec.Struct, frozen=True):
    """The server answers."""

    live: Annotated[bool, Meta(description="Always true.")]


class ServerReady(msgspec.Struct, frozen=True):
    """Whether predictions of a model can be made."""

    ready: Annotated[bool, Meta(description="Whether predictions of at least one view can be made.")]


class ModelReady(msgspec.Struct, frozen=True):
    """Whether predictions of this model can be made."""

    name: Annotated[str, Meta(description="The model, as the request called it.")]
    ready: Annotated[bool, Meta(description="Whether its predictions can be made.")]


def inference_routes(server: InferenceServer, infer: InferEndpoint) -> list[Route]:
    """All of them."""

    def asked(request: Request) -> tuple[str, str | None]:
        return request.path_params["model"], request.path_params.get("version")

    async def told(request: Request) -> Response:
        return _json(server.told())

    async def live(request: Request) -> Response:
        return _json(ServerLive(live=True))

    async def ready(request: Request) -> Response:
        is_ready = await server.is_ready()
        return _json(ServerReady(is_ready), 200 if is_ready else 503)

    async def model_ready(request: Request) -> Response:
        is_ready = await server.is_model_ready(*asked(request))
        return _json(ModelReady(request.path_params["model"], is_ready), 200 if is_ready else 503)

    async def model(request: Request) -> Response:
        return _json(server.model(*asked(request)))

    answers: dict[str, Answer] = {"/v2": told, "/v2/health/live": live, "/v2/health/ready": ready}
    for path in (_MODEL, _VERSION):
        answers |= {path: model, f"{path}/ready": model_ready}
    posts = [Route(f"{path}/infer", infer, methods=["POST"]) for path in (_MODEL, _VERSION)]
    return [*(Route(path, _refusing(answer), methods=["GET"]) for path, answer in answers.items()), *posts]


def _refusing(answer: Answer) -> Answer:
    """Errors as the protocol's clients read them."""

    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except Exception as error:
            status, headers, body = refusal(error)
            response = Response(body, status)
            response.raw_headers += headers
            return response

    return answered


def _json(told: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(told), status, media_type="application/json")
