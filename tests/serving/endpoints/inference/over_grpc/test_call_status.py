"""Each problem of the table has a status of gRPC, with a text that fits into metadata."""

import pytest

from serving.endpoints.inference.over_grpc.call_status import call_status
from serving.errors import RateLimitedError
from serving.problems import PROBLEMS

CODES = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 408: "DEADLINE_EXCEEDED",
         413: "RESOURCE_EXHAUSTED", 415: "INTERNAL", 422: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED",
         499: "CANCELLED", 500: "INTERNAL", 503: "UNAVAILABLE"}  # fmt: skip


@pytest.mark.parametrize(("kind", "problem"), PROBLEMS.items(), ids=lambda each: getattr(each, "name", ""))
def test_a_problem_keeps_its_name_its_text_and_when_to_ask_again(kind, problem):
    found = call_status(kind("What is wrong."))
    assert (found.code.name, found.details, found.status) == (CODES[problem.status], "What is wrong.", problem.status)
    metadata = dict(found.metadata)
    assert metadata.pop("millrace-problem") == problem.name == found.problem
    after_s = problem.retry_after_s
    assert metadata == ({} if after_s is None else {"grpc-retry-pushback-ms": str(after_s * 1000)})


def test_the_wait_of_one_refusal_goes_before_that_of_its_kind():
    limited = RateLimitedError("Too many.")
    limited.retry_after_s = 7
    assert dict(call_status(limited).metadata)["grpc-retry-pushback-ms"] == "7000"


def test_what_was_not_expected_is_internal_and_says_nothing_of_it():
    found = call_status(ValueError("a secret"))
    assert (found.code.name, found.problem) == ("INTERNAL", "unexpected")
    assert "secret" not in found.details


def test_a_long_text_is_shortened_to_what_clients_accept():
    details = call_status(next(iter(PROBLEMS))("ä" * 5000)).details
    assert 500 < len(details) < 1000
    assert details.endswith("...")
