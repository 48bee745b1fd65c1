"""Problem details: how each refused request is answered (RFC 9457), in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from serving.errors import (
    BrokenViewError,
    CatchingUpError,
    ClientLeftError,
    ClockBehindError,
    ContentEncodingError,
    EarlyInstantError,
    FailedModelError,
    ForbiddenError,
    InvalidRequestError,
    IssuerAwayError,
    NoModelError,
    OnlineStoreError,
    OverloadedError,
    RateLimitedError,
    RefusedRequestError,
    SlowModelError,
    SlowRequestError,
    TooManyInstancesError,
    UnknownGroupError,
    UnknownKeyError,
    UnknownModelError,
    UnknownViewError,
    UnreadableStateError,
)
from serving.log import get_log
from serving.problem_details import ProblemDetails

MEDIA_TYPE = "application/problem+json"
NO_STORE = (b"cache-control", b"no-store")
"""A header of every answer that is about one request: nothing between here and the client keeps it."""
_LOG = get_log("serving")


@dataclass(frozen=True, slots=True)
class Problem:
    """How one kind of error is answered. `name` is the last part of its type and an anchor of the docs page.

    advice: what the sender of the request can do.
    """

    name: str
    status: int
    title: str
    advice: str
    retry_after_s: int | None = None


PROBLEMS: dict[type[RefusedRequestError], Problem] = {
    UnknownKeyError: Problem(
        "unknown-key",
        401,
        "No valid API key or token",
        "Send one header `Authorization: Bearer KEY`. `keys new` makes a key, and shows it once. Or send a token of "
        "the issuer that this service trusts, if it trusts one.",
    ),
    ForbiddenError: Problem(
        "forbidden",
        403,
        "The key or the token may not ask for this",
        "Use a key or a token with the scope that `detail` names.",
    ),
    IssuerAwayError: Problem(
        "issuer-unavailable",
        503,
        "The signing key of the token is unknown",
        "Send the request again after `Retry-After` seconds. When this lasts, see the log of this service, and whether "
        "the issuer of tokens answers.",
        retry_after_s=1,
    ),
    RateLimitedError: Problem(
        "rate-limited",
        429,
        "The key has reached its limit",
        "Send the request again after `Retry-After` seconds, and fewer of them.",
        retry_after_s=1,
    ),
    UnknownViewError: Problem(
        "unknown-view", 404, "Unknown feature view", "Send the request to one of the views that `views` lists."
    ),
    UnknownGroupError: Problem(
        "unknown-group", 404, "Unknown feature group", "Send the request to one of the groups that `groups` lists."
    ),
    UnknownModelError: Problem(
        "unknown-model",
        404,
        "No such model answers for this view",
        "Send one of the names in `detail` in the header `Millrace-Model`, or leave the header out.",
    ),
    InvalidRequestError: Problem(
        "invalid-request",
        422,
        "The request does not match the view's fields",
        "Correct the body: `path` says where it is wrong and `detail` says what to write there.",
    ),
    EarlyInstantError: Problem(
        "early-instant",
        422,
        "The instant is earlier than what the online store can answer exactly",
        "Ask as of `exact_from_us` or later. Or run the command in `detail` where the lake is mounted: it replays the "
        "stored events, which is slow and exact.",
    ),
    ClockBehindError: Problem(
        "clock-behind",
        503,
        "The clock of this service is behind the stored events",
        "Set the clocks of this service and of the Kafka brokers alike, by NTP. Until then, give `as_of` in the "
        "request, at `exact_from_us` or later.",
        retry_after_s=5,
    ),
    TooManyInstancesError: Problem(
        "too-many-instances", 413, "The request is too large", "Send fewer instances in one request; see `limit`."
    ),
    SlowRequestError: Problem(
        "slow-request", 408, "The request arrived too slowly", "Send the request again, over a faster connection."
    ),
    ClientLeftError: Problem(
        "client-left",
        499,  # nginx's number: HTTP has none, since nobody is answered
        "The client did not wait for its answer",
        "Nobody reads this: the metrics count it. Where it is frequent, see whether clients wait for less time than "
        "answers take.",
    ),
    ContentEncodingError: Problem(
        "content-encoding", 415, "The body is encoded", "Send plain JSON, without a `Content-Encoding`."
    ),
    OverloadedError: Problem(
        "overloaded",
        503,
        "Too many requests are waiting",
        "Send the request again after `Retry-After` seconds. When this lasts, run more workers.",
        retry_after_s=1,
    ),
    OnlineStoreError: Problem(
        "online-store-unavailable",
        503,
        "The online store does not answer",
        "Send the request again after `Retry-After` seconds. When this lasts, see whether Redis is up.",
        retry_after_s=1,
    ),
    CatchingUpError: Problem(
        "catching-up",
        503,
        "Stored features are not up to date",
        "Send the request again after `Retry-After` seconds. When this lasts, see `python -m streaming status`.",
        retry_after_s=5,
    ),
    UnreadableStateError: Problem(
        "unreadable-state",
        503,
        "Stored features cannot be read",
        "Send the request again after `Retry-After` seconds. When this lasts, see the log of this service. "
        "The log names the damaged key in Redis.",
        retry_after_s=5,
    ),
    NoModelError: Problem(
        "no-model",
        503,
        "No model answers for this view yet",
        "Train a model with `python -m training run`, or wait for whatever trains it here: a schedule, or `millrace "
        "up`. Then send the request again.",
        retry_after_s=5,
    ),
    FailedModelError: Problem(
        "failed-model",
        500,
        "The model gave no score for this request",
        "Roll back with `python -m training registry roll-back`. The log of this service has the cause.",
    ),
    SlowModelError: Problem(
        "slow-model",
        503,
        "The model takes too long for this request",
        "Send the request again after `Retry-After` seconds. When this lasts, send fewer instances, or let another "
        "model answer: roll back with `python -m training registry roll-back`.",
        retry_after_s=1,
    ),
    BrokenViewError: Problem(
        "broken-view",
        500,
        "An on-demand function of the view does not work",
        "Correct the function that `detail` names, and restart the service. Other views are answered.",
    ),
}
UNEXPECTED = Problem(
    "unexpected", 500, "Unexpected error in the service", "Report it. The service's log has the cause."
)


def unrouted(status: int) -> Problem:
    """What the router refuses: a path that the service does not have, or a method that a path does not take."""
    return Problem(
        "unknown-route", status, "Unknown path or method", "See the docs page for the paths of this service."
    )


def problem_of(error: Exception) -> Problem:
    """The table's row for an error; an error that is not in the table is unexpected."""
    return next((problem for kind, problem in PROBLEMS.items() if isinstance(error, kind)), UNEXPECTED)


def problem_details(problem: Problem, detail: str, **extra: Any) -> ProblemDetails:
    """What the client is told. `extra`: further members."""
    return ProblemDetails(f"/docs#{problem.name}", problem.title, problem.status, detail, **extra)


def problem_body(problem: Problem, detail: str, **extra: Any) -> bytes:
    """The body of an answer, as `application/problem+json`."""
    return msgspec.json.encode(problem_details(problem, detail, **extra))


def problem_answer(error: Exception) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of the answer to an error. An unexpected error is logged."""
    problem = problem_of(error)
    headers = [(b"content-type", MEDIA_TYPE.encode()), NO_STORE]
    retry_after_s, detail, extra = problem.retry_after_s, "The request failed. The service's log has the cause.", {}
    if isinstance(error, RefusedRequestError):
        detail, extra, retry_after_s = error.detail, error.extra, error.retry_after_s or retry_after_s
        if error.challenge is not None:
            headers.append((b"www-authenticate", error.challenge.encode()))
    else:
        _LOG.error("answering 500 after an unexpected error", exc_info=error)
    if retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % retry_after_s))
    return problem.status, headers, problem_body(problem, detail, **extra)
