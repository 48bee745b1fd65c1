"""Parts of the OpenAPI document that several of its operations have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from serving.problem_details import ProblemDetails
from serving.problems import MEDIA_TYPE, UNEXPECTED, Problem, problem_details

JSON = "application/json"
REFS = "#/components/schemas/{name}"


def refusals(problems: Iterable[Problem]) -> dict[str, Any]:
    """The responses of an operation that may be refused so, by status."""
    return {str(status): _refusal(each) for status, each in _by_status([*problems, UNEXPECTED]).items()}


def _by_status(problems: Iterable[Problem]) -> dict[int, list[Problem]]:
    by_status: dict[int, list[Problem]] = {}
    for problem in sorted(problems, key=lambda each: each.status):
        by_status.setdefault(problem.status, []).append(problem)
    return by_status


def _refusal(problems: Sequence[Problem]) -> dict[str, Any]:
    lines = [f"{each.title} (type `{each.name}`). {each.advice}" for each in problems]
    answer = declared("\n\n".join(lines), ProblemDetails.__name__, MEDIA_TYPE)
    answer["content"][MEDIA_TYPE]["examples"] = {
        each.name: {"summary": each.title, "value": msgspec.to_builtins(problem_details(each, each.advice))}
        for each in problems
    }
    if any(each.retry_after_s is not None for each in problems):
        seconds = {"type": "integer", "examples": [problems[0].retry_after_s]}
        answer["headers"] = {
            "Retry-After": {"description": "Seconds after which to send the request again.", "schema": seconds}
        }
    return answer


def declared(description: str, schema: str, media_type: str = JSON) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": reference(schema)}}}


def reference(name: str) -> dict[str, str]:
    return {"$ref": REFS.format(name=name)}
