"""What the protocol asks besides predictions: whether the server and a model are ready, and what a model takes."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.endpoints.health import Health
from serving.endpoints.inference.infer_answer import outputs_of
from serving.endpoints.inference.infer_endpoint import InferEndpoint, refusal
from serving.endpoints.inference.tensors import BOOL, BYTES
from serving.endpoints.served_view import ServedView
from serving.errors import UnknownViewError
from serving.models.model_choice import ModelChoice
from serving.request.body_faults import shortened
from serving.request.request_type import instance_fields
from shared_features.definitions import Field

_MODEL = "/v2/models/{model}"
_VERSION = _MODEL + "/versions/{version}"
Answer = Callable[[Request], Awaitable[Response]]


def inference_routes(
    served: Mapping[str, ServedView], models: ModelChoice, health: Health, infer: InferEndpoint
) -> list[Route]:
    """All routes of the protocol. served: by the names that a path may have."""

    def of(request: Request) -> ServedView:
        name = request.path_params["model"]
        view = models.answering(name)
        found = served.get(name if view is None else view.label)
        if found is None:
            known = sorted({each.view.name for each in served.values()})
            raise UnknownViewError(f"Unknown model {shortened(name)!r}. Ask for {', '.join(known)}.", views=known)
        return found

    async def server(request: Request) -> Response:
        release = importlib.metadata.version("millrace")
        return _json({"name": "millrace", "version": release, "extensions": ["binary_tensor_data"]})

    async def live(request: Request) -> Response:
        return _json({"live": True})

    async def ready(request: Request) -> Response:
        is_ready = (await health.look()).status == "ready"
        return _json({"ready": is_ready}, 200 if is_ready else 503)

    async def model_ready(request: Request) -> Response:
        found = of(request)
        state = (await health.look()).views.get(found.view.label)
        is_ready = state is not None and state.status == "ready"
        if is_ready:
            models.of(found.view, request.path_params.get("version"), _nobody)
        return _json({"name": request.path_params["model"], "ready": is_ready}, 200 if is_ready else 503)

    async def metadata(request: Request) -> Response:
        found = of(request)
        champion = models.current(found.view)
        model = models.of(found.view, request.path_params.get("version", str(champion.version)), _nobody)
        challenger = models.challenger(found.view, champion)
        outputs = [
            {"name": name, "datatype": datatype, "shape": shape}
            for name, (datatype, shape) in outputs_of(model).items()
        ]
        return _json(
            {
                "name": request.path_params["model"],
                "versions": [str(each.version) for each in (champion, challenger) if each is not None],
                "platform": "onnx_onnxv1",
                "inputs": list(map(_input, instance_fields(found.view))),
                "outputs": outputs,
            }
        )

    answers: dict[str, Answer] = {"/v2": server, "/v2/health/live": live, "/v2/health/ready": ready}
    for path in (_MODEL, _VERSION):
        answers |= {path: metadata, f"{path}/ready": model_ready}
    posts = [Route(f"{path}/infer", infer, methods=["POST"]) for path in (_MODEL, _VERSION)]
    return [*(Route(path, _refusing(answer), methods=["GET"]) for path, answer in answers.items()), *posts]


def _nobody() -> None:
    """No entity asks, so no share of them decides which model answers."""


def _input(field: Field) -> dict[str, Any]:
    """A field as a tensor of one value per instance. A missing value is NaN, or null, or the input is left out."""
    found: dict[str, Any] = {"name": field.name, "datatype": _datatype(field), "shape": [-1]}
    return found | {"parameters": {"optional": True}} if field.optional else found


def _datatype(field: Field) -> str:
    if field.is_text or isinstance(field.type.example, str):
        return BYTES
    if field.type.storage == "boolean":
        return BOOL
    return "FP64" if field.type.step_decimals else "INT64"


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


def _json(told: Mapping[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(told), status, media_type="application/json")
