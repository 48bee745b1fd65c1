"""Answers to what no route takes, and to what a route did not expect."""

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


async def unexpected_problem(request: Request, error: Exception) -> Response:
    """The answer to an error that nothing here names."""
    status, _, body = problem_answer(error)
    return Response(body, status, media_type=MEDIA_TYPE)
