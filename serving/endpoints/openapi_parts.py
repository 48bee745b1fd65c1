"""Parts of the OpenAPI document that several of its operations have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from serving.errors import (
    ClientLeftError,
    ForbiddenError,
    IssuerAwayError,
    RateLimitedError,
    RefusedRequestError,
    UnknownKeyError,
)
from serving.problem_details import ProblemDetails
from serving.problems import MEDIA_TYPE, PROBLEMS, UNEXPECTED, Problem, problem_details

JSON = "application/json"
REFS = "#/components/schemas/{name}"


SECURITY_SCHEMES = {
    "api_key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, which `keys new` makes and shows once, or a token of the issuer that this service "
        "trusts. A description says which scope it needs.",
    }
}
_OF_KEYS = UnknownKeyError, ForbiddenError, IssuerAwayError, RateLimitedError


def secured(scope: str, *, keys: bool) -> dict[str, Any]:
    """What an operation says of the key that it needs; nothing where requests need none."""
    return {"security": [{"api_key": [scope]}]} if keys else {}


def possible(*never: type[RefusedRequestError], keys: bool) -> list[Problem]:
    """The problems that an operation may answer with: all but these, and those of keys only where requests need one."""
    never = (*never, ClientLeftError)  # which nobody reads
    return [each for kind, each in PROBLEMS.items() if kind not in never and (keys or kind not in _OF_KEYS)]


def refusals(
    problems: Iterable[Problem], *, unexpected: bool = True, struct: type[ProblemDetails] = ProblemDetails
) -> dict[str, Any]:
    """The responses of an operation that may be refused so, by status. struct: what they hold."""
    every = [*problems, UNEXPECTED] if unexpected else problems
    return {str(status): _refusal(each, struct) for status, each in _by_status(every).items()}


def _by_status(problems: Iterable[Problem]) -> dict[int, list[Problem]]:
    by_status: dict[int, list[Problem]] = {}
    for problem in sorted(problems, key=lambda each: each.status):
        by_status.setdefault(problem.status, []).append(problem)
    return by_status


def _refusal(problems: Sequence[Problem], struct: type[ProblemDetails]) -> dict[str, Any]:
    lines = [f"{each.title} (type `{each.name}`). {each.advice}" for each in problems]
    answer = declared("\n\n".join(lines), struct.__name__, MEDIA_TYPE)
    answer["content"][MEDIA_TYPE]["examples"] = {
        each.name: {"summary": each.title, "value": _example(each, struct)} for each in problems
    }
    if any(each.retry_after_s is not None for each in problems):
        seconds = {"type": "integer", "examples": [problems[0].retry_after_s]}
        answer["headers"] = {
            "Retry-After": {"description": "Seconds after which to send the request again.", "schema": seconds}
        }
    if any(each.status == PROBLEMS[UnknownKeyError].status for each in problems):
        answer["headers"] = {
            "WWW-Authenticate": {"description": "The scheme, Bearer, as RFC 6750 has it.", "schema": {"type": "string"}}
        }
    return answer


def _example(problem: Problem, struct: type[ProblemDetails]) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(problem_details(problem, problem.advice))
    return told if struct is ProblemDetails else told | {"error": problem.advice}


def declared(description: str, schema: str, media_type: str = JSON) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": reference(schema)}}}


def reference(name: str) -> dict[str, str]:
    return {"$ref": REFS.format(name=name)}
