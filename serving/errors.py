"""What can go wrong with a request, and the one table of how it is answered (RFC 9457 problem details).

ServingError
  UnknownViewError         the path names a view that is not defined
  InvalidRequestError      the body is not what the view's fields declare; carries the path of the field
  TooManyInstancesError    more instances, or more bytes, than one request may carry
  SlowRequestError         the body did not arrive in time
  OverloadedError          more instances wait than the process takes
  OnlineStoreError         Redis is gone, too slow, or answers with an error
  CatchingUpError          the stream has not brought a shard to the present yet
  NoModelError             no model answers for the view yet
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec


class ServingError(Exception):
    """A request that gets a problem instead of a prediction. `extra`: further members of the answer."""

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class UnknownViewError(ServingError):
    """The path names a view that is not defined."""


class InvalidRequestError(ServingError):
    """The body is not what the view's fields declare; `path` says where."""


class TooManyInstancesError(ServingError):
    """More than one request may carry."""


class SlowRequestError(ServingError):
    """The body did not arrive in time."""


class OverloadedError(ServingError):
    """More instances wait than the process takes."""


class OnlineStoreError(ServingError):
    """The online store is gone, too slow, or answers with an error."""


class CatchingUpError(ServingError):
    """A shard is behind, or its group was never streamed."""


class NoModelError(ServingError):
    """No model answers for the view yet."""


@dataclass(frozen=True, slots=True)
class Problem:
    """How one kind of error is answered. `name` is the last part of its type and an anchor of the docs page."""

    name: str
    status: int
    title: str
    retry_after_s: int | None = None


PROBLEMS: dict[type[ServingError], Problem] = {
    UnknownViewError: Problem("unknown-view", 404, "There is no such feature view"),
    InvalidRequestError: Problem("invalid-request", 422, "The request is not what the view declares"),
    TooManyInstancesError: Problem("too-many-instances", 413, "The request is too large"),
    SlowRequestError: Problem("slow-request", 408, "The request did not arrive in time"),
    OverloadedError: Problem("overloaded", 503, "Too many requests wait", retry_after_s=1),
    OnlineStoreError: Problem("online-store-unavailable", 503, "The online store does not answer", retry_after_s=1),
    CatchingUpError: Problem("catching-up", 503, "The stream is catching up", retry_after_s=5),
    NoModelError: Problem("no-model", 503, "No model is published for the view yet", retry_after_s=5),
}
UNEXPECTED = Problem("unexpected", 500, "Something went wrong in the service")

MEDIA_TYPE = "application/problem+json"


def problem_of(error: Exception) -> Problem:
    """The table's row for an error; what is not in the table is unexpected."""
    return next((problem for kind, problem in PROBLEMS.items() if isinstance(error, kind)), UNEXPECTED)


def problem_body(problem: Problem, detail: str, extra: dict[str, Any] | None = None) -> bytes:
    """The body of an answer, as `application/problem+json`."""
    members = {"type": f"/docs#{problem.name}", "title": problem.title, "status": problem.status, "detail": detail}
    return msgspec.json.encode(members | (extra or {}))
