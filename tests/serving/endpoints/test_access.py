"""Who may ask the endpoint: by key, by scope and by limit; and what an attacker tried."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from serving.endpoints.access import Access, count_request, count_rows
from shared_features.access.api_keys import PREDICT, ApiKey, digest_of
from shared_features.access.key_file import WatchedKeys, add_key, remove_key
from shared_features.errors import KeyFileError
from tests.local_issuer import AUDIENCE, LocalIssuer, local_issuer
from tests.serving.asking import PATH, problem
from tests.serving.conftest import INSTANCE

BODY = {"instances": [INSTANCE]}
FEATURES, METRICS = "/v1/views/breakdown:features", "/metrics"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Keys that are called like their secret."""
    for name, scopes, limits in (
        ("shop", {"predict"}, {}),
        ("looks", {"read"}, {}),
        ("boss", {"admin"}, {}),
        ("slow", {"predict"}, {"requests_per_s": 0.01}),
        ("narrow", {"predict"}, {"rows_per_s": 0.01}),
    ):
        add_key(tmp_path / "keys", ApiKey(name, frozenset(scopes), digest_of(name.encode()), **limits))
    return tmp_path / "keys"


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def answers(serving: Any, file: Path, *requests: tuple[str, str, dict[str, Any]]) -> list[Any]:
    """One after the other, of one application."""

    async def ask() -> list[Any]:
        async with serving(api_keys_file=file) as client:
            return [await client.request(method, path, **options) for method, path, options in requests]

    return asyncio.run(ask())


def post(headers: Any, path: str = PATH, instances: int = 1) -> tuple[str, str, dict[str, Any]]:
    return "POST", path, {"headers": headers, "json": {"instances": [INSTANCE] * instances}}


def test_a_key_opens_what_its_scopes_name(serving, file):
    names = ("shop", "looks", "boss")
    asked = [(name, path) for path in (PATH, FEATURES) for name in names]
    found = answers(
        serving,
        file,
        *(post(bearer(name), path) for name, path in asked),
        *(("GET", METRICS, {"headers": bearer(name)}) for name in names),
        ("GET", METRICS, {}),
        ("GET", "/health/ready", {}),
        ("GET", "/health/live", {}),
        ("GET", "/docs", {}),
    )
    assert [each.status_code for each in found] == [200, 403, 200, 403, 200, 200, 403, 200, 200, 401, 200, 200, 200]
    refused = problem(found[1], "forbidden")
    assert refused["detail"] == "Key looks lacks the scope 'predict'. Use a key or a token that has it."
    assert found[1].headers["www-authenticate"].endswith('error="insufficient_scope", scope="predict"')
    assert problem(found[9], "unknown-key")
    assert found[9].headers["www-authenticate"] == 'Bearer realm="millrace"'
    assert {each.headers["cache-control"] for each in found[:6]} == {"no-store"}


ATTACKS: dict[str, Any] = {
    "no key": [],
    "an empty key": [("authorization", "Bearer ")],
    "an empty header": [("authorization", "")],
    "a wrong key": [("authorization", "Bearer geheim")],
    "a key and more": [("authorization", "Bearer shop shop")],
    "part of a key": [("authorization", "Bearer sho")],
    "the digest that is stored": [("authorization", f"Bearer {digest_of(b'shop').hex()}")],
    "another scheme": [("authorization", "Basic c2hvcDpzaG9w")],
    "another header": [("x-api-key", "shop"), ("cookie", "authorization=Bearer shop")],
    "two headers with the key": [("authorization", "Bearer shop"), ("authorization", "Bearer shop")],
    "a wrong one first": [("authorization", "Bearer geheim"), ("authorization", "Bearer shop")],
    "an empty one first": [("authorization", ""), ("authorization", "Bearer shop")],
    "a list": [("authorization", "Bearer shop, Bearer shop")],
    "60 kB": [("authorization", "Bearer " + "shop" * 15_000)],
    "bytes that are no text": [(b"authorization", b"Bearer \xff\xfe\x80")],
}


def test_what_is_not_one_valid_key_is_refused_before_anything_else_and_repeated_nowhere(serving, file):
    """Neither the view, nor the body, nor the log tells anything to who has no key."""
    in_address = ("POST", f"{PATH}?key=shop&authorization=Bearer%20shop&access_token=shop", {"json": BODY})
    of_no_view = ("POST", "/v1/views/none:predict", {"json": BODY, "headers": bearer("geheim")})
    no_body = ("POST", PATH, {"content": b"{" * 100_000, "headers": bearer("geheim")})
    with structlog.testing.capture_logs() as lines:
        found = answers(serving, file, *(post(each) for each in ATTACKS.values()), in_address, of_no_view, no_body)
    for name, each in zip([*ATTACKS, "in the address", "of no view", "no body"], found, strict=True):
        assert each.status_code == 401, name
        assert problem(each, "unknown-key")["detail"].startswith("The request has no valid API key"), name
        assert "geheim" not in each.text + str(each.headers), name
    assert found[3].headers["www-authenticate"] == 'Bearer realm="millrace", error="invalid_token"'
    assert not [line for line in lines if "geheim" in str(line) or "shop" in str(line)]


def test_no_key_stands_in_a_metric(serving, file):
    shown = answers(
        serving, file, post(bearer("shop")), post(bearer("geheim")), ("GET", METRICS, {"headers": bearer("boss")})
    )
    assert 'problem="unknown-key",status="401"' in shown[-1].text
    assert "geheim" not in shown[-1].text
    assert "shop" not in shown[-1].text


def test_a_key_beyond_its_limit_is_429_and_others_are_answered(serving, file):
    requests = [post(bearer("slow"))] * 2 + [post(bearer("narrow"), instances=9)] + [post(bearer("narrow"))] * 2
    found = answers(serving, file, *requests, post(bearer("shop")))
    assert [each.status_code for each in found] == [200, 429, 200, 429, 429, 200]
    assert {each.json()["type"] for each in found if each.status_code == 429} == {"/docs#rate-limited"}
    assert found[1].json()["detail"].startswith("Key slow has asked for too many requests.")
    assert found[3].json()["detail"].startswith("Key narrow has asked for too many instances.")
    assert 1 < int(found[1].headers["retry-after"]) <= 100
    assert 100 < int(found[3].headers["retry-after"]) <= 900


def test_requests_that_are_refused_count_towards_the_limit(serving, file):
    """A body that is wrong costs as much as one that is right, until it is decoded."""
    wrong = ("POST", PATH, {"headers": bearer("slow"), "content": b"["})
    assert [each.status_code for each in answers(serving, file, wrong, wrong)] == [422, 429]


def test_a_key_that_is_withdrawn_between_two_requests_of_a_client_answers_no_longer(serving, file):
    async def ask() -> list[int]:
        async with serving(api_keys_file=file) as client:
            statuses = [(await client.post(PATH, json=BODY, headers=bearer("shop"))).status_code]
            remove_key(file, "shop")
            add_key(file, ApiKey("next", frozenset({"predict"}), digest_of(b"next")))
            until = time.monotonic() + 60
            while statuses[-1] == 200 and time.monotonic() < until:
                await asyncio.sleep(0.05)
                statuses.append((await client.post(PATH, json=BODY, headers=bearer("shop"))).status_code)
            return [statuses[0], statuses[-1], (await client.post(PATH, json=BODY, headers=bearer("next"))).status_code]

    assert asyncio.run(ask()) == [200, 401, 200]


def test_without_a_file_everybody_may_ask_and_no_answer_speaks_of_keys(serving):
    async def ask() -> Any:
        async with serving() as client:
            return await client.get("/openapi.json"), await client.post(PATH, json=BODY, headers=bearer("any"))

    document, answer = asyncio.run(ask())
    assert answer.status_code == 200
    assert "securitySchemes" not in document.text
    assert "unknown-key" not in document.text


def test_the_document_says_which_key_a_path_needs_and_how_it_refuses(serving, file):
    (document,) = (each.json() for each in answers(serving, file, ("GET", "/openapi.json", {})))
    assert document["components"]["securitySchemes"]["api_key"]["scheme"] == "bearer"
    needed = {
        f"{method} {path}": operation.get("security")
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert needed[f"post {PATH}"] == [{"api_key": ["predict"]}]
    assert needed[f"get {FEATURES}"] == needed[f"post {FEATURES}"] == needed["get /metrics"] == [{"api_key": ["read"]}]
    assert needed["get /health/ready"] is None
    responses = document["paths"][PATH]["post"]["responses"]
    assert {"401", "403", "429"} <= responses.keys()
    assert "WWW-Authenticate" in responses["401"]["headers"]
    assert json.dumps(document).count("unknown-key") > 0


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    with local_issuer() as found:
        yield found


async def asked_until(client: Any, status: int, headers: Any) -> Any:
    """The first answer of that status: the issuer's keys are fetched meanwhile."""
    until = time.monotonic() + 60
    while (answer := await client.post(PATH, json=BODY, headers=headers)).status_code != status:
        assert time.monotonic() < until, answer.text
        await asyncio.sleep(0.05)
    return answer


def test_a_token_of_the_issuer_is_as_good_as_a_key_and_stands_in_no_log(serving, file, issuer):
    async def ask() -> list[Any]:
        limits = {"oidc_requests_per_s": 0.01}
        trusted: dict[str, Any] = {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE, "api_keys_file": file}
        async with serving(**trusted) as client, serving(**trusted, **limits) as limited:
            found = [await asked_until(client, 200, bearer(issuer.token()))]
            others: list[dict[str, Any]] = [{}, {"scope": "millrace.read"}, {"exp": 1}, {"aud": "another"}]
            found += [await client.post(PATH, json=BODY, headers=bearer(issuer.token(**each))) for each in others]
            found.append(await client.post(PATH, json=BODY, headers=bearer("shop")))
            await asked_until(limited, 200, bearer("shop"))  # what answers 503 before has counted towards a limit
            await asked_until(limited, 200, bearer(issuer.token()))
            same = issuer.token(jti="2"), issuer.token(jti="3", sub="bob"), "shop"
            return found + [await limited.post(PATH, json=BODY, headers=bearer(each)) for each in same]

    with structlog.testing.capture_logs() as lines:
        found = asyncio.run(ask())
    assert [each.status_code for each in found] == [200, 200, 403, 401, 401, 200, 429, 200, 200]
    assert found[2].json()["detail"].startswith("Subject oidc:alice lacks the scope 'predict'.")
    assert problem(found[3], "unknown-key")["detail"].startswith(
        "The request has no valid token. The token has expired"
    )
    assert found[3].headers["www-authenticate"].endswith('error="invalid_token"')
    assert found[6].json()["detail"].startswith("Subject oidc:alice has asked for too many requests.")
    assert not [line for line in lines if "eyJ" in str(line)], "a token begins so"
    assert not [each for each in found if "eyJ" in each.text + str(each.headers)]


def test_while_the_issuer_is_asked_everybody_else_is_answered(serving, file, issuer):
    """The question is held for as long as the test wants: no request waits for it."""

    async def ask() -> list[Any]:
        issuer.held.clear()
        trusted = {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE, "api_keys_file": file}
        async with serving(**trusted) as client:
            until = time.monotonic() + 60
            while not issuer.asked and time.monotonic() < until:
                await asyncio.sleep(0.05)
            given = (issuer.token(), "shop", "geheim")
            found = [await client.post(PATH, json=BODY, headers=bearer(each)) for each in given]
            assert not issuer.held.is_set()
            issuer.held.set()
            return [*found, await asked_until(client, 200, bearer(issuer.token()))]

    found = asyncio.run(ask())
    assert [each.status_code for each in found] == [503, 200, 401, 200]
    assert problem(found[0], "issuer-unavailable")


HEADERS = [
    (b"host", b"127.0.0.1:8000"),
    (b"accept", b"*/*"),
    (b"user-agent", b"python-httpx/0.28"),
    (b"content-type", b"application/json"),
    (b"content-length", b"180"),
    (b"authorization", b"Bearer millrace_" + b"x" * 43),
]


def test_a_key_costs_a_request_a_few_microseconds(tmp_path):
    """All that a key adds costs as much as a few of its hashes, 2 us; a slow hash would take thousands."""
    key = HEADERS[-1][1].removeprefix(b"Bearer ")
    add_key(tmp_path / "keys", ApiKey("shop", frozenset({PREDICT}), digest_of(key), 1e9, 1e9))
    access, times = Access(WatchedKeys(tmp_path / "keys", print)), 2_000

    def all_of_it() -> None:
        found = access.key(HEADERS, PREDICT)
        count_request(found)
        count_rows(found, 1)

    def processor_ns(act: Callable[[], object]) -> int:
        began = time.thread_time_ns()
        for _ in range(times):
            act()
        return time.thread_time_ns() - began

    rounds = [(processor_ns(all_of_it), processor_ns(lambda: hashlib.sha256(key).digest())) for _ in range(9)]
    whole, one_hash = (min(each) for each in zip(*rounds, strict=True))
    assert whole < 40 * one_hash


def test_a_file_that_is_no_file_of_keys_ends_the_start(serving, tmp_path):
    (tmp_path / "keys").write_text("shop predict geheim\n")
    with pytest.raises(KeyFileError, match=r"Line 1 of .*keys is not an API key") as error:
        answers(serving, tmp_path / "keys")
    assert "geheim" not in str(error.value)
