"""The inference endpoint: a prediction request in the protocol's words, with its limits, its keys and its errors."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.types import Receive, Scope, Send

from serving.endpoints.inference.infer_answer import check_outputs, write_infer_answer
from serving.endpoints.inference.infer_request import read_infer_request
from serving.endpoints.predict_endpoint import MODEL_HEADER_NAME, Headers, PredictEndpoint
from serving.endpoints.served_view import ServedView
from serving.errors import InvalidRequestError
from serving.problem_details import ProblemDetails
from serving.problems import NO_STORE, problem_answer
from serving.request.body_faults import shortened
from serving.request.request_type import instance_fields

_LENGTH = b"inference-header-content-length"
_ASKED = "millrace.inference"
"""Where a request's own facts lie in its scope."""


class InferProblem(ProblemDetails, frozen=True, gc=False, kw_only=True):
    """Why there is no prediction, for clients of the protocol too. Problem details as in RFC 9457."""

    error: Annotated[str, Meta(description="As `detail`: where clients of the protocol look.")]


class InferEndpoint(PredictEndpoint):
    """`POST /v2/models/{model}/infer`, with `/versions/{version}` or without. A model is called like its view."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (version := scope["path_params"].get("version")) is not None:
            others = [each for each in scope["headers"] if each[0] != MODEL_HEADER_NAME]
            named = (MODEL_HEADER_NAME, version.encode("latin-1", "replace"))
            scope = {**scope, "headers": [*others, named]}
        await self.predict(scope["path_params"]["model"], scope, receive, send)

    def _body(self, scope: Scope, raw: bytes, served: ServedView) -> bytes:
        names = field_names(served)
        asked = read_infer_request(raw, _json_bytes(scope), names, served.body.max_instances)
        check_outputs(asked)
        scope[_ASKED] = asked
        return asked.body

    def _written(self, scope: Scope, answer: bytes) -> tuple[Headers, bytes]:
        headers, body = write_infer_answer(scope["path_params"]["model"], scope[_ASKED], answer)
        return [*headers, NO_STORE], body

    def _refused(self, error: Exception) -> tuple[int, Headers, bytes]:
        return refusal(error)


def field_names(served: ServedView) -> Collection[str]:
    """What inputs may be called."""
    return {field.name: field for field in instance_fields(served.view)}


def refusal(error: Exception) -> tuple[int, Headers, bytes]:
    """The problem details, with the member `error` that clients of the protocol read."""
    status, headers, body = problem_answer(error)
    told = msgspec.json.decode(body)
    return status, headers, msgspec.json.encode(told | {"error": told["detail"]})


def _json_bytes(scope: Scope) -> int | None:
    for header, value in scope["headers"]:
        if header == _LENGTH:
            if not value.isdigit() or len(value) > len("4294967296"):
                raise InvalidRequestError(
                    f"Inference-Header-Content-Length is {shortened(value.decode('latin-1'))}. Send the number of "
                    "bytes of the JSON.",
                    path="$",
                )
            return int(value)
    return None
