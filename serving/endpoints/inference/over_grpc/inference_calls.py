"""The methods of the service: each answers its call, by what answers over REST."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from serving.connections.asking_client import AskingClient
from serving.endpoints.inference.infer_endpoint import InferEndpoint, field_names
from serving.endpoints.inference.infer_request import InferRequest
from serving.endpoints.inference.inference_server import InferenceServer
from serving.endpoints.inference.over_grpc.asking_call import AskingCall
from serving.endpoints.inference.over_grpc.call_status import CallStatus, call_status
from serving.endpoints.inference.over_grpc.infer_messages import read_infer_message, write_infer_message
from serving.endpoints.inference.over_grpc.messages import MESSAGES, SERVICE
from serving.endpoints.served_view import ServedView
from serving.errors import (
    ClientLeftError,
    InvalidRequestError,
    SlowRequestError,
    UnknownModelError,
    UnknownViewError,
)
from serving.tracing.stages import RECEIVE, lap_of

Call = Any  # grpc.aio.ServicerContext, whose types say less than it does


_READ = ("authorization", "traceparent", "tracestate")


@dataclass(slots=True)
class _Asking:
    """What is known of one call for a prediction. served: who answers for its model."""

    connection: AskingCall
    client: AskingClient
    headers: list[tuple[bytes, bytes]]
    served: ServedView | None = None
    asked: InferRequest | None = None

    def read(self, message: Any, served: ServedView) -> bytes:
        """The body of the prediction request."""
        self.asked = read_infer_message(message, field_names(served), served.body.max_instances)
        return self.asked.body

    def written(self, message: Any, answer: bytes) -> Any:
        if self.asked is None:
            raise TypeError("An answer comes after its request was read.")
        return write_infer_message(message.model_name, self.asked, answer, raw=bool(message.raw_input_contents))


class InferenceCalls:
    """receive_s: within which the message of a call has come.

    Messages are read here and not by gRPC, which would wait for one as long as its client likes.
    """

    def __init__(self, server: InferenceServer, infer: InferEndpoint, receive_s: float) -> None:
        self._server, self._infer, self._receive_s = server, infer, receive_s

    def handler(self) -> Any:
        """What a server of gRPC is given."""
        answers: dict[str, Callable[[Any], Awaitable[dict[str, Any]]]] = {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ModelReady": self._model_ready,
            "ServerMetadata": self._told,
            "ModelMetadata": self._model,
        }
        called: dict[str, Callable[[Call], Awaitable[bytes]]] = {
            name: partial(self._answer, name, answer) for name, answer in answers.items()
        }
        called["ModelInfer"] = self._model_infer
        methods = {name: grpc.stream_unary_rpc_method_handler(_function(method)) for name, method in called.items()}
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    # Health and metadata.

    async def _live(self, asked: Any) -> dict[str, Any]:
        return {"live": True}

    async def _ready(self, asked: Any) -> dict[str, Any]:
        return {"ready": await self._server.is_ready()}

    async def _model_ready(self, asked: Any) -> dict[str, Any]:
        try:
            return {"ready": await self._server.is_model_ready(asked.name, asked.version or None)}
        except (UnknownViewError, UnknownModelError):
            return {"ready": False}

    async def _told(self, asked: Any) -> dict[str, Any]:
        told = self._server.told()
        return {"name": told.name, "version": told.version}  # its extensions are those of REST

    async def _model(self, asked: Any) -> dict[str, Any]:
        told = self._server.model(asked.name, asked.version or None)
        inputs, outputs = (
            [{"name": each.name, "datatype": each.datatype, "shape": each.shape} for each in tensors]
            for tensors in (told.inputs, told.outputs)
        )
        found = {"name": told.name, "versions": told.versions, "platform": told.platform}
        return found | {"inputs": inputs, "outputs": outputs}

    async def _answer(self, method: str, answer: Callable[[Any], Awaitable[dict[str, Any]]], call: Call) -> bytes:
        try:
            asked = await self._message(f"{method}Request", call)
            told: bytes = MESSAGES[f"{method}Response"](**await answer(asked)).SerializeToString()
        except Exception as error:
            await call.abort(*call_status(error)[:3])  # which raises, too
            raise
        return told

    # Predictions.

    async def _model_infer(self, call: Call) -> bytes:
        began, connection, headers = time.perf_counter(), AskingCall(call.peer()), _headers(call)
        client = self._infer.traced(AskingClient(connection), headers)
        asking = _Asking(connection, client, headers)
        try:
            told = await self._inferred(call, asking)
        except asyncio.CancelledError:
            asking.connection.has_left = True
            left = ClientLeftError("The client ended its call before the answer.")
            self._count(asking, call_status(left), began)
            raise
        except Exception as error:
            status = call_status(error)
            self._count(asking, status, began)
            await call.abort(*status[:3])
            raise
        self._count(asking, None, began)
        return told

    async def _inferred(self, call: Call, asking: _Asking) -> bytes:
        key = self._infer.key(asking.headers)  # before anything is kept for the client
        laps = lap_of(asking.client)
        message = await self._message("ModelInferRequest", call)
        laps.ended(RECEIVE)
        name, version = message.model_name, message.model_version or None
        asking.served = self._infer.served(name)
        answer = await self._infer.answer(
            name, asking.served, partial(asking.read, message), key, asking.client, version
        )
        told: bytes = asking.written(message, answer).SerializeToString()
        return told

    def _count(self, asking: _Asking, refused: CallStatus | None, began: float) -> None:
        status, problem = (200, "") if refused is None else (refused.status, refused.problem)
        self._infer.count(asking.client, asking.served, status, time.perf_counter() - began, problem)

    async def _message(self, name: str, call: Call) -> Any:
        try:
            async with asyncio.timeout(self._receive_s):
                raw = await call.read()
        except TimeoutError as error:
            raise SlowRequestError(
                f"The message was not complete within {self._receive_s:g} seconds. Send it faster."
            ) from error
        if not isinstance(raw, bytes):
            raise InvalidRequestError(f"The call has no message. Send one {name}.", path="$")
        try:
            return MESSAGES[name].FromString(raw)
        except DecodeError as error:
            raise InvalidRequestError(
                f"The message is not a {name} of protocol buffers. Send one.", path="$"
            ) from error


def _function(method: Callable[[Call], Awaitable[bytes]]) -> Callable[[Any, Call], Awaitable[bytes]]:
    """gRPC asks whether it is a coroutine function, which no `partial` is, and reads its messages from the call."""

    async def called(_: Any, call: Call) -> bytes:
        return await method(call)

    return called


def _headers(call: Call) -> list[tuple[bytes, bytes]]:
    """Those that are read, as HTTP has them."""
    found = [(name, value) for name, value in call.invocation_metadata() if name in _READ]
    return [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in found]
