"""How a request over gRPC is refused: the problem of the table of problems, as a status of gRPC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

import grpc
import msgspec

from serving.problems import problem_answer, problem_of

_CODES: Mapping[int, grpc.StatusCode] = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    499: grpc.StatusCode.CANCELLED,
    503: grpc.StatusCode.UNAVAILABLE,
}
_PROBLEM = "millrace-problem"
_AFTER = "grpc-retry-pushback-ms"
"""When to ask again, for clients that retry by themselves: gRPC's own name."""
_LONGEST_BYTES = 4096  # of the details, as they are sent: clients refuse 8 KiB of metadata


class CallStatus(NamedTuple):
    """status: what HTTP would answer. metadata: that follows."""

    code: grpc.StatusCode
    details: str
    metadata: tuple[tuple[str, str], ...]
    status: int
    problem: str


def call_status(error: Exception) -> CallStatus:
    """Of the answer to an error. An unexpected one is logged."""
    status, headers, body = problem_answer(error)
    problem, detail = problem_of(error).name, str(msgspec.json.decode(body)["detail"])
    metadata = [(_PROBLEM, problem)]
    metadata += [(_AFTER, f"{int(value) * 1000}") for name, value in headers if name == b"retry-after"]
    code = _CODES.get(status, grpc.StatusCode.INTERNAL)
    return CallStatus(code, _short(detail), tuple(metadata), status, problem)


def _short(detail: str) -> str:
    """Such as it is sent: what is not ASCII takes three bytes for each of its own."""
    while len(quote(detail, safe=" ")) > _LONGEST_BYTES:
        detail = f"{detail[: len(detail) * 3 // 4]}..."
    return detail
