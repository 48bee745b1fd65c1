"""Problem details that a connection gets before its request reaches a route (RFC 9457)."""

from __future__ import annotations

from serving.errors import SlowRequestError
from serving.problems import MEDIA_TYPE, PROBLEMS, Problem, problem_body

BAD_REQUEST = Problem(
    "bad-request", 400, "The request is not HTTP/1.1", "Send it with an HTTP client. See what lies between it and here."
)
HEAD_TOO_LONG = Problem(
    "head-too-long", 431, "The head of the request is too long", "Send fewer and shorter headers, and a shorter path."
)
TOO_MANY_CONNECTIONS = Problem(
    "too-many-connections",
    503,
    "Too many connections are open",
    "Send the request again after `Retry-After` seconds. Keep few connections open. When this lasts, run more workers.",
    retry_after_s=1,
)
SLOW_REQUEST = PROBLEMS[SlowRequestError]
CONNECTION_PROBLEMS = (BAD_REQUEST, HEAD_TOO_LONG, TOO_MANY_CONNECTIONS)


def answer(problem: Problem, detail: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of the last answer on a connection."""
    body = problem_body(problem, detail)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    if problem.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % problem.retry_after_s))
    return headers, body
