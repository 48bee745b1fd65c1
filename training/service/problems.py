"""Problem details (RFC 9457): how each refused request is answered, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from shared_features.errors import FeatureError, IssuerUnavailableError
from training.errors import ConflictError, RequestError, UnknownNameError
from training.service.access import ForbiddenError, RateLimitedError, UnknownKeyError

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_S = "10"
_LOG = structlog.get_logger(part="service")


class ProblemDetails(BaseModel):
    """Why a request was refused."""

    type: str = Field(description="The kind of problem, as a link to its row on the page `/docs`.")
    title: str = Field(description="The kind of problem in a few words.")
    status: int = Field(description="The HTTP status of the answer.")
    detail: str = Field(description="What is wrong, what was found, and what to do.")
    path: str | None = Field(None, description="Where it is wrong in the body, such as `$.parameters.top`.")


@dataclass(frozen=True)
class Problem:
    name: str
    status: int
    title: str


PROBLEMS: dict[type[Exception], Problem] = {
    UnknownKeyError: Problem("unknown-key", 401, "No valid API key"),
    ForbiddenError: Problem("forbidden", 403, "The key or the page may not ask for this"),
    RateLimitedError: Problem("rate-limited", 429, "The key has reached its limit"),
    UnknownNameError: Problem("unknown-name", 404, "There is no run or schedule of that name"),
    ConflictError: Problem("conflict", 409, "The run is not in a state in which that can be done"),
    RequestError: Problem("invalid-request", 422, "The request cannot be carried out"),
    FeatureError: Problem("unusable", 503, "Something that the answer needs cannot be used"),
}
UNKNOWN_ROUTE = Problem("unknown-route", 404, "Unknown path or method")
UNEXPECTED = Problem("unexpected", 500, "Unexpected error in the service")


def answer_problems(app: FastAPI) -> None:
    """Let the application answer its errors by the table."""
    app.add_exception_handler(FeatureError, _refused)
    app.add_exception_handler(SQLAlchemyError, _away)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unrouted)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    problem = next(each for kind, each in PROBLEMS.items() if isinstance(error, kind))
    headers = dict[str, str]()
    if isinstance(error, UnknownKeyError):
        headers["www-authenticate"] = 'Basic realm="millrace runs", Bearer realm="millrace runs"'
    if isinstance(error, RateLimitedError):
        headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, IssuerUnavailableError):
        headers["retry-after"] = "1"
    path = getattr(error, "path", None)
    return _answer(problem, str(error), path if path != "$" else None, headers)


async def _away(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("answering 503, because the database of runs cannot be used", reason=str(error.args[0]))
    detail = (
        "The database of runs cannot be used now. Runs that are being done continue when it answers. Send the request "
        "again; an Idempotency-Key makes that harmless."
    )
    return _answer(PROBLEMS[FeatureError], detail, headers={"retry-after": _RETRY_AFTER_S})


async def _invalid(request: Request, error: Any) -> JSONResponse:
    """A body or a query that does not have the form of the request."""
    fault = error.errors()[0]
    path = (fault.get("ctx") or {}).get("path") or _path(fault["loc"])
    said = fault["msg"] if fault["type"].startswith("millrace") else f"{path} is {fault['input']!r}. {fault['msg']}."
    return _answer(PROBLEMS[RequestError], said, path)


async def _unrouted(request: Request, error: Any) -> JSONResponse:
    detail = f"{request.method} {request.url.path}: {error.detail}. The page /docs lists the paths of this service."
    problem = Problem(UNKNOWN_ROUTE.name, error.status_code, UNKNOWN_ROUTE.title)
    return _answer(problem, detail, headers=dict(error.headers or {}))


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("answering 500 after an unexpected error", exc_info=error)
    return _answer(UNEXPECTED, "The request failed. The service's log has the cause.")


def _path(place: Sequence[int | str]) -> str:
    """`$.parameters.top` of a body, the bare name of a query parameter."""
    first, *rest = place
    if first != "body":
        return ".".join(map(str, rest))
    return "$" + "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in rest)


def _answer(
    problem: Problem, detail: str, path: str | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    details = ProblemDetails(
        type=f"/docs#{problem.name}", title=problem.title, status=problem.status, detail=detail, path=path
    )
    return JSONResponse(details.model_dump(exclude_none=True), problem.status, headers, MEDIA_TYPE)
