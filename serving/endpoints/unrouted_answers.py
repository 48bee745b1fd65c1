"""Answers to what no route takes, to what a route refuses, and to what it did not expect."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from serving.problems import MEDIA_TYPE, problem_answer, problem_body, unrouted
from serving.request.body_faults import shortened


async def http_problem(request: Request, error: Any) -> Response:
    """The answer to an unknown path or a wrong method."""
    asked = f"{request.method} {shortened(request.url.path)}"
    detail = f"{asked}: {error.detail}. The docs page lists the paths of this service."
    body = problem_body(unrouted(error.status_code), detail)
    return Response(body, error.status_code, headers=dict(error.headers or {}), media_type=MEDIA_TYPE)


async def error_problem(request: Request, error: Exception) -> Response:
    """The answer to an error of a route that does not answer its own, by the table of problems."""
    status, headers, body = problem_answer(error)
    response = Response(body, status)
    response.raw_headers += headers
    return response
