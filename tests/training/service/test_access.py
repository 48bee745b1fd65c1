"""Who is answered: with keys those who have one, without keys this machine, and never the page of another site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Security
from fastapi.testclient import TestClient

from shared_features.access.api_keys import ADMIN, ApiKey, digest_of
from shared_features.access.callers import Callers
from shared_features.access.key_file import WatchedKeys, add_key, remove_key
from shared_features.access.oidc.issued_tokens import IssuedTokens
from shared_features.access.oidc.issuer_keys import IssuerKeys
from shared_features.access.oidc.trusted_issuer import DEFAULT_SCOPES, TrustedIssuer
from tests.local_issuer import AUDIENCE, local_issuer
from training.errors import RequestError
from training.service.access import Access
from training.service.problems import answer_problems
from training.service.web_server import serving_http
from training.settings import load_settings

HERE = "http://127.0.0.1:8088"


def client(keys: Callers | None = None, at: str = HERE) -> TestClient:
    access = Access(keys)
    app = FastAPI(dependencies=[Depends(access.check)])
    answer_problems(app)

    @app.get("/look")
    def look() -> str:
        return "seen"

    @app.get("/take", dependencies=[Security(access.check, scopes=[ADMIN])])
    def take() -> str:
        return "taken"

    @app.post("/start")
    def start() -> str:
        return "started"

    return TestClient(app, base_url=at)


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture
def keys(tmp_path: Path) -> WatchedKeys:
    """Of the keys `looks`, `runs` and `slow`, each of which is its own secret."""
    for name, scope, most in (("looks", "read", None), ("runs", "admin", None), ("slow", "read", 0.01)):
        add_key(tmp_path / "keys", ApiKey(name, frozenset({scope}), digest_of(name.encode()), most))
    return WatchedKeys(tmp_path / "keys", print)


def test_a_key_opens_what_its_scopes_name_until_it_is_withdrawn(keys: WatchedKeys, tmp_path: Path) -> None:
    asked = client(keys, "http://runs.example:8088")
    without = asked.get("/look")
    assert (without.status_code, without.json()["type"]) == (401, "/docs#unknown-key")
    assert without.headers["www-authenticate"].startswith("Basic")
    assert "Bearer" in without.headers["www-authenticate"]
    assert asked.get("/look", headers=bearer("looks")).status_code == 200
    assert asked.get("/look", auth=("anybody", "looks")).status_code == 200
    refused = asked.post("/start", headers=bearer("looks"))
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "Key looks lacks the scope 'admin'. Use a key or a token that has it.",
    )
    assert asked.post("/start", headers=bearer("runs")).status_code == 200
    assert [asked.get("/take", headers=bearer(each)).status_code for each in ("looks", "runs")] == [403, 200]
    remove_key(tmp_path / "keys", "runs")
    keys.look()
    keys.look()
    assert asked.post("/start", headers=bearer("runs")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        [("authorization", "Bearer wrong")],
        [("authorization", "Bearer")],
        [("authorization", "Basic !!!")],
        [("authorization", "Basic eA==")],
        [("authorization", "Bearer looks"), ("authorization", "Bearer looks")],
        [("authorization", "Basic eDpsb29rcw=="), ("authorization", "Bearer wrong")],
    ],
)
def test_what_is_not_one_valid_key_is_refused(keys: WatchedKeys, headers: list[tuple[str, str]]) -> None:
    asked = client(keys)
    assert asked.request("GET", "/look?authorization=Bearer%20looks&key=looks", headers=headers).status_code == 401


def test_a_token_of_the_issuer_opens_what_its_claim_names() -> None:
    with local_issuer() as issuer:
        trusted = TrustedIssuer(issuer.url, AUDIENCE, "scope", DEFAULT_SCOPES)
        published = IssuerKeys(trusted, print)
        asked = client(IssuedTokens(trusted, published), "http://runs.example:8088")
        looks, runs = (issuer.token(scope=f"millrace.{each}") for each in ("read", "admin"))
        waits = asked.get("/look", headers=bearer(looks))
        assert (waits.status_code, waits.headers["retry-after"]) == (503, "1")
        published.look()
        assert [asked.get("/look", headers=bearer(each)).status_code for each in (looks, runs)] == [200, 200]
        assert asked.get("/look", auth=("anybody", looks)).status_code == 200
        assert [asked.post("/start", headers=bearer(each)).status_code for each in (looks, runs)] == [403, 200]
        expired = asked.get("/look", headers=bearer(issuer.token(exp=1)))
        assert (expired.status_code, expired.json()["type"]) == (401, "/docs#unknown-key")
        assert "has expired" in expired.json()["detail"]


def test_a_limit_is_counted_once_for_each_request(keys: WatchedKeys) -> None:
    asked = client(keys)
    answers = [asked.get("/look", headers=bearer("slow")) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 429]
    assert 1 < int(answers[-1].headers["retry-after"]) <= 100
    assert answers[-1].json()["type"] == "/docs#rate-limited"
    assert asked.get("/look", headers=bearer("looks")).status_code == 200


def test_a_page_of_another_site_is_refused() -> None:
    asked = client()
    assert asked.post("/start").status_code == 200
    assert asked.post("/start", headers={"origin": HERE}).status_code == 200
    for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"host": "evil.example:8088"}):
        assert asked.post("/start", headers=headers).status_code == 403


def test_without_keys_only_loopback_is_listened_to(tmp_path: Path) -> None:
    settings = load_settings().model_copy(update={"runs_host": "0.0.0.0"})
    nothing: Any = None
    with (
        pytest.raises(RequestError, match=r"there are no API keys. Set MILLRACE_API_KEYS_FILE"),
        serving_http(settings, nothing),
    ):
        pass
